"""The kernel's checks on a module in the kernel's order: a table of contents of ``load_module``."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from lkm.rules.loading.attempt import Attempt, KernelState, ModuleRecord, Refusal, Request, Verdict
from lkm.rules.loading.elf import check_contents, check_elf, check_module_sections
from lkm.rules.loading.identity import (
    check_blacklist,
    check_builtin_name,
    check_duplicate,
    check_struct_version,
    check_vermagic,
)
from lkm.rules.loading.layout import core_size
from lkm.rules.loading.namespaces import check_imported_namespaces
from lkm.rules.loading.parameters import parse_parameters
from lkm.rules.loading.percpu import check_percpu
from lkm.rules.loading.relocations import check_architecture, check_relocations, finish_architecture
from lkm.rules.loading.sections import (
    check_constructors,
    check_export_flags,
    check_section_flags,
    check_section_names,
)
from lkm.rules.loading.signature import check_file, check_flags, check_permission, check_signature
from lkm.rules.loading.state import read_cmdline
from lkm.rules.loading.symbols import check_duplicate_exports, resolve_symbols
from lkm.rules.loading.taints import check_livepatch, taint_by_modinfo, taint_by_name, taint_by_signature
from lkm.rules.loading.unpacking import unpack
from lkm.rules.loading.versions import check_export_versions
from lkm.rules.taint import Taint
from lkm.system.kernel_profile import KernelProfile
from lkm.system.kernel_traits import KernelTraits

__all__ = ["judge"]

Stage = Callable[[Attempt], Refusal | None]
_Named = tuple[str, Stage]

_INIT = "init_module"


def _stages(traits: KernelTraits) -> tuple[_Named, ...]:
    return _order(taints_first=traits.taints_before_duplicate_check)


@cache
def _order(*, taints_first: bool) -> tuple[_Named, ...]:
    taints: _Named = ("taints", taint_by_modinfo)
    layout: tuple[_Named, ...] = (("architecture", check_architecture), ("section flags", check_section_flags))
    duplicate: _Named = ("duplicate", check_duplicate)
    by_signature: _Named = ("signature taint", taint_by_signature)
    by_name: _Named = ("name taint", taint_by_name)
    memory: tuple[_Named, ...] = (("per-CPU memory", check_percpu), ("constructors", check_constructors))
    # Up to 6.3 the taints come here and there between the checks, from 6.4 all of them behind the first.
    if taints_first:
        middle = (taints, *layout, duplicate, by_signature, *memory, by_name)
    else:
        middle = (("livepatch", check_livepatch), duplicate, *layout, taints, by_signature, by_name, *memory)
    return (*_EARLY, *middle, *_LATE)


_EARLY: tuple[_Named, ...] = (
    ("permission", check_permission),
    ("flags", check_flags),
    ("file", check_file),
    ("compression", unpack),
    ("signature", check_signature),
    ("elf", check_elf),
    ("sections", check_module_sections),
    ("contents", check_contents),
    ("blacklist", check_blacklist),
    ("struct version", check_struct_version),
    ("vermagic", check_vermagic),
)
_LATE: tuple[_Named, ...] = (
    ("export flags", check_export_flags),
    ("export versions", check_export_versions),
    ("imported namespaces", check_imported_namespaces),
    ("symbols", resolve_symbols),
    ("relocations", check_relocations),
    ("architecture", finish_architecture),
    ("duplicate exports", check_duplicate_exports),
    ("parameters", parse_parameters),
    ("built-in name", check_builtin_name),
    ("section names", check_section_names),
)


def judge(profile: KernelProfile, state: KernelState, request: Request) -> Verdict:
    """Say what a kernel does with a module.

    :param profile: the kernel
    :param state: what has happened to it so far
    :param request: the module and how it is handed over
    """
    cmdline = read_cmdline(state.command_line)
    traits = profile.traits
    attempt = Attempt(request, profile, state, traits, cmdline, state.lockdown_of(profile))
    for name, stage in _stages(traits):
        refusal = stage(attempt)
        if refusal:
            return Verdict(
                refusal.errno,
                name,
                tuple(attempt.log),
                attempt.state,
                undecidable=tuple(dict.fromkeys(attempt.undecidable)),
            )
    return _loaded(attempt)


def _loaded(attempt: Attempt) -> Verdict:
    functions = attempt.own_functions
    shown = {
        parameter.name: attempt.parameters.get(parameter.name, "")
        for parameter in attempt.declared
        if parameter.permissions
    }
    record = ModuleRecord(
        name=attempt.name,
        size=core_size(attempt) if attempt.request.measured else 0,
        exports=attempt.exports,
        uses=tuple(attempt.uses),
        taints=attempt.taints,
        parameters=tuple(shown.items()),
        has_init=_INIT in functions,
        has_exit="cleanup_module" in functions,
    )
    after = replace(attempt.state, modules=(record, *attempt.state.modules))
    return Verdict(0, "", tuple(attempt.log), after, record, _open_questions(attempt, has_init=record.has_init))


def _open_questions(attempt: Attempt, *, has_init: bool) -> tuple[str, ...]:
    """Tell what no rule can foresee about a module that no rule refuses."""
    questions = dict.fromkeys(attempt.undecidable)
    size = attempt.headers.sections[attempt.percpu].size if attempt.percpu else 0
    if size:
        questions[f"whether {size} bytes of per-CPU memory are free"] = None
    if attempt.taints & Taint.LIVEPATCH:
        questions["whether the live patch fits the code that runs"] = None
    if has_init:
        questions["what the module's init function returns"] = None
    return tuple(questions)
