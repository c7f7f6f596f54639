"""Resolving a module's symbols against the kernel and its modules (kernel/module/main.c, version.c)."""

import errno

from lkm.formats.elf.constants import Machine, SectionIndex, SymbolBinding
from lkm.formats.elf.reader import Symbol
from lkm.formats.ksymtab import Export
from lkm.rules.loading.attempt import Attempt, ModuleRecord, Refusal
from lkm.rules.taint import Taint

__all__ = ["check_duplicate_exports", "check_export_versions", "resolve_symbols", "version_agrees"]

_NOT_FOUND = errno.ENOENT
_IGNORE_GOT = frozenset({Machine.I386, Machine.X86_64})  # kernel/module/main.c ignore_undef_symbol


def version_agrees(attempt: Attempt, symbol: str, crc: int | None) -> bool:
    """``check_version``: compare the module's CRC of a symbol with the exporter's.

    :param crc: the exporter's; None where it gives none, which passes
    """
    if not attempt.profile.has("MODVERSIONS") or crc is None:
        return True
    name = attempt.info_name
    versions = attempt.versions
    if attempt.extended_versions is not None:
        known = attempt.extended_versions.get(symbol)
        if known is None:
            attempt.say_once("extended version", f"{name}: no extended symbol version for {symbol}")
            return True
    elif versions is None:
        return attempt.force(symbol) is None
    else:
        known = versions.get(symbol)
    if known == crc:
        return True
    if known is None:
        attempt.say(f"{name}: no symbol version for {symbol}")
    else:
        attempt.say(f"{name}: disagrees about version of symbol {symbol}")
    return False


def check_export_versions(attempt: Attempt) -> Refusal | None:
    """Take a table of exports without CRCs as a forced load where the kernel wants versions."""
    if attempt.profile.has("MODVERSIONS") and any(export.crc is None for export in attempt.image.exports):
        return attempt.force("no versions for exported symbols")
    return None


def resolve_symbols(attempt: Attempt) -> Refusal | None:
    """``simplify_symbols``: every symbol is looked at, and the last failure gives the errno."""
    last: int | None = None
    for symbol in attempt.image.elf.symbols[1:]:
        failure = _place(attempt, symbol)
        if failure:
            last = failure
    return Refusal(last) if last else None


def _place(attempt: Attempt, symbol: Symbol) -> int | None:
    """Give the errno of a symbol that can't be placed."""
    name = attempt.name
    if symbol.section == SectionIndex.COMMON:
        if symbol.name.startswith("__gnu_lto"):
            return None
        attempt.say(f"{name}: please compile with -fno-common")
        return errno.ENOEXEC
    if symbol.section in {SectionIndex.ABS, SectionIndex.LIVEPATCH}:
        return None
    if symbol.section != SectionIndex.UNDEF:
        return _in_section(attempt, symbol)
    failure = _resolve(attempt, symbol.name)
    ignored = symbol.name == "_GLOBAL_OFFSET_TABLE_" and attempt.profile.machine in _IGNORE_GOT
    weak = symbol.binding == SymbolBinding.WEAK or ignored
    if failure is None or (failure == _NOT_FOUND and weak):
        return None
    attempt.say(f"{name}: Unknown symbol {symbol.name} (err -{failure})")
    return failure


def _in_section(attempt: Attempt, symbol: Symbol) -> int | None:
    # The kernel knows no extended table of section numbers.
    index = SectionIndex.XINDEX.value if symbol.extended else symbol.section
    count = len(attempt.image.elf.sections)
    if index < count:
        return None
    attempt.say(f"{attempt.name}: Symbol {symbol.name} has an invalid section index {index} (max {count - 1})")
    return errno.ENOEXEC


def _resolve(attempt: Attempt, symbol: str) -> int | None:
    """``resolve_symbol``: find the exporter, then licence, version, namespace."""
    found = _find(attempt, symbol)
    if found is None:
        return _NOT_FOUND
    export, owner = found
    if export.gpl_only:
        attempt.uses_gpl_only = True
    if not _inherit_taint(attempt, owner, symbol):
        return _NOT_FOUND
    if not version_agrees(attempt, symbol, export.crc):
        return errno.EINVAL
    if not _namespace_imported(attempt, export):
        return errno.EINVAL
    if owner and owner.name not in attempt.uses:
        attempt.uses.append(owner.name)
    return None


def _find(attempt: Attempt, symbol: str) -> tuple[Export, ModuleRecord | None] | None:
    """``find_symbol``: the kernel image first, then the modules; GPL-only symbols not for proprietary modules."""
    gpl_ok = not attempt.taints & Taint.PROPRIETARY_MODULE
    export = attempt.profile.exports.get(symbol)
    if export and (gpl_ok or not export.gpl_only):
        return export, None
    return next((found for found in attempt.offers.get(symbol, ()) if gpl_ok or not found[0].gpl_only), None)


def _inherit_taint(attempt: Attempt, owner: ModuleRecord | None, symbol: str) -> bool:
    if owner is None or not owner.taints & Taint.PROPRIETARY_MODULE:
        return True
    text = f"uses symbols {symbol} from proprietary module {owner.name}"
    if attempt.uses_gpl_only:
        attempt.say(f"{attempt.name}: module using GPL-only symbols {text}.")
        return False
    if not attempt.taints & Taint.PROPRIETARY_MODULE:
        attempt.say(f"{attempt.name}: module {text}, inheriting taint.")
        attempt.taints |= Taint.PROPRIETARY_MODULE
    return True


def _namespace_imported(attempt: Attempt, export: Export) -> bool:
    if not export.namespace or export.namespace in attempt.modinfo.all("import_ns"):
        return True
    attempt.say(
        f"{attempt.name}: module uses symbol ({export.name}) from namespace {export.namespace}, but does not import it."
    )
    return attempt.profile.has("MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS")


def check_duplicate_exports(attempt: Attempt) -> Refusal | None:
    """``verify_exported_symbols``: nobody else may export the same name."""
    for export in attempt.image.exports:
        owner = _owner(attempt, export.name)
        if owner is not None:
            attempt.say(f"{attempt.name}: exports duplicate symbol {export.name} (owned by {owner})")
            return Refusal(errno.ENOEXEC)
    return None


def _owner(attempt: Attempt, symbol: str) -> str | None:
    if symbol in attempt.profile.exports:
        return "kernel"
    offers = attempt.offers.get(symbol)
    return offers[0][1].name if offers else None
