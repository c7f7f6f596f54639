"""Facts about modules kept between two runs, so that the second reads only the files that have changed.

In ``/var/cache/lkm/index`` of the root, for each release: ``RELEASE.facts``, what was read of each file, by what tells
that the file is still the same; and ``RELEASE.stamp``, what the indexes in the tree were made from. A root without
``/var/cache`` gets none: depmod also runs on staging directories and on what becomes an initramfs.

A cache is believed only if it is whole, of this format, and nobody but its owner, this user or root, can write it.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from struct import Struct
from zlib import crc32

from lkm.errors import FormatError, LkmError
from lkm.formats.module_facts import ModuleFacts
from lkm.formats.module_facts_codec import FORMAT, decode, encode
from lkm.system.file_set import replace_files
from lkm.system.root import Root

__all__ = ["DIRECTORY", "FactsCache"]

DIRECTORY = "/var/cache/lkm/index"
"""Where the caches of a root are."""

_PARENT = "/var/cache"
_HEADER = Struct("<12sIIII")  # magic, format, length and CRC-32 of the keys, CRC-32 of the facts
_MAGIC = b"lkm facts\n\0\0"
_LARGEST = 1 << 30


class FactsCache:
    """The cache of one release in one root.

    :param directory: the tree's directory inside the root: one release may have trees in several places
    """

    __slots__ = ("_facts_crc", "_keys", "_name", "_root")

    def __init__(self, root: Root, directory: str) -> None:
        self._root = root
        self._name = directory.strip("/").replace("%", "%25").replace("/", "%2F")
        self._keys: bytes | None = None
        self._facts_crc = 0

    @property
    def keys(self) -> bytes:
        """The keys of the files whose facts are kept, joined by NUL; empty without a cache."""
        if self._keys is None:
            self._keys, self._facts_crc = self._read_keys()
        return self._keys

    def facts(self) -> Mapping[bytes, ModuleFacts]:
        """Give the facts by key."""
        if not self.keys:
            return {}
        data = self._read("facts", _HEADER.size + len(self.keys))
        if crc32(data) != self._facts_crc:
            return {}
        try:
            return dict(zip(self.keys.split(b"\0"), decode(data), strict=True))
        except (FormatError, ValueError):
            return {}

    def store_facts(self, keys: Sequence[bytes], facts: Sequence[ModuleFacts]) -> None:
        """Keep facts for the next run; silently not, where that is not possible.

        :param keys: what the facts of a file depend on, without NUL
        :param facts: of each file
        """
        joined, data = b"\0".join(keys), encode(facts)
        header = _HEADER.pack(_MAGIC, FORMAT, len(joined), crc32(joined), crc32(data))
        self._store("facts", b"".join((header, joined, data)))

    def store_stamp(self, stamp: bytes) -> None:
        """Keep what the indexes were made from; empty where the next run must make them anew."""
        if stamp or self.stamp():
            self._store("stamp", stamp)

    def _store(self, kind: str, data: bytes) -> None:
        try:
            if self._root.is_dir(_PARENT):
                directory = self._root.host_path(DIRECTORY)
                os.makedirs(directory, mode=0o755, exist_ok=True)  # noqa: PTH103  pathlib is dear at start-up
                replace_files(directory, {f"{self._name}.{kind}": data})
        except (OSError, LkmError):
            return

    def stamp(self) -> bytes:
        """Give the stamp; empty without one."""
        return self._read("stamp", 0)

    def _read_keys(self) -> tuple[bytes, int]:
        head = self._read("facts", 0, _HEADER.size)
        if len(head) < _HEADER.size:
            return b"", 0
        magic, version, length, keys_crc, facts_crc = _HEADER.unpack(head)
        if magic != _MAGIC or version != FORMAT:
            return b"", 0
        keys = self._read("facts", _HEADER.size, length)
        return (keys, facts_crc) if len(keys) == length and crc32(keys) == keys_crc else (b"", 0)

    def _read(self, kind: str, offset: int, size: int = _LARGEST) -> bytes:
        try:
            fd = self._root.open_fd(f"{DIRECTORY}/{self._name}.{kind}")
        except LkmError:
            return b""
        try:
            state = os.fstat(fd)
            if state.st_uid not in {0, os.geteuid()} or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return b""
            return os.pread(fd, max(0, min(size, state.st_size - offset, _LARGEST)), offset)
        except OSError:
            return b""
        finally:
            os.close(fd)
