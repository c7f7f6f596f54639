"""Who offers the symbols that a module asks for, or offers itself."""

from collections.abc import Iterable, Mapping

from lkm.formats.ksymtab import Export
from lkm.rules.loading.state import ModuleRecord

__all__ = ["Offer", "offers"]

Offer = tuple[Export, ModuleRecord]


def offers(modules: Iterable[ModuleRecord], names: set[str]) -> Mapping[str, list[Offer]]:
    """Find what modules export of some names.

    A kernel has hundreds of modules, and one more asks for a few names that the kernel itself does not have: so the
    names are held against what each exports, and no table of all exports is made.

    :param modules: newest first, in which order they are searched (kernel/module/main.c ``find_symbol``)
    :returns: for each name that somebody exports, the offers in that order
    """
    found: dict[str, list[Offer]] = {}
    for owner in modules:
        if owner.exports and not names.isdisjoint(owner.by_name):
            for name in names & owner.by_name.keys():
                found.setdefault(name, []).append((owner.by_name[name], owner))
    return found
