"""The kernel image of a release, wherever a root keeps it, unpacked."""

import os
from typing import NamedTuple

from lkm.errors import FormatError, LkmError
from lkm.formats.elf.constants import MAGIC
from lkm.formats.elf.reader import Elf
from lkm.formats.kernel_image import wrapping
from lkm.system.located import located
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

__all__ = ["ImageFile", "image_places", "read_image", "release_of_image"]


class ImageFile(NamedTuple):
    """An image.

    :param contents: unpacked, ELF or flat
    :param elf: None for a flat one
    :param source: the file as people should see it
    """

    contents: bytes
    elf: Elf | None
    source: str


def release_of_image(path: str) -> str:
    """Read the release out of a kernel image.

    :param path: of the host, relative to the working directory or absolute
    :raises Unreadable: it can't be read, is no kernel image, or does not say its release
    """
    with located(path, hint="name a kernel image, such as /boot/vmlinuz-RELEASE"):
        return wrapping.release(Root().read_bytes(os.path.abspath(path)))  # noqa: PTH100  pathlib is dear at start-up


def image_places(tree: ModuleTree) -> tuple[str, ...]:
    """Give the paths inside the root at which distributions put the image.

    Debian, Ubuntu and openSUSE: /boot; Fedora and Arch: beside the modules; ``vmlinux`` on POWER, ``Image`` on arm64.
    """
    release, beside = tree.release, tree.directory
    return (
        f"/boot/vmlinuz-{release}",
        f"{beside}/vmlinuz",
        f"/boot/vmlinux-{release}",
        f"/boot/Image-{release}",
        f"{beside}/Image",
        f"{beside}/vmlinux",
    )


def read_image(tree: ModuleTree, given: str | None = None) -> ImageFile | str:
    """Read and unpack the image.

    :param given: an image of the host to take in place of the tree's, whatever it is
    :returns: the image, or in words why there is none
    :raises Unreadable: the image that was given can't be read or unpacked
    """
    if given is not None:
        with located(given, hint="name a kernel image, such as /boot/vmlinuz-RELEASE"):
            return _image(Root(), os.path.abspath(given), given)  # noqa: PTH100  pathlib is dear at start-up
    reason = "no kernel image was found"
    for path in image_places(tree):
        if tree.root.is_file(path):
            try:
                return _image(tree.root, path, tree.root.display(path))
            except FormatError as error:
                reason = f"{tree.root.display(path)}: {error.reason}"
            except LkmError as error:
                reason = str(error)
    return reason


def _image(root: Root, path: str, source: str) -> ImageFile:
    contents = wrapping.contents(root.read_bytes(path))
    return ImageFile(contents, Elf(contents) if contents[:4] == MAGIC else None, source)
