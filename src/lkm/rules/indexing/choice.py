"""Which file counts where several have the name of one module.

Facts: kmod 30, tools/depmod.c ``depmod_module_is_higher_priority``, kept with its oddities: of two files below one
search directory the one that is met later counts, elsewhere the one that is met first.
"""

from lkm.formats.depmod_conf import DepmodConf
from lkm.system.module_walk import FoundFile

__all__ = ["Preference"]


class Preference:
    """The order of preference that a configuration asks for.

    :param configuration: what applies to the kernel
    :param tree: the tree's directory as kmod names it
    """

    __slots__ = ("_externals", "_overrides", "_search", "_tree")

    def __init__(self, configuration: DepmodConf, tree: str) -> None:
        # kmod puts each in front of the ones before it.
        self._overrides = [f"{override.subdirectory}/{override.module}" for override in configuration.overrides[::-1]]
        self._search = list(configuration.search[::-1]) or ["updates"]
        self._externals = [external.directory for external in configuration.externals[::-1]]
        self._tree = tree

    def keeps(self, known: FoundFile, new: FoundFile) -> bool:
        """Tell whether a file that was met before goes on to count."""
        new_place, known_place = self._below_tree(new), self._below_tree(known)
        for override in self._overrides:
            if new_place == override:
                return False
            if known_place == override:
                return True
        return self._rank(new, known) <= 0

    def _rank(self, new: FoundFile, known: FoundFile) -> int:
        """Compare priorities: above 0 where the new file's is higher."""
        new_rank = known_rank = built_in = -1
        new_place, known_place = self._below_tree(new), self._below_tree(known)
        rank = 0
        for place in self._search:
            if place == "built-in":
                built_in = rank
            elif place == "external":
                for directory in self._externals:
                    if _without_extension(new).startswith(f"{directory}/"):
                        new_rank = rank
                    if _without_extension(known).startswith(f"{directory}/"):
                        known_rank = rank
                    rank += 1
            elif new_place.startswith(f"{place}/"):
                new_rank = rank
            elif known_place.startswith(f"{place}/"):  # not asked where the new one is there
                known_rank = rank
            rank += 1
        return (built_in if new_rank < 0 else new_rank) - (built_in if known_rank < 0 else known_rank)

    def _below_tree(self, found: FoundFile) -> str:
        """Give the path below the tree, without its extension; empty for a file that is elsewhere."""
        path = _without_extension(found)
        return path[len(self._tree) + 1 :] if path.startswith(self._tree) else ""


def _without_extension(found: FoundFile) -> str:
    return f"{found.directory}/{found.file[: len(found.name)]}"
