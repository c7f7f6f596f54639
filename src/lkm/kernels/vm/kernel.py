"""The kernel of a virtual machine, as a kernel that modules can be loaded into."""

from typing import TYPE_CHECKING, TypeVar

from lkm.errors import MachineError
from lkm.formats import proc_modules
from lkm.kernels.base import LoadFlags, Security, UnloadFlags
from lkm.kernels.vm.remote_errors import from_body

if TYPE_CHECKING:
    from lkm.formats.proc_modules import LoadedModule
    from lkm.kernels.vm.frames import Body
    from lkm.kernels.vm.machine import Machine
    from lkm.system.module_file import ModuleFile

__all__ = ["VmKernel"]

_Value = TypeVar("_Value")


class VmKernel:
    """Hands each call to the live kernel inside a running machine.

    Besides the errors of :class:`lkm.kernels.base.Kernel`, each call raises those of :meth:`Machine.ask`: MachineLost
    when the kernel panicked over it.

    :param machine: in which module files are found under their paths on the host; not those of /run, /dev, /proc, /sys
    :param timeout: in seconds, for one call
    """

    def __init__(self, machine: "Machine", *, timeout: float = 120.0) -> None:
        self._machine = machine
        self._timeout = timeout

    @property
    def release(self) -> str:
        """See :meth:`lkm.kernels.base.Kernel.release`."""
        return self._machine.release

    def load(self, module: "ModuleFile", parameters: str, flags: LoadFlags = LoadFlags.NONE) -> tuple[str, ...]:
        """See :meth:`lkm.kernels.base.Kernel.load`."""
        return _lines(self._call("load", module.root.path, module.path, parameters, int(flags)))

    def unload(self, name: str, flags: UnloadFlags = UnloadFlags.NONE) -> tuple[str, ...]:
        """See :meth:`lkm.kernels.base.Kernel.unload`."""
        return _lines(self._call("unload", name, int(flags)))

    def loaded(self) -> "tuple[LoadedModule, ...]":
        """See :meth:`lkm.kernels.base.Kernel.loaded`."""
        return proc_modules.parse(_checked(self._call("loaded"), str))

    def state(self, name: str) -> str | None:
        """See :meth:`lkm.kernels.base.Kernel.state`."""
        value = self._call("state", name)
        return None if value is None else _checked(value, str)

    def parameters(self, name: str) -> dict[str, str]:
        """See :meth:`lkm.kernels.base.Kernel.parameters`."""
        values = _checked(self._call("parameters", name), dict)
        return {str(key): str(value) for key, value in values.items()}

    def taint(self) -> int:
        """See :meth:`lkm.kernels.base.Kernel.taint`."""
        return _checked(self._call("taint"), int)

    def security(self) -> Security:
        """See :meth:`lkm.kernels.base.Kernel.security`."""
        match self._call("security"):
            case [str() | None as lockdown, bool() | None as sig_enforce, bool(modules_disabled)]:
                return Security(lockdown, sig_enforce, modules_disabled)
        raise _nonsense()

    def log(self) -> tuple[str, ...]:
        """See :meth:`lkm.kernels.base.Kernel.log`."""
        return _lines(self._call("log"))

    def command_line(self) -> str:
        """See :meth:`lkm.kernels.base.Kernel.command_line`."""
        return _checked(self._call("command_line"), str)

    def _call(self, call: str, *arguments: object) -> object:
        request: Body = {"ask": "kernel", "call": call, "arguments": list(arguments)}
        match self._machine.ask(request, timeout=self._timeout):
            case {"value": value}, ():
                return value
            case {"error": dict(error)}, ():
                raise from_body(error)
        raise _nonsense()


def _lines(value: object) -> tuple[str, ...]:
    return tuple(str(line) for line in _checked(value, list))


def _checked(value: object, kind: type[_Value]) -> _Value:
    if not isinstance(value, kind):
        raise _nonsense()
    return value


def _nonsense() -> MachineError:
    return MachineError("the machine's agent gave an answer that can't be understood")
