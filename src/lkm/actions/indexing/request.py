"""What is to be indexed and how, and what was done."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lkm.actions.indexing.files import BINARY, TEXTS
from lkm.formats.depmod_conf import DepmodConf
from lkm.rules.indexing.tree import IndexedTree, KernelSymbols
from lkm.system.module_walk import FoundFile
from lkm.system.notices import Notice
from lkm.system.root import Root

__all__ = ["IndexRequest", "IndexResult", "Say", "ignore"]

Say = Callable[[Notice], None]


def ignore(_: Notice) -> None:
    """Say nothing."""


class IndexRequest(NamedTuple):
    """What to index, and how.

    :param directory: the tree, inside the root
    :param shown: the same as messages name it
    :param configuration: what of depmod.d applies to the kernel
    :param output: the host's directory to write to; by default the tree's own
    :param files: index these, instead of what is in the tree
    :param kernel: the kernel's own symbols
    :param reports_unknown: say which symbols nothing offers (``-e``)
    :param prefix: of symbols (``-P``)
    :param warns_of_duplicates: say which rows come twice (``-w``)
    :param weakdeps: make modules.weakdep too, as kmod 33 and later do
    :param texts_only: write nothing, only give the texts (``-n``)
    :param use_cache: use the facts of the last run, and keep those of this one
    :param cache_root: the root that keeps the facts; by default the tree's
    :param say: is told what is wrong
    :param show: is told who needs whom (``-v``)
    """

    root: Root
    directory: str
    shown: str
    configuration: DepmodConf = DepmodConf()
    output: str | None = None
    files: Sequence[FoundFile] | None = None
    kernel: KernelSymbols | None = None
    reports_unknown: bool = False
    prefix: bytes = b""
    warns_of_duplicates: bool = False
    weakdeps: bool = False
    texts_only: bool = False
    use_cache: bool = True
    cache_root: Root | None = None
    say: Say = ignore
    show: Callable[[str], None] | None = None

    @property
    def target(self) -> str:
        """The host's directory to write to."""
        return self.output or self.root.host_path(self.directory)

    @property
    def names(self) -> tuple[str, ...]:
        """The files that are written."""
        return (*TEXTS, *BINARY, *(("modules.weakdep",) if self.weakdeps else ()))

    @property
    def asks_for_words(self) -> bool:
        """Something is to be told besides what is wrong."""
        return bool(self.texts_only or self.reports_unknown or self.warns_of_duplicates or self.show)


class IndexResult(NamedTuple):
    """What was done.

    :param modules: how many modules the tree has
    :param read: how many of them were read; the facts of the others were known
    :param files: what was written, or with ``texts_only`` would be: contents by name
    :param was_current: nothing had to be made anew
    :param tree: what was worked out; None where nothing had to be
    """

    modules: int
    read: int
    files: Mapping[str, bytes]
    was_current: bool = False
    tree: IndexedTree | None = None
