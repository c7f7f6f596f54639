"""The whole table: the most telling causes first."""

from lkm.rules.causes.building import BUILDING
from lkm.rules.causes.compiling import COMPILING
from lkm.rules.causes.complaints import COMPLAINTS
from lkm.rules.causes.elf import ELF
from lkm.rules.causes.generic import GENERIC
from lkm.rules.causes.other_tools import OTHER_TOOLS
from lkm.rules.causes.packaging import PACKAGING, WRAPPERS
from lkm.rules.causes.parameters import PARAMETERS
from lkm.rules.causes.signature import SIGNATURE
from lkm.rules.causes.symbols import SYMBOLS
from lkm.rules.causes.system import SYSTEM
from lkm.rules.causes.unloading import BY_ERRNO, BY_TEXT

__all__ = ["LOADING", "PASTED", "UNLOADING"]

LOADING = (*SIGNATURE, *BUILDING, *ELF, *SYMBOLS, *PARAMETERS, *SYSTEM, *COMPLAINTS, *GENERIC)
UNLOADING = (*BY_TEXT, *COMPLAINTS, *BY_ERRNO)
PASTED = (
    *SIGNATURE,
    *BUILDING,
    *ELF,
    *SYMBOLS,
    *PARAMETERS,
    *COMPILING,
    *PACKAGING,
    *OTHER_TOOLS,
    *SYSTEM,
    *BY_TEXT,
    *WRAPPERS,
    *COMPLAINTS,
    *GENERIC,
)
