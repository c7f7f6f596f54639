"""Symbol versions: the CRCs that stand for the types behind a symbol (kernel/module/version.c)."""

from lkm.rules.loading.attempt import Attempt, Refusal

__all__ = ["check_export_versions", "stated_versions", "version_agrees"]

_TABLES = tuple((f"__ksymtab{kind}", f"__kcrctab{kind}") for kind in ("", "_gpl", "_gpl_future"))
_SMALLEST_ENTRY = 12  # struct kernel_symbol with relative references


def version_agrees(attempt: Attempt, symbol: str, crc: int | None) -> bool:
    """``check_version``: compare the module's CRC of a symbol with the exporter's.

    :param crc: the exporter's; None where it gives none, which passes
    """
    if crc is None or not attempt.profile.has("MODVERSIONS"):
        return True
    extended = attempt.extended_versions
    if extended is not None:
        known = extended.get(symbol)
        if known is None:
            attempt.say_once("extended version", f"{attempt.info_name}: no extended symbol version for {symbol}")
            return True
    elif attempt.versions is None:
        return attempt.force(symbol) is None
    else:
        known = attempt.versions.get(symbol)
    if known == crc:
        return True
    if known is None:
        attempt.say(f"{attempt.info_name}: no symbol version for {symbol}")
    else:
        attempt.say(f"{attempt.info_name}: disagrees about version of symbol {symbol}")
    return False


def stated_versions(attempt: Attempt) -> dict[str, int] | None:
    """Give the CRCs that :func:`version_agrees` compares with; None where there are none."""
    extended = attempt.extended_versions
    return attempt.versions if extended is None else extended


def check_export_versions(attempt: Attempt) -> Refusal | None:
    """Take a table of exports without CRCs as a forced load where the kernel wants versions."""
    if not attempt.profile.has("MODVERSIONS"):
        return None
    tables = _TABLES[:1] if attempt.traits.keeps_export_flags else _TABLES
    for symbols, crcs in tables:
        table = attempt.headers.in_memory(symbols)
        if table and attempt.headers.sections[table].size >= _SMALLEST_ENTRY and not attempt.has_section(crcs):
            return attempt.force("no versions for exported symbols")
    return None
