"""The stages come in the kernel's order: of two things that are wrong, the one that it meets first decides."""

from dataclasses import replace

import pytest
from tests.support.loader import MODERN, PROFILE, answer, configured, export, needs, recipe

from lkm.formats.elf.constants import SectionFlag
from lkm.formats.elf.reader import Elf
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.rules.loading.attempt import KernelState, ModuleRecord
from lkm.rules.signatures.check import UNSIGNED
from lkm.system.kernel_profile import KernelProfile

# In this order, each one is wrong alone and together with all that follow.
FAULTS = (
    "permission",
    "signature",
    "elf",
    "blacklist",
    "struct version",
    "vermagic",
    "section flags",
    "duplicate",
    "symbols",
    "duplicate exports",
    "built-in name",
)


def _faulty(faults: tuple[str, ...]) -> ModuleRecipe:
    made = recipe(vermagic="other") if "vermagic" in faults else recipe()
    if "struct version" in faults:
        made = replace(made, layout_crc=1)
    if "symbols" in faults:
        made = replace(made, imports=needs("nobody"))
    if "duplicate exports" in faults:
        made = replace(made, exports=(export("_printk"),))
    return made


def _contents(faults: tuple[str, ...]) -> bytes:
    data = bytearray(write(_faulty(faults)))
    elf = Elf(bytes(data))
    if "section flags" in faults:
        text = elf.section_index(".text") or 0
        data[elf.header.shoff + 64 * text + 8] |= SectionFlag.WRITE | SectionFlag.EXECINSTR
    if "elf" in faults:
        data[16] = 2
    return bytes(data)


def _stage(faults: tuple[str, ...], profile: KernelProfile) -> str:
    words = ["module_blacklist=mod" * ("blacklist" in faults), "module.sig_enforce" * ("signature" in faults)]
    words.append("nomodule" * ("permission" in faults))
    state = KernelState(
        modules=(ModuleRecord("mod"),) if "duplicate" in faults else (),
        command_line=" ".join(words),
    )
    if "built-in name" in faults:
        profile = replace(profile, visible_builtins=frozenset({"mod"}))
    return answer(_contents(faults), state=state, profile=profile, signature=UNSIGNED).stage


@pytest.mark.parametrize("profile", [PROFILE, MODERN], ids=["6.1", "6.18"])
def test_the_first_fault_decides(profile: KernelProfile) -> None:
    faults: tuple[str, ...] = FAULTS
    if profile is MODERN:  # there, what is a duplicate is noticed before its sections are looked at
        at = faults.index("section flags")
        faults = (*faults[:at], "duplicate", "section flags", *faults[at + 2 :])
    for number, fault in enumerate(faults):
        assert _stage(faults[number:], profile) == fault
        assert _stage((fault,), profile) == fault
    assert _stage((), profile) == ""


def test_signatures_come_before_the_module_is_even_looked_at() -> None:
    enforced = answer(b"nothing", signature=UNSIGNED, command_line="module.sig_enforce")
    assert enforced.stage == "signature"


def test_what_no_rule_foresees_is_said() -> None:
    assert answer(recipe()).undecidable == ("what the module's init function returns",)
    assert answer(recipe(vermagic="other")).undecidable == ()
    assert answer(recipe(), profile=configured(MODULE_SIG=False)).loads
