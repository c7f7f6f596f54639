"""A module file in a root: its bytes, how it is compressed, and what is inside."""

from functools import cached_property
from typing import TYPE_CHECKING

from lkm.formats.compression import Compression, decompress, detect
from lkm.formats.module_name import from_path
from lkm.system.located import located
from lkm.system.root import Root

if TYPE_CHECKING:
    from lkm.formats.module_image import ModuleImage

__all__ = ["ModuleFile"]

_DAMAGED = "the file is damaged or is no kernel module: build or install it again"


class ModuleFile:
    """One module file; nothing is read before it is asked for, and what was read is kept.

    :param root: the root that the path is in
    :param path: absolute path inside the root
    :ivar name: the module's name as the file name tells it
    """

    def __init__(self, root: Root, path: str) -> None:
        self.root = root
        self.path = path
        self.name = from_path(path)

    def __repr__(self) -> str:
        return f"ModuleFile({self.display_path!r})"

    @property
    def display_path(self) -> str:
        """The path to show to people, of the host."""
        return self.root.display(self.path)

    @cached_property
    def raw(self) -> bytes:
        """The file's bytes as they are on disk.

        :raises Unreadable: it can't be read
        """
        return self.root.read_bytes(self.path)

    @property
    def compression(self) -> Compression:
        """How the file is compressed, by its first bytes."""
        return detect(self.raw)

    @cached_property
    def contents(self) -> bytes:
        """The module's bytes, unpacked.

        :raises Unreadable: it can't be read
        :raises CompressionError: it is damaged or too large when unpacked
        """
        with self.located():
            return decompress(self.raw)

    @cached_property
    def image(self) -> "ModuleImage":
        """What is inside; errors in it name no file, see :meth:`located`.

        :raises Unreadable: it can't be read, unpacked, or is no ELF file
        """
        from lkm.formats.module_image import ModuleImage  # noqa: PLC0415  dear, and most look for a file's path only

        contents = self.contents
        with self.located():
            return ModuleImage(contents)

    def located(self) -> located:
        """Give a context in which an error that names no place is given this file's path."""
        return located(self.display_path, hint=_DAMAGED)
