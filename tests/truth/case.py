"""What a case is: system calls, one after the other, on a kernel that has loaded nothing yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.truth.maker import Maker

__all__ = ["ENVIRONMENTS", "Case", "Init", "Load", "Step", "Unload", "Write", "one"]

COMMON = "module_blacklist=lkm_blocked,lkm-dashed,blocked_too"
ENVIRONMENTS = {
    "default": COMMON,
    "sig_enforce": f"{COMMON} module.sig_enforce=1",
    "lockdown": f"{COMMON} lockdown=integrity",
}
"""What each kernel is booted with, by name."""


class Init(Enum):
    """What a module's own code adds to what the kernel's does."""

    SILENT = "nothing"
    PRINTS = "lines at the end"
    DECIDES = "a refusal, and lines at the end"


@dataclass(frozen=True)
class Load:
    """A call of finit_module.

    :param contents: the file
    :param parameters: the parameter string
    :param flags: those of finit_module
    :param command: the name of the calling process
    :param privileged: it is root's
    :param init: what the module's own code does to the answer, which no rule can foresee
    """

    contents: bytes
    parameters: str = ""
    flags: int = 0
    command: str = "modprobe"
    privileged: bool = True
    init: Init = Init.SILENT


@dataclass(frozen=True)
class Unload:
    """A call of delete_module."""

    name: str
    force: bool = False


@dataclass(frozen=True)
class Write:
    """The sysctl kernel.modules_disabled is set to 1."""


Step = Load | Unload | Write


@dataclass(frozen=True)
class Case:
    """A case.

    :param id: ``subject/what``
    :param steps: makes its calls for a kernel
    :param real: it takes files out of the kernel's own packages
    """

    id: str
    steps: Callable[["Maker"], Sequence[Step]]
    real: bool = False


def one(  # noqa: PLR0913  a case is all that a load is
    name: str,
    make: Callable[..., bytes],
    parameters: str = "",
    flags: int = 0,
    *,
    command: str = "modprobe",
    privileged: bool = True,
    real: bool = False,
    init: Init = Init.SILENT,
    given: tuple[object, ...] = (),
) -> Case:
    """Make the usual case: a module is loaded.

    :param make: makes the file, from a :class:`Maker` and what is given
    """

    def steps(maker: "Maker") -> Sequence[Step]:
        contents = make(maker, *given)
        return (Load(contents, parameters, flags, command, privileged=privileged, init=init),)

    return Case(name, steps, real)
