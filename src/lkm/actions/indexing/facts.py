"""The facts of a tree's files: those that are known from the last run, and those that are read now."""

from collections.abc import Sequence

from lkm.actions.indexing.inputs import Identity
from lkm.formats.module_facts import ModuleFacts, ModuleSymbols, ModuleTexts
from lkm.system.facts_cache import NO_FACTS, FactsCache
from lkm.system.facts_gathering import gather
from lkm.system.module_walk import FoundFile

__all__ = ["TreeFacts"]

_FEW = 256  # one file of so many


class TreeFacts:
    """The facts of files, by their numbers; what is known is unpacked only by the process that needs it.

    :param cache: of the last run, and for the next one
    :ivar read: how many had to be read
    """

    def __init__(self, files: Sequence[FoundFile], identities: Sequence[Identity], cache: FactsCache | None) -> None:
        self._identities, self._cache = identities, cache
        self._kept = cache.facts if cache else NO_FACTS
        self._places = [self._kept.places.get(one.key) for one in identities]
        missing = [number for number, place in enumerate(self._places) if place is None]
        facts = gather([(files[number].host, identities[number].size) for number in missing])
        self._fresh = dict(zip(missing, facts, strict=True))
        self.read = len(missing)

    def texts(self) -> list[ModuleTexts]:
        """Give what the files say about themselves."""
        kept = self._kept.texts.unpack()
        places = enumerate(self._places)
        return [self._fresh[number].texts if place is None else kept[place] for number, place in places]

    def symbols(self) -> list[ModuleSymbols]:
        """Give what the files link with."""
        kept = self._kept.symbols.unpack()
        places = enumerate(self._places)
        return [self._fresh[number].symbols if place is None else kept[place] for number, place in places]

    def keep(self) -> None:
        """Keep the facts where that says something new; not of files that may change unseen, or could not be read.

        Of few files among many nothing is kept: to read them again is cheaper than to write all facts anew.
        """
        if not self._cache or 0 < self.read * _FEW < len(self._places):
            return
        lasting = [
            number
            for number, identity in enumerate(self._identities)
            if identity.is_settled and not (number in self._fresh and self._fresh[number].symbols.damage)
        ]
        if self.read or len(lasting) != len(self._kept.places):
            texts, symbols = self.texts(), self.symbols()
            keys = [self._identities[number].key for number in lasting]
            self._cache.store_facts(keys, [ModuleFacts(texts[number], symbols[number]) for number in lasting])
