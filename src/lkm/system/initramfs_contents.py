"""What an initramfs image has of the configuration, and which modules it holds."""

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass

from lkm.errors import Unreadable
from lkm.formats.initramfs import Member, members
from lkm.formats.module_name import EXTENSIONS, from_path
from lkm.system.root import Root

__all__ = ["ImageContents", "read_image"]

_LARGEST = 2 << 30  # bytes of an image
_KINDS = ("modprobe.d", "modules-load.d")


@dataclass(frozen=True, slots=True)
class ImageContents:
    """What is of interest in an image.

    :param directories: the directories of configuration that it has, as in ``/usr/lib/modprobe.d``; ``/lib`` is written
        ``/usr/lib``
    :param files: the files and links in them, by path
    :param modules: the names of the modules
    """

    directories: frozenset[str]
    files: Mapping[str, Member]
    modules: frozenset[str]


def read_image(root: Root, path: str) -> ImageContents:
    """Read an image.

    :param path: inside the root
    :raises Unreadable: it can't be read, is damaged, or is packed in a way that is not known here
    """
    fd = root.open_fd(path)
    try:
        size = os.fstat(fd).st_size
        if not 0 < size <= _LARGEST:
            raise Unreadable("is empty, or larger than an initramfs", where=root.display(path))
        with mmap.mmap(fd, size, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            return _gathered(view, root.display(path))
    except OSError as error:
        raise Unreadable((error.strerror or str(error)).lower(), where=root.display(path)) from error
    finally:
        os.close(fd)


def _gathered(view: memoryview, where: str) -> ImageContents:
    directories: set[str] = set()
    files: dict[str, Member] = {}
    modules: set[str] = set()
    try:
        for member in members(view, _is_configuration):
            if member.name.endswith(EXTENSIONS):
                modules.add(from_path(member.name))
            path = _place(member.name)
            parent = path.rpartition("/")[0]
            if member.is_directory and path.endswith(_KINDS):
                directories.add(path)
            elif parent.endswith(_KINDS):
                directories.add(parent)
                files[path] = member
    except Unreadable as error:
        raise Unreadable(error.what, where=where, hint=error.hint) from error
    return ImageContents(frozenset(directories), files, frozenset(modules))


def _is_configuration(name: str) -> bool:
    return name.rpartition("/")[0].endswith(_KINDS)


def _place(name: str) -> str:
    return f"/usr/{name}" if name.startswith("lib/") else f"/{name}"
