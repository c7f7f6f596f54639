"""Indexing a module tree as its own root says: with its depmod.d, and with what is known from the last time."""

import errno
from typing import TYPE_CHECKING

from lkm.actions.indexing.index import IndexRequest, IndexResult, index, require_sound
from lkm.errors import LkmError, PrivilegeMissing, ReadOnlyFiles
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
    :raises TreeMissing: there is no tree
    :raises PrivilegeMissing, ReadOnlyFiles, LkmError: they can't be written; all are as they were
    """
    if not tree.root.is_dir(tree.directory):
        tree.require_indexes()  # says so, and which trees there are
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
    try:
        result = index(request)
    except OSError as error:
        raise _unwritten(tree, error) from error
    require_sound(result)
    return result


def _unwritten(tree: "ModuleTree", error: OSError) -> LkmError:
    """Name the tree, not the temporary file that could not be written."""
    what = f"the indexes can't be written: {(error.strerror or str(error)).lower()}"
    where, hint = tree.display_directory, "none was written, all are as they were"
    if isinstance(error, PermissionError):
        return PrivilegeMissing(what, where=where, hint=f"{hint}; run as root, or as a user who may write there")
    kind = ReadOnlyFiles if error.errno == errno.EROFS else LkmError
    return kind(what, where=where, hint=hint)
