"""What is asked of a kernel, and what it answers."""

from dataclasses import dataclass

from lkm.rules.loading.state import KernelState, ModuleRecord
from lkm.rules.signatures.check import SignatureFinding

__all__ = ["COMPRESSED_FILE", "IGNORE_MODVERSIONS", "IGNORE_VERMAGIC", "Refusal", "Request", "Verdict"]

IGNORE_MODVERSIONS = 1
IGNORE_VERMAGIC = 2
COMPRESSED_FILE = 4


@dataclass(frozen=True, slots=True)
class Request:
    """One call of finit_module.

    :param contents: the file as it is handed over, signature included; packed with COMPRESSED_FILE
    :param parameters: the parameter string
    :param flags: IGNORE_MODVERSIONS, IGNORE_VERMAGIC, COMPRESSED_FILE (include/uapi/linux/module.h), or any other bits
    :param signature: what checking the signature gives, where the caller knows better than the certificates say
    :param privileged: the caller has CAP_SYS_MODULE
    :param command: the caller's name, for log lines
    :param measured: tell how much memory the module takes, which only lists of modules show
    """

    contents: bytes
    parameters: str = ""
    flags: int = 0
    signature: SignatureFinding | None = None
    privileged: bool = True
    command: str = "modprobe"
    measured: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stage's no.

    :param errno: positive
    """

    errno: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the kernel answers.

    :param errno: 0 where the module loads
    :param stage: the name of the stage that refused; empty where the module loads
    :param log: the lines that the kernel prints because of this attempt, in order, without time stamps
    :param state: the kernel afterwards; a refused load can leave taints behind
    :param record: the module, where it loads
    :param undecidable: what no rule can foresee about this module
    """

    errno: int
    stage: str
    log: tuple[str, ...]
    state: KernelState
    record: ModuleRecord | None = None
    undecidable: tuple[str, ...] = ()

    @property
    def loads(self) -> bool:
        """Whether the module is live afterwards."""
        return self.errno == 0
