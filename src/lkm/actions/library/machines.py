"""Trying a module on a real kernel, which is booted for it in a throw-away machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lkm.actions.parameter_words import ParameterValue, parameter_string

if TYPE_CHECKING:
    from lkm.actions.trying.trying import Trial

__all__ = ["try_on"]


def try_on(
    kernel: str | None,
    name: str,
    parameters: Mapping[str, ParameterValue] | None = None,
    *,
    root: str = "/",
    cmdline: str = "",
    memory: int = 512,
    owners: Sequence[bytes] | None = None,
) -> "Trial":
    """Load a module, with what it needs, into a real kernel, remove it again, and compare with the verdict.

    :param kernel: a release that is installed in the root, a directory with a kernel's packages unpacked, or a vmlinuz;
        None is the newest of the root
    :param name: a module file, or a name in that kernel's module tree
    :param root: a directory that stands for ``/``
    :param cmdline: added to the kernel command line
    :param memory: of the machine, in MiB
    :param owners: boot with Secure Boot, and these certificates (DER) enrolled by the machine's owner; None boots
        without firmware
    :returns: ``observed``, ``expected``, and their ``differences``
    :raises MachineError: there is no such kernel, or it can't be booted
    :raises LkmError: the module can't be found or read
    """
    from lkm.actions.trying import trying  # noqa: PLC0415  the name is this function's
    from lkm.kernels.vm import choice, images  # noqa: PLC0415  dear

    wanted = images.find(None, Path(root)).release if kernel is None else kernel
    image, home = choice.choose(wanted, root)
    given = parameter_string(parameters or {})
    return trying.try_on(image, str(home), name, given, cmdline=cmdline, memory=memory, owners=owners)
