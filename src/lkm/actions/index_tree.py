"""Indexing a module tree as its own root says: with its depmod.d, and with what is known from the last time."""

from typing import TYPE_CHECKING

from lkm.actions.index import IndexRequest, IndexResult, index, require_sound
from lkm.system.depmod_configuration import read_depmod_d

if TYPE_CHECKING:
    from collections.abc import Callable

    from lkm.system.module_tree import ModuleTree
    from lkm.system.notices import Notice

__all__ = ["index_tree"]


def index_tree(
    tree: "ModuleTree",
    *,
    dry_run: bool = False,
    use_cache: bool = True,
    say: "Callable[[Notice], None]" = lambda _: None,
) -> IndexResult:
    """Write all indexes of a tree.

    :param dry_run: write nothing
    :param use_cache: read only the modules that changed since the last time
    :param say: is told what is wrong
    :raises Loop: modules need each other
    :raises OSError: they can't be written
    """
    request = IndexRequest(
        tree.root,
        tree.directory,
        tree.display_directory,
        configuration=read_depmod_d(tree.root, None, say).for_kernel(tree.release),
        weakdeps=True,
        texts_only=dry_run,
        use_cache=use_cache,
        say=say,
    )
    result = index(request)
    require_sound(result)
    return result
