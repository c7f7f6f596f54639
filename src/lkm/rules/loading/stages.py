"""The kernel's checks on a module in the kernel's order: a table of contents of ``load_module``."""

from collections.abc import Callable
from dataclasses import replace

from lkm.formats.elf.constants import SectionIndex
from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.loading.attempt import IGNORE_MODVERSIONS, Attempt, KernelState, ModuleRecord, Refusal, Request, Verdict
from lkm.rules.loading.elf import check_elf
from lkm.rules.loading.identity import (
    check_blacklist,
    check_builtin_name,
    check_duplicate,
    check_struct_version,
    check_vermagic,
)
from lkm.rules.loading.layout import core_size
from lkm.rules.loading.parameters import parse_parameters
from lkm.rules.loading.relocations import check_relocations
from lkm.rules.loading.sections import check_constructors, check_module_sections, check_section_flags
from lkm.rules.loading.signature import check_file, check_permission, check_signature
from lkm.rules.loading.symbols import check_duplicate_exports, check_export_versions, resolve_symbols
from lkm.rules.loading.taints import check_livepatch, taint_by_modinfo, taint_by_name, taint_by_signature
from lkm.rules.signature_policy import lockdown_of
from lkm.system.kernel_profile import KernelProfile
from lkm.system.kernel_traits import KernelTraits

__all__ = ["judge"]

Stage = Callable[[Attempt], Refusal | None]

_INIT = "what the module's init function returns"


def _stages(traits: KernelTraits) -> tuple[tuple[str, Stage], ...]:
    taints: tuple[str, Stage] = ("taints", taint_by_modinfo)
    flags: tuple[str, Stage] = ("section flags", check_section_flags)
    duplicate: tuple[str, Stage] = ("duplicate", check_duplicate)
    # Up to 6.1 the taints come in the middle of the checks, from 6.4 behind them.
    middle: tuple[tuple[str, Stage], ...]
    if traits.taints_before_duplicate_check:
        middle = (taints, flags, duplicate)
    else:
        middle = (("livepatch", check_livepatch), duplicate, flags, taints)
    return (
        ("permission", check_permission),
        ("file", check_file),
        ("signature", check_signature),
        ("elf", check_elf),
        ("sections", check_module_sections),
        ("blacklist", check_blacklist),
        ("struct version", check_struct_version),
        ("vermagic", check_vermagic),
        *middle,
        ("signature taint", taint_by_signature),
        ("constructors", check_constructors),
        ("name taint", taint_by_name),
        ("export versions", check_export_versions),
        ("symbols", resolve_symbols),
        ("relocations", check_relocations),
        ("duplicate exports", check_duplicate_exports),
        ("parameters", parse_parameters),
        ("built-in name", check_builtin_name),
    )


def judge(profile: KernelProfile, state: KernelState, request: Request) -> Verdict:
    """Say what a kernel does with a module.

    :param profile: the kernel
    :param state: what has happened to it so far
    :param request: the module and how it is handed over
    """
    cmdline = Cmdline(state.command_line)
    attempt = Attempt(request, profile, state, profile.traits, cmdline, lockdown_of(cmdline, profile))
    for name, stage in _stages(profile.traits):
        refusal = stage(attempt)
        if refusal:
            return Verdict(
                refusal.errno, name, tuple(attempt.log), attempt.state, undecidable=tuple(attempt.undecidable)
            )
    return _loaded(attempt)


def _loaded(attempt: Attempt) -> Verdict:
    image = attempt.image
    names = {symbol.name for symbol in image.elf.symbols if symbol.section != SectionIndex.UNDEF}
    defaults = {
        parameter.name: attempt.parameters.get(parameter.name, "")
        for parameter in image.parameters
        if parameter.permissions
    }
    record = ModuleRecord(
        name=attempt.name,
        size=core_size(image, keeps_versions=attempt.has_flag(IGNORE_MODVERSIONS)),
        exports=image.exports,
        uses=tuple(attempt.uses),
        taints=attempt.taints,
        parameters=tuple(defaults.items()),
        has_init="init_module" in names,
        has_exit="cleanup_module" in names,
    )
    state = attempt.state
    after = replace(state, modules=(record, *state.modules))
    return Verdict(0, "", tuple(attempt.log), after, record, (*attempt.undecidable, _INIT))
