"""A target kernel's profile: gathered from a system, or read from a file that was saved elsewhere."""

import os
from typing import TYPE_CHECKING

from lkm.errors import Unreadable, UsageError
from lkm.system.atomic import write_atomically
from lkm.system.located import located
from lkm.system.profile_file import LARGEST_FILE, pack, unpack
from lkm.system.root import Root

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.system.kernel_profile import KernelProfile
    from lkm.system.module_tree import ModuleTree

__all__ = ["profile_for", "save"]

_CACHE = "/var/cache"
_KEPT = "lkm/profile"


def profile_for(
    session: "Session", *, profile_file: str | None = None, kernel_image: str | None = None
) -> "KernelProfile":
    """Give the profile of the session's kernel, or the one that a file holds.

    What was gathered is kept until the files it came from change: under /var/cache/lkm of the root, or, of the host's
    own kernels, in the user's cache, where that can't be written.

    :param profile_file: of the host: what :func:`save` wrote; nothing else is read then
    :param kernel_image: of the host: a vmlinuz or vmlinux to take in place of the root's; unless the session names a
        release, the release is the image's
    :raises UsageError: both are given, or one is empty, or the image is of another release than the session's
    :raises Unreadable: the file, or the system, does not tell what a profile needs
    """
    for what, path in (("saved profile", profile_file), ("kernel image", kernel_image)):
        if path == "":
            raise UsageError(f"the path of the {what} is empty")
    if profile_file is not None:
        if kernel_image is not None:
            raise UsageError("a saved profile needs no kernel image", hint="name one of the two")
        return _saved(profile_file)
    from lkm.system.profile_gathering import gather  # noqa: PLC0415  a saved profile needs none of it

    if kernel_image is not None:
        return gather(_tree_of_image(session, kernel_image), image_path=kernel_image)
    from lkm.system.kept_profile import keep, kept  # noqa: PLC0415  as above

    tree = session.tree
    places = _places(tree)
    for place in places:
        found = kept(place, tree)
        if found is not None:
            return found
    profile = gather(tree)
    for place in places:
        if _made_directory(os.path.dirname(place)):  # noqa: PTH120  pathlib is dear at start-up
            keep(place, tree, profile)
            break
    return profile


def _saved(path: str) -> "KernelProfile":
    with located(path):
        return unpack(Root().read_bytes(os.path.abspath(path), limit=LARGEST_FILE)).profile  # noqa: PTH100


def _tree_of_image(session: "Session", path: str) -> "ModuleTree":
    """Give the module tree of an image's release, which need not be there."""
    from lkm.system.kernel_image_file import release_of_image  # noqa: PLC0415  few name one
    from lkm.system.module_tree import ModuleTree  # noqa: PLC0415

    release = release_of_image(path)
    wanted = session.target.release
    if wanted is not None and wanted != release:
        raise UsageError(f"{path} is a kernel of release {release}, not {wanted}", hint="leave out --release")
    return ModuleTree(session.root, release)


def _places(tree: "ModuleTree") -> list[str]:
    """Give the files of the host that a profile may be kept in, the best first."""
    name = tree.directory.strip("/").replace("%", "%25").replace("/", "%2F")
    places = []
    shared = tree.root.find(_CACHE)
    if shared is not None:
        places.append(f"{shared}/{_KEPT}/{name}.json")
    own = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    if tree.root.is_host and own.startswith("/"):
        places.append(f"{own}/{_KEPT}/{name}.json")
    return places


def _made_directory(path: str) -> bool:
    try:
        os.makedirs(path, mode=0o755, exist_ok=True)  # noqa: PTH103
    except OSError:
        return False
    return os.access(path, os.W_OK)


def save(profile: "KernelProfile", path: str) -> int:
    """Write a profile to a file, for :func:`profile_for` to read.

    :returns: the file's size in bytes
    :raises Unreadable: it can't be written
    """
    data = pack(profile)
    try:
        write_atomically(path, data)
    except OSError as error:
        raise Unreadable(f"can't be written: {(error.strerror or str(error)).lower()}", where=path) from error
    return len(data)
