"""Resolving a module's symbols against the kernel and its modules (kernel/module/main.c, 5.10 to 7.2)."""

import errno

from lkm.formats.elf.constants import Machine, SectionIndex
from lkm.formats.ksymtab import Export
from lkm.rules.loading.attempt import Attempt, ModuleRecord, Refusal
from lkm.rules.loading.exporters import offers
from lkm.rules.loading.namespaces import is_open
from lkm.rules.loading.symbol_list import is_weak
from lkm.rules.loading.versions import stated_versions, version_agrees
from lkm.rules.taint import Taint

__all__ = ["check_duplicate_exports", "resolve_symbols"]

_NOT_FOUND = errno.ENOENT
_IGNORE_GOT = frozenset({Machine.I386.value, Machine.X86_64.value})  # kernel/module/main.c ignore_undef_symbol
_UNDEF = SectionIndex.UNDEF.value
_COMMON = SectionIndex.COMMON.value
_PROPRIETARY = Taint.PROPRIETARY_MODULE.value


def resolve_symbols(attempt: Attempt) -> Refusal | None:
    """``simplify_symbols``: every symbol is looked at, and the last failure gives the errno."""
    last: int | None = None
    names, sections, infos = attempt.symbols.telling
    found = list(map(attempt.profile.exports.get, names))
    elsewhere = {name for name, export in zip(names, found, strict=True) if export is None}
    attempt.offers = offers(attempt.state.modules, elsewhere) if elsewhere else {}
    stated = map((stated_versions(attempt) or {}).get, names)
    for name, section, info, export, crc in zip(names, sections, infos, found, stated, strict=True):
        if section == _UNDEF:
            if _resolves_plainly(attempt, name, export, crc):
                continue
            failure = _undefined(attempt, name, info)
        else:
            failure = _misplaced(attempt, name, section)
        if failure:
            last = failure
    return Refusal(last) if last else None


def _resolves_plainly(attempt: Attempt, name: str, export: Export | None, stated_crc: int | None) -> bool:
    """Resolve a symbol of which nothing more need be asked, as nearly all are; leave the others as they are.

    :param export: the kernel image's
    """
    owner = None
    if export is None:
        if name not in attempt.offers:
            return False
        export, owner = attempt.offers[name][0]
        if owner.taints & _PROPRIETARY:
            return False
    _, crc, gpl_only, namespace = export
    if namespace or (gpl_only and attempt.taints & _PROPRIETARY) or (crc is not None and crc != stated_crc):
        return False
    attempt.uses_gpl_only = attempt.uses_gpl_only or gpl_only
    if owner is not None and owner.name not in attempt.uses:
        attempt.uses.append(owner.name)
    return True


def _misplaced(attempt: Attempt, name: str, section: int) -> int | None:
    """Give the errno of a symbol that is in none of the sections."""
    if section == _COMMON:
        if name.startswith("__gnu_lto"):
            return None
        attempt.say(f"{attempt.name}: please compile with -fno-common")
        return errno.ENOEXEC
    if not attempt.traits.checks_symbol_sections:
        attempt.undecidable.append(f"where {name} is: it is in section {section}, which does not exist")
        return None
    last = len(attempt.headers.sections) - 1
    attempt.say(f"{attempt.name}: Symbol {name} has an invalid section index {section} (max {last})")
    return errno.ENOEXEC


def _undefined(attempt: Attempt, name: str, info: int) -> int | None:
    """Give the errno of a symbol that nobody gives to this module."""
    failure = _resolve(attempt, name)
    if failure is None:
        return None
    ignored = name == "_GLOBAL_OFFSET_TABLE_" and attempt.profile.machine in _IGNORE_GOT
    if failure == _NOT_FOUND and (ignored or is_weak(info)):
        return None
    attempt.say(f"{attempt.name}: Unknown symbol {name} (err -{failure})")
    return failure


def _resolve(attempt: Attempt, symbol: str) -> int | None:
    """``resolve_symbol``: find the exporter, then licence, version, namespace."""
    found = _find(attempt, symbol)
    if found is None:
        return _NOT_FOUND
    export, owner = found
    if export.gpl_only:
        attempt.uses_gpl_only = True
    if owner is not None and not _inherit_taint(attempt, owner, symbol):
        return _NOT_FOUND
    if not version_agrees(attempt, symbol, export.crc):
        return errno.EINVAL
    if export.namespace and not is_open(attempt, export):
        return errno.EINVAL
    if owner is not None and owner.name not in attempt.uses:
        attempt.uses.append(owner.name)
    return None


def _find(attempt: Attempt, symbol: str) -> tuple[Export, ModuleRecord | None] | None:
    """``find_symbol``: the kernel image first, then the modules; GPL-only symbols not for proprietary modules."""
    gpl_ok = not attempt.taints & _PROPRIETARY
    export = attempt.profile.exports.get(symbol)
    if export is None:
        found = attempt.offers.get(symbol, ())
    elif gpl_ok or not export.gpl_only:
        return export, None
    else:
        found = offers(attempt.state.modules, {symbol}).get(symbol, ())
    return next((offer for offer in found if gpl_ok or not offer[0].gpl_only), None)


def _inherit_taint(attempt: Attempt, owner: ModuleRecord, symbol: str) -> bool:
    """``inherit_taint``: what uses a proprietary module is no better."""
    if not owner.taints & _PROPRIETARY:
        return True
    shown = f"symbols {symbol}" if attempt.traits.names_inherited_symbol else "symbols"
    text = f"uses {shown} from proprietary module {owner.name}"
    if attempt.uses_gpl_only:
        attempt.say(f"{attempt.name}: module using GPL-only symbols {text}.")
        return False
    if not attempt.taints & _PROPRIETARY:
        attempt.say(f"{attempt.name}: module {text}, inheriting taint.")
        attempt.taints |= _PROPRIETARY
    return True


def check_duplicate_exports(attempt: Attempt) -> Refusal | None:
    """``verify_exported_symbols``: nobody else may export the same name."""
    if not attempt.exports:
        return None
    own = offers(attempt.state.modules, {export.name for export in attempt.exports})
    for export in attempt.exports:
        owner = "kernel" if export.name in attempt.profile.exports else None
        if owner is None and export.name in own:
            owner = own[export.name][0][1].name
        if owner is not None:
            attempt.say(f"{attempt.name}: exports duplicate symbol {export.name} (owned by {owner})")
            return Refusal(errno.ENOEXEC)
    return None
