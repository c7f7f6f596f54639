"""The values that the session's kernel has, and setting them, on the running kernel and on an emulated one."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lkm.errors import LkmError, UsageError
from lkm.formats.parameters import Parameter
from lkm.kernels.live_parameters import LiveParameter, read_parameters, write_parameter

if TYPE_CHECKING:
    from lkm.actions.session import Session

__all__ = ["live_parameters", "write_live"]


def live_parameters(
    session: "Session", module: str, declared: Sequence[Parameter], defaults: Mapping[str, str]
) -> dict[str, LiveParameter] | None:
    """Give the parameters that the kernel shows of a module or built-in.

    :param declared: what its file says, by which an emulated kernel knows what it would show
    :param defaults: likewise
    :returns: None where the kernel has no such module, shows nothing of it, or is not that of the root
    """
    if not session.kernel_is_of_root:
        return None
    if session.kernel_kind == "live":
        return read_parameters(module)
    try:
        if session.kernel.state(module) is None:
            return None
        values = session.kernel.parameters(module)
    except LkmError:
        return None
    shown: dict[str, LiveParameter] = {}
    for parameter in declared:
        mode = parameter.permissions or 0
        value = values.get(parameter.name) or defaults.get(parameter.name)  # nothing stands for what nobody set
        if mode:
            problem = "" if value is not None else "only the module's own code knows"
            shown[parameter.name] = LiveParameter(value, mode, problem)
    return shown


def write_live(session: "Session", module: str, parameter: Parameter, value: str, shown: str | None) -> None:
    """Set a parameter of a module that is in the kernel.

    :param value: as the user gives it
    :param shown: what the kernel makes of it
    :raises PrivilegeMissing, LkmError: see :func:`lkm.kernels.live_parameters.write_parameter`
    :raises NotLoaded: an emulated kernel has no such module
    :raises UsageError: the session's kernel can't be written to
    """
    if session.kernel_kind == "live":
        write_parameter(module, parameter.name, value)
        return
    from lkm.kernels.emulated import EmulatedKernel  # noqa: PLC0415  few have one

    if not isinstance(session.kernel, EmulatedKernel):
        raise UsageError(
            "this kernel ends with the command, and what was set with it",
            hint="set parameters of the running kernel, or of one that is kept: --kernel emulated:DIR",
        )
    session.kernel.set_parameter(module, parameter, value if shown is None else shown)
