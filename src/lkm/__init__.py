"""The toolkit for Linux loadable kernel modules.

The library: ``lkm.System`` is a root with its modules, its configuration and a kernel; ``lkm.read_module`` reads one
module file; every error is an ``lkm.LkmError``. Nothing is imported before it is used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lkm.actions.checking.options import CheckOptions
    from lkm.actions.checking.results import CheckResult
    from lkm.actions.dependencies import Dependency, Edge
    from lkm.actions.describe import Description
    from lkm.actions.finding import Found
    from lkm.actions.finding_devices import Claim, Claims
    from lkm.actions.load import LoadReport
    from lkm.actions.system import System, read_module
    from lkm.actions.unload import UnloadReport
    from lkm.errors import (
        Blocked,
        BuiltIn,
        Cause,
        CommandFailed,
        CompressionError,
        ElfError,
        FormatError,
        IndexMissing,
        InUse,
        KernelRefused,
        LkmError,
        LoadRefused,
        Loop,
        MachineError,
        MachineLost,
        MachineTimeout,
        ModuleNotFound,
        ModuleSupportMissing,
        NotLoaded,
        PrivilegeMissing,
        RootError,
        StateError,
        TreeMissing,
        UnloadRefused,
        Unreadable,
        UsageError,
    )
    from lkm.formats.module_image import ModuleImage
    from lkm.formats.proc_modules import LoadedModule
    from lkm.kernels.base import Kernel, LoadFlags, UnloadFlags
    from lkm.rules.planning.load import LoadPlan
    from lkm.rules.resolving import Candidate
    from lkm.system.module_file import ModuleFile

__all__ = [
    "Blocked",
    "BuiltIn",
    "Candidate",
    "Cause",
    "CheckOptions",
    "CheckResult",
    "Claim",
    "Claims",
    "CommandFailed",
    "CompressionError",
    "Dependency",
    "Description",
    "Edge",
    "ElfError",
    "FormatError",
    "Found",
    "InUse",
    "IndexMissing",
    "Kernel",
    "KernelRefused",
    "LkmError",
    "LoadFlags",
    "LoadPlan",
    "LoadRefused",
    "LoadReport",
    "LoadedModule",
    "Loop",
    "MachineError",
    "MachineLost",
    "MachineTimeout",
    "ModuleFile",
    "ModuleImage",
    "ModuleNotFound",
    "ModuleSupportMissing",
    "NotLoaded",
    "PrivilegeMissing",
    "RootError",
    "StateError",
    "System",
    "TreeMissing",
    "UnloadFlags",
    "UnloadRefused",
    "UnloadReport",
    "Unreadable",
    "UsageError",
    "__version__",
    "read_module",
]

__version__ = "0.1.0"

# Where a name is found that is no error; PEP 562 imports it when it is first used, so that the command starts fast.
_HOMES = {
    "Candidate": "lkm.rules.resolving",
    "CheckOptions": "lkm.actions.checking.options",
    "CheckResult": "lkm.actions.checking.results",
    "Claim": "lkm.actions.finding_devices",
    "Claims": "lkm.actions.finding_devices",
    "Dependency": "lkm.actions.dependencies",
    "Description": "lkm.actions.describe",
    "Edge": "lkm.actions.dependencies",
    "Found": "lkm.actions.finding",
    "Kernel": "lkm.kernels.base",
    "LoadFlags": "lkm.kernels.base",
    "LoadPlan": "lkm.rules.planning.load",
    "LoadReport": "lkm.actions.load",
    "LoadedModule": "lkm.formats.proc_modules",
    "ModuleFile": "lkm.system.module_file",
    "ModuleImage": "lkm.formats.module_image",
    "System": "lkm.actions.system",
    "UnloadFlags": "lkm.kernels.base",
    "UnloadReport": "lkm.actions.unload",
    "read_module": "lkm.actions.system",
}

if not TYPE_CHECKING:  # type checkers see the imports above, and complain about names that are not there

    def __getattr__(name: str) -> object:
        """Import a name when it is first used."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib  # noqa: PLC0415  the command needs none

        value = getattr(importlib.import_module(_HOMES.get(name, "lkm.errors")), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """List what there is, imported or not yet."""
        return sorted({*globals(), *__all__})
