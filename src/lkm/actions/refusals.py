"""Why a kernel refused a module: its own lines, with what else it can be asked."""

import errno

from lkm.errors import Cause, LkmError, LoadRefused
from lkm.kernels.base import Kernel
from lkm.rules.causes import causes_of_load

__all__ = ["causes_of_refusal"]

_OF_POLICY = frozenset({errno.EPERM, errno.EKEYREJECTED, errno.ENOKEY})


def causes_of_refusal(error: LoadRefused, name: str, kernel: Kernel) -> tuple[Cause, ...]:
    """Name the causes of a refused load, the most telling first.

    Where signatures or lockdown are the matter, the kernel's whole log is asked who demands them.

    :param name: the module's name
    :param kernel: the one that refused
    """
    try:
        disabled, command_line = kernel.security().modules_disabled, kernel.command_line()
        log = kernel.log() if error.errno in _OF_POLICY else ()
    except LkmError:
        return causes_of_load(error, name)  # a machine that is lost, or a /proc that is not there
    return causes_of_load(error, name, command_line=command_line, modules_disabled=disabled, kernel_log=log)
