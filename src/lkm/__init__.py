"""The toolkit for Linux loadable kernel modules.

The library: ``lkm.System`` is a root with its modules, its configuration and a kernel; ``lkm.read_module`` reads one
module file; every error is an ``lkm.LkmError``. Nothing is imported before it is used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lkm.actions.blocking.allow_only import AllowOnly
    from lkm.actions.blocking.block import BlockResult, UnblockResult
    from lkm.actions.blocking.listing import BlockedModule
    from lkm.actions.blocking.routes import Route
    from lkm.actions.boot.changing import BootAddResult, BootRemoveResult
    from lkm.actions.boot.listing import BootEntry, BootList
    from lkm.actions.boot.resolving import Fate
    from lkm.actions.changes.applying import ChangeOutcome
    from lkm.actions.changes.undoing import History, HistoryEntry, UndoResult
    from lkm.actions.checking.options import CheckOptions
    from lkm.actions.checking.results import CheckResult
    from lkm.actions.dependencies import Dependency, Edge
    from lkm.actions.describe import Description
    from lkm.actions.diagnosing.diagnose import Diagnosed, DiagnosisReport
    from lkm.actions.explaining.story import Explanation, Story
    from lkm.actions.finding.devices import Claim, Claims
    from lkm.actions.finding.find import Found
    from lkm.actions.indexing.request import IndexResult
    from lkm.actions.initramfs_drift import Drift, DriftedFile, DriftKind
    from lkm.actions.library.files import read_certificates, read_module
    from lkm.actions.library.health import Health
    from lkm.actions.library.machines import try_on
    from lkm.actions.library.settings import Settings
    from lkm.actions.library.trust import Trust
    from lkm.actions.load import LoadReport
    from lkm.actions.lockdown.report import Demands, LockdownReport
    from lkm.actions.mok.places import MokTest
    from lkm.actions.mok.status import MokStatus
    from lkm.actions.parameter_words import ParameterValue
    from lkm.actions.parameters.facts import Configured, ParameterFacts
    from lkm.actions.parameters.setting import Manner, SetResult
    from lkm.actions.parameters.unsetting import UnsetResult
    from lkm.actions.preflight import Preflight
    from lkm.actions.signing.new_key import KeyKind, NewKey, new_key
    from lkm.actions.signing.results import SignedFile, SignOutcome
    from lkm.actions.signing.sign import SignReport, SignRequest
    from lkm.actions.signing.treatment import OldSignature, Product
    from lkm.actions.status.parts import Attention, Fact, Level
    from lkm.actions.status.report import Status
    from lkm.actions.system import System
    from lkm.actions.tainting import TaintedModule, TaintReport, taint_of_mask, taint_of_text
    from lkm.actions.trusted_keys.results import FirmwareList, KeyringReport, ListedKey, TrustOptions, TrustReport
    from lkm.actions.trying.trying import Observation, Trial
    from lkm.actions.unload import UnloadReport
    from lkm.actions.verifying.options import VerifyOptions
    from lkm.actions.verifying.verify import Verified, VerifyReport
    from lkm.errors import (
        Blocked,
        BuiltIn,
        Cause,
        ChangedMeanwhile,
        CommandFailed,
        CompressionError,
        ElfError,
        FormatError,
        IndexMissing,
        InUse,
        KernelRefused,
        KeyMismatch,
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
        ReadOnlyFiles,
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
    from lkm.rules.effective_lines import Effect, EffectiveLine
    from lkm.rules.planning.load import LoadPlan
    from lkm.rules.resolving import Candidate
    from lkm.rules.signatures.answer import SignatureAnswer
    from lkm.rules.signatures.policy import Lockdown
    from lkm.rules.signatures.secure_boot import SecureBoot
    from lkm.rules.taint_flags import TaintFlag
    from lkm.rules.upgrade import Finding
    from lkm.system.configuration import Configuration
    from lkm.system.journal import FileChange
    from lkm.system.module_file import ModuleFile
    from lkm.system.module_tree import ModuleTree
    from lkm.system.trust_store import Keyring

__all__ = [
    "AllowOnly",
    "Attention",
    "BlockResult",
    "Blocked",
    "BlockedModule",
    "BootAddResult",
    "BootEntry",
    "BootList",
    "BootRemoveResult",
    "BuiltIn",
    "Candidate",
    "Cause",
    "ChangeOutcome",
    "ChangedMeanwhile",
    "CheckOptions",
    "CheckResult",
    "Claim",
    "Claims",
    "CommandFailed",
    "CompressionError",
    "Configuration",
    "Configured",
    "Demands",
    "Dependency",
    "Description",
    "Diagnosed",
    "DiagnosisReport",
    "Drift",
    "DriftKind",
    "DriftedFile",
    "Edge",
    "Effect",
    "EffectiveLine",
    "ElfError",
    "Explanation",
    "Fact",
    "Fate",
    "FileChange",
    "Finding",
    "FirmwareList",
    "FormatError",
    "Found",
    "Health",
    "History",
    "HistoryEntry",
    "InUse",
    "IndexMissing",
    "IndexResult",
    "Kernel",
    "KernelRefused",
    "KeyKind",
    "KeyMismatch",
    "Keyring",
    "KeyringReport",
    "Level",
    "ListedKey",
    "LkmError",
    "LoadFlags",
    "LoadPlan",
    "LoadRefused",
    "LoadReport",
    "LoadedModule",
    "Lockdown",
    "LockdownReport",
    "Loop",
    "MachineError",
    "MachineLost",
    "MachineTimeout",
    "Manner",
    "ModuleFile",
    "ModuleImage",
    "ModuleNotFound",
    "ModuleSupportMissing",
    "ModuleTree",
    "MokStatus",
    "MokTest",
    "NewKey",
    "NotLoaded",
    "Observation",
    "OldSignature",
    "ParameterFacts",
    "ParameterValue",
    "Preflight",
    "PrivilegeMissing",
    "Product",
    "ReadOnlyFiles",
    "RootError",
    "Route",
    "SecureBoot",
    "SetResult",
    "Settings",
    "SignOutcome",
    "SignReport",
    "SignRequest",
    "SignatureAnswer",
    "SignedFile",
    "StateError",
    "Status",
    "Story",
    "System",
    "TaintFlag",
    "TaintReport",
    "TaintedModule",
    "TreeMissing",
    "Trial",
    "Trust",
    "TrustOptions",
    "TrustReport",
    "UnblockResult",
    "UndoResult",
    "UnloadFlags",
    "UnloadRefused",
    "UnloadReport",
    "Unreadable",
    "UnsetResult",
    "UsageError",
    "Verified",
    "VerifyOptions",
    "VerifyReport",
    "__version__",
    "new_key",
    "read_certificates",
    "read_module",
    "taint_of_mask",
    "taint_of_text",
    "try_on",
]

__version__ = "0.1.0"

# Where a name is found that is no error; PEP 562 imports it when it is first used, so that the command starts fast.
_HOMES = {
    "AllowOnly": "lkm.actions.blocking.allow_only",
    "Attention": "lkm.actions.status.parts",
    "BlockResult": "lkm.actions.blocking.block",
    "BlockedModule": "lkm.actions.blocking.listing",
    "BootAddResult": "lkm.actions.boot.changing",
    "BootEntry": "lkm.actions.boot.listing",
    "BootList": "lkm.actions.boot.listing",
    "BootRemoveResult": "lkm.actions.boot.changing",
    "Candidate": "lkm.rules.resolving",
    "ChangeOutcome": "lkm.actions.changes.applying",
    "CheckOptions": "lkm.actions.checking.options",
    "CheckResult": "lkm.actions.checking.results",
    "Claim": "lkm.actions.finding.devices",
    "Claims": "lkm.actions.finding.devices",
    "Configuration": "lkm.system.configuration",
    "Configured": "lkm.actions.parameters.facts",
    "Demands": "lkm.actions.lockdown.report",
    "Dependency": "lkm.actions.dependencies",
    "Description": "lkm.actions.describe",
    "Diagnosed": "lkm.actions.diagnosing.diagnose",
    "DiagnosisReport": "lkm.actions.diagnosing.diagnose",
    "Drift": "lkm.actions.initramfs_drift",
    "DriftKind": "lkm.actions.initramfs_drift",
    "DriftedFile": "lkm.actions.initramfs_drift",
    "Edge": "lkm.actions.dependencies",
    "Effect": "lkm.rules.effective_lines",
    "EffectiveLine": "lkm.rules.effective_lines",
    "Explanation": "lkm.actions.explaining.story",
    "Fact": "lkm.actions.status.parts",
    "Fate": "lkm.actions.boot.resolving",
    "FileChange": "lkm.system.journal",
    "Finding": "lkm.rules.upgrade",
    "FirmwareList": "lkm.actions.trusted_keys.results",
    "Found": "lkm.actions.finding.find",
    "Health": "lkm.actions.library.health",
    "History": "lkm.actions.changes.undoing",
    "HistoryEntry": "lkm.actions.changes.undoing",
    "IndexResult": "lkm.actions.indexing.request",
    "Kernel": "lkm.kernels.base",
    "KeyKind": "lkm.actions.signing.new_key",
    "Keyring": "lkm.system.trust_store",
    "KeyringReport": "lkm.actions.trusted_keys.results",
    "Level": "lkm.actions.status.parts",
    "ListedKey": "lkm.actions.trusted_keys.results",
    "LoadFlags": "lkm.kernels.base",
    "LoadPlan": "lkm.rules.planning.load",
    "LoadReport": "lkm.actions.load",
    "LoadedModule": "lkm.formats.proc_modules",
    "Lockdown": "lkm.rules.signatures.policy",
    "LockdownReport": "lkm.actions.lockdown.report",
    "Manner": "lkm.actions.parameters.setting",
    "ModuleFile": "lkm.system.module_file",
    "ModuleImage": "lkm.formats.module_image",
    "ModuleTree": "lkm.system.module_tree",
    "MokStatus": "lkm.actions.mok.status",
    "MokTest": "lkm.actions.mok.places",
    "NewKey": "lkm.actions.signing.new_key",
    "Observation": "lkm.actions.trying.trying",
    "OldSignature": "lkm.actions.signing.treatment",
    "ParameterFacts": "lkm.actions.parameters.facts",
    "ParameterValue": "lkm.actions.parameter_words",
    "Preflight": "lkm.actions.preflight",
    "Product": "lkm.actions.signing.treatment",
    "Route": "lkm.actions.blocking.routes",
    "SecureBoot": "lkm.rules.signatures.secure_boot",
    "SetResult": "lkm.actions.parameters.setting",
    "Settings": "lkm.actions.library.settings",
    "SignOutcome": "lkm.actions.signing.results",
    "SignReport": "lkm.actions.signing.sign",
    "SignRequest": "lkm.actions.signing.sign",
    "SignatureAnswer": "lkm.rules.signatures.answer",
    "SignedFile": "lkm.actions.signing.results",
    "Status": "lkm.actions.status.report",
    "Story": "lkm.actions.explaining.story",
    "System": "lkm.actions.system",
    "TaintFlag": "lkm.rules.taint_flags",
    "TaintReport": "lkm.actions.tainting",
    "TaintedModule": "lkm.actions.tainting",
    "Trial": "lkm.actions.trying.trying",
    "Trust": "lkm.actions.library.trust",
    "TrustOptions": "lkm.actions.trusted_keys.results",
    "TrustReport": "lkm.actions.trusted_keys.results",
    "UnblockResult": "lkm.actions.blocking.block",
    "UndoResult": "lkm.actions.changes.undoing",
    "UnloadFlags": "lkm.kernels.base",
    "UnloadReport": "lkm.actions.unload",
    "UnsetResult": "lkm.actions.parameters.unsetting",
    "Verified": "lkm.actions.verifying.verify",
    "VerifyOptions": "lkm.actions.verifying.options",
    "VerifyReport": "lkm.actions.verifying.verify",
    "new_key": "lkm.actions.signing.new_key",
    "read_certificates": "lkm.actions.library.files",
    "read_module": "lkm.actions.library.files",
    "taint_of_mask": "lkm.actions.tainting",
    "taint_of_text": "lkm.actions.tainting",
    "try_on": "lkm.actions.library.machines",
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
