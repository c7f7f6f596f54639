"""A kernel, modules for it, and what it answers: for tests of the loader's rules."""

from dataclasses import replace

from lkm.formats.elf.constants import Machine
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.symbol_versions import Import
from lkm.rules.loading.attempt import KernelState, Request, Verdict
from lkm.rules.loading.stages import judge
from lkm.rules.signatures.check import SignatureFinding
from lkm.rules.signatures.policy import SignatureState
from lkm.system.kernel_profile import KernelProfile

__all__ = [
    "CONFIG",
    "JOINT",
    "LAYOUT_CRC",
    "MODERN",
    "NEWEST",
    "OLD",
    "PROFILE",
    "TRUSTED",
    "VERMAGIC",
    "answer",
    "configured",
    "export",
    "needs",
    "recipe",
]

VERMAGIC = "6.1.0-test SMP preempt mod_unload modversions "
LAYOUT_CRC = 0x11223344
CONFIG = dict.fromkeys(
    (
        "MODULES",
        "MODULE_FORCE_LOAD",
        "MODULE_FORCE_UNLOAD",
        "MODULE_UNLOAD",
        "MODVERSIONS",
        "MODULE_SIG",
        "STRICT_MODULE_RWX",
        "LIVEPATCH",
        "DYNAMIC_DEBUG",
    ),
    "y",
)


def export(name: str, crc: int | None = 0x77, *, gpl_only: bool = False, namespace: str | None = None) -> Export:
    """Make an export."""
    return Export(name, crc, gpl_only, namespace)


_EXPORTS = (
    export("module_layout", LAYOUT_CRC),
    export("_printk", 0xAB),
    export("gpl_symbol", 0xAC, gpl_only=True),
    export("spaced", 0xAD, namespace="SPACE"),
    export("without_crc", None),
)

PROFILE = KernelProfile(
    release="6.1.0-test",
    machine=Machine.X86_64,
    vermagic=VERMAGIC,
    struct_module_size=0x380,
    exports={found.name: found for found in _EXPORTS},
    config=CONFIG,
)
"""A kernel 6.1 that looks at symbol versions and signatures, and enforces none."""

MODERN = replace(PROFILE, release="6.18.0-test")
"""The same, as of a version that taints late and knows the extended symbol versions."""

OLD = replace(PROFILE, release="5.10.0-test")
"""The same, as of a version with one line for all faults of the file."""

JOINT = replace(PROFILE, release="6.12.0-test")
"""The same, as of a version that checks the file and finds its sections in one go."""

NEWEST = replace(PROFILE, release="7.2.0-test")
"""The same, as of a version with flags beside the exports."""

TRUSTED = SignatureFinding(SignatureState.TRUSTED)


def configured(profile: KernelProfile = PROFILE, **options: bool) -> KernelProfile:
    """Turn options of the configuration on or off."""
    config = {**profile.config, **dict.fromkeys(options, "y")}
    return replace(profile, config={name: value for name, value in config.items() if options.get(name, True)})


def needs(*names: str, crc: int | None = None, weak: bool = False) -> tuple[Import, ...]:
    """Make imports, with the kernel's own CRCs where none is given."""
    own = {found.name: found.crc for found in _EXPORTS}
    return tuple(Import(name, weak, own.get(name, 0x77) if crc is None else crc) for name in names)


def recipe(
    name: str = "mod",
    *,
    licence: str = "GPL",
    vermagic: str = VERMAGIC,
    intree: bool = True,
    extra: tuple[tuple[str, str], ...] = (),
    without: tuple[str, ...] = (),
    imports: tuple[Import, ...] = (),
    exports: tuple[Export, ...] = (),
) -> ModuleRecipe:
    """Make the recipe of a module that loads without a word, but for what is asked for.

    :param extra: more entries of .modinfo
    :param without: keys of .modinfo to leave out
    """
    usual = usual_modinfo(name, vermagic, licence=licence, intree=intree)
    info = tuple(entry for entry in usual if entry[0] not in without)
    return ModuleRecipe(name, (*info, *extra), imports=imports, exports=exports, layout_crc=LAYOUT_CRC)


def answer(
    module: bytes | ModuleRecipe,
    parameters: str = "",
    *,
    profile: KernelProfile = PROFILE,
    state: KernelState | None = None,
    command_line: str = "",
    flags: int = 0,
    signature: SignatureFinding | None = TRUSTED,
    privileged: bool = True,
) -> Verdict:
    """Ask what the kernel answers."""
    contents = module if isinstance(module, bytes) else write(module)
    request = Request(contents, parameters, flags, signature, privileged)
    return judge(profile, state or KernelState(command_line=command_line), request)
