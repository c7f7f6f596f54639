"""A module file in a root: its bytes, how it is compressed, and what is inside."""

from functools import cached_property

from lkm.errors import FormatError, LkmError
from lkm.formats.compression import Compression, decompress, detect
from lkm.formats.module_image import ModuleImage
from lkm.formats.module_name import from_path
from lkm.system.root import Root

__all__ = ["ModuleFile"]


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
        with _located(self.display_path):
            return decompress(self.raw)

    @cached_property
    def image(self) -> ModuleImage:
        """What is inside; errors in it name no file, see :meth:`located`.

        :raises Unreadable: it can't be read, unpacked, or is no ELF file
        """
        contents = self.contents
        with _located(self.display_path):
            return ModuleImage(contents)

    def located(self) -> "_located":
        """Give a context in which an error that names no place is given this file's path."""
        return _located(self.display_path)


class _located:  # noqa: N801  used like a function
    """Give errors that name no place a place."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, LkmError) and error.where is None:
            error.where = self.where
            if isinstance(error, FormatError) and error.hint is None:
                error.hint = "the file is damaged or is no kernel module: build or install it again"
