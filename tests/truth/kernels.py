"""The kernels that the suite knows: where each comes from, and the few facts about it that a replay needs."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.other_kernels import debian_kernel

from lkm.errors import LkmError
from lkm.formats.ksymtab import Export
from lkm.formats.module_image import ModuleImage
from lkm.kernels.vm import images
from lkm.kernels.vm.images import Image
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

__all__ = ["KERNELS", "KernelFacts", "gathered", "image_of", "is_recorded", "known", "save", "tree_of"]

KERNELS = ("5.10", "6.1", "6.12", "7.2")
_SUITES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie", "7.2": "sid"}
_HOME = Path(__file__).with_name("kernels")
# What rules may ask for; the rest of a configuration is thousands of drivers.
_OPTIONS = re.compile(
    r"MODULE.*|.*MODVERSIONS|STRICT_.*|LIVEPATCH|.*RETPOLINE|.*SPECTRE.*|LOCK_DOWN.*|SECURITY_LOCKDOWN.*|DYNAMIC_DEBUG.*"
    r"|SYSTEM_.*|SECONDARY_.*|INTEGRITY_.*KEYRING|IMA_APPRAISE.*|IMA_ARCH_POLICY|CONSTRUCTORS|TRIM_.*|KALLSYMS.*|SMP"
    r"|PRINTK_CALLER|CRYPTO_(SHA|MD|SM3|RSA|ECDSA|RMD|STREEBOG).*|RANDSTRUCT.*|X86_KERNEL_IBT|FUNCTION_TRACER|PREEMPT.*"
)


@dataclass(frozen=True)
class KernelFacts:
    """What is needed to make modules for a kernel and to judge them.

    :param profile: with the exports that the cases use, or with all
    :param init_offset: where ``struct module`` has the pointer to its init function
    :param exit_offset: the same for the exit function
    :param flag_table: exports are flagged in ``__kflagstab``
    """

    profile: KernelProfile
    init_offset: int
    exit_offset: int
    flag_table: bool


def image_of(kernel: str) -> Image:
    """Give the kernel itself and its modules; what is not installed is fetched."""
    found = [image for image in images.installed() if image.release.startswith(f"{kernel}.")]
    return found[0] if found else debian_kernel(_SUITES[kernel])


@cache
def tree_of(kernel: str) -> ModuleTree:
    """Give the kernel's module tree."""
    image = image_of(kernel)
    home = image.modules.parent.parent  # …/lib, or …/usr/lib
    root = home.parent.parent if home.parent.name == "usr" else home.parent
    return ModuleTree(Root(str(root)) if str(root) != "/" else Root(), image.release)


@cache
def gathered(kernel: str) -> KernelFacts:
    """Find the facts in the kernel's packages."""
    tree = tree_of(kernel)
    sample = tree.module("nls_utf8")
    exporter = tree.module("fat")
    assert sample
    assert exporter
    offsets = _pointers(sample.image)
    flags = exporter.image.elf.section("__kflagstab") is not None
    return KernelFacts(gather(tree), offsets["init_module"], offsets["cleanup_module"], flags)


def _pointers(image: ModuleImage) -> dict[str, int]:
    """Find where struct module points to the functions."""
    section = image.elf.section(".gnu.linkonce.this_module")
    assert section
    names = [symbol.name for symbol in image.elf.symbols]
    return {names[entry.symbol]: entry.offset for entry in image.elf.relocations(section.index)}


def is_recorded(kernel: str) -> bool:
    """Tell whether the kernel at hand is the very one that was recorded: distributions replace theirs."""
    return known(kernel).profile.release == tree_of(kernel).release


def known(kernel: str) -> KernelFacts:
    """Read the facts as they were recorded: what made-up modules need."""
    return _from_json(json.loads((_HOME / f"{kernel}.json").read_text()))


def save(kernel: str, facts: KernelFacts, modules: Collection[bytes]) -> None:
    """Write the facts down, with the exports that some modules ask for or offer."""
    wanted = {"module_layout"}
    for contents in modules:
        try:
            image = ModuleImage(contents)
            wanted.update(symbol.name for symbol in image.imports)
            wanted.update(export.name for export in image.exports)
        except LkmError:
            continue
    _HOME.mkdir(exist_ok=True)
    lines = json.dumps(_to_json(facts, wanted), indent=0, ensure_ascii=True)
    (_HOME / f"{kernel}.json").write_text(lines + "\n")


def _to_json(facts: KernelFacts, wanted: Collection[str]) -> dict[str, Any]:
    profile = facts.profile
    return {
        "release": profile.release,
        "machine": profile.machine,
        "vermagic": profile.vermagic,
        "struct_module_size": profile.struct_module_size,
        "init_offset": facts.init_offset,
        "exit_offset": facts.exit_offset,
        "flag_table": facts.flag_table,
        "visible_builtins": " ".join(sorted(profile.visible_builtins)),
        "config": " ".join(
            f"{name}={value}" for name, value in sorted(profile.config.items()) if _OPTIONS.fullmatch(name)
        ),
        "exports": [
            f"{found.name} {'' if found.crc is None else f'{found.crc:#x}'} {found.gpl_only:d} {found.namespace or ''}"
            for found in sorted(profile.exports.values())
            if found.name in wanted
        ],
    }


def _from_json(plain: Mapping[str, Any]) -> KernelFacts:
    exports = [
        Export(name, int(crc, 16) if crc else None, gpl == "1", namespace or None)
        for name, crc, gpl, namespace in (row.split(" ") for row in plain["exports"])
    ]
    profile = KernelProfile(
        release=plain["release"],
        machine=plain["machine"],
        vermagic=plain["vermagic"],
        struct_module_size=plain["struct_module_size"],
        exports={found.name: found for found in exports},
        config=dict(entry.split("=", 1) for entry in plain["config"].split(" ")),
        certificates=(),
        visible_builtins=frozenset(plain["visible_builtins"].split(" ")),
    )
    return KernelFacts(profile, plain["init_offset"], plain["exit_offset"], plain["flag_table"])
