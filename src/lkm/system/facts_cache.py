"""Facts about modules kept between two runs, so that the second reads only the files that have changed.

In ``/var/cache/lkm/index`` of the root, for each release: ``RELEASE.facts``, what was read of each file, by what tells
that the file is still the same; and ``RELEASE.stamp``, what the indexes in the tree were made from. A root without
``/var/cache`` gets none: depmod also runs on staging directories and on what becomes an initramfs.

A cache is believed only if it is whole, of this format, and nobody but its owner, this user or root, can write it.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from functools import cached_property
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from lkm.errors import FormatError, LkmError
from lkm.formats.module_facts import ModuleFacts
from lkm.formats.module_facts_codec import FORMAT, PackedSymbols, PackedTexts, encode_symbols, encode_texts
from lkm.system.file_set import replace_files
from lkm.system.root import Root

__all__ = ["DIRECTORY", "NO_FACTS", "FactsCache", "KeptFacts"]

DIRECTORY = "/var/cache/lkm/index"
"""Where the caches of a root are."""

_PARENT = "/var/cache"
_HEADER = Struct("=12sIIII")  # magic, format (of this byte order), lengths of the first two parts, CRC-32 of all
_MAGIC = b"lkm facts\n\0\0"
_LARGEST = 1 << 30


class KeptFacts(NamedTuple):
    """The facts of the last run.

    :param places: key of a file to the place of its facts
    """

    places: Mapping[bytes, int]
    texts: PackedTexts
    symbols: PackedSymbols


NO_FACTS = KeptFacts({}, PackedTexts(encode_texts([])), PackedSymbols(encode_symbols([])))


class FactsCache:
    """The cache of one release in one root.

    :param directory: the tree's directory inside the root: one release may have trees in several places
    """

    def __init__(self, root: Root, directory: str) -> None:
        self._root = root
        self._name = directory.strip("/").replace("%", "%25").replace("/", "%2F")

    @cached_property
    def facts(self) -> KeptFacts:
        """The facts; none without a cache that is to be believed."""
        data = self._read("facts")
        if len(data) < _HEADER.size:
            return NO_FACTS
        magic, version, keys_size, texts_size, crc = _HEADER.unpack_from(data)
        body = memoryview(data)[_HEADER.size :]
        if magic != _MAGIC or version != FORMAT or crc32(body) != crc:
            return NO_FACTS
        end = keys_size + texts_size
        keys = bytes(body[:keys_size]).split(b"\0")
        try:
            kept = KeptFacts(
                dict(zip(keys, range(len(keys)), strict=True)),
                PackedTexts(bytes(body[keys_size:end])),
                PackedSymbols(bytes(body[end:])),
            )
        except FormatError:
            return NO_FACTS
        return kept if len(kept.places) == len(kept.texts) == len(kept.symbols) else NO_FACTS

    def store_facts(self, keys: Sequence[bytes], facts: Sequence[ModuleFacts]) -> None:
        """Keep facts for the next run; silently not, where that is not possible.

        :param keys: what the facts of a file depend on, without NUL
        :param facts: of each file
        """
        texts, symbols = encode_texts([one.texts for one in facts]), encode_symbols([one.symbols for one in facts])
        body = b"".join((joined_keys := b"\0".join(keys), texts, symbols))
        self._store("facts", _HEADER.pack(_MAGIC, FORMAT, len(joined_keys), len(texts), crc32(body)) + body)

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
        return self._read("stamp")

    def _read(self, kind: str) -> bytes:
        try:
            fd = self._root.open_fd(f"{DIRECTORY}/{self._name}.{kind}")
        except LkmError:
            return b""
        try:
            state = os.fstat(fd)
            if state.st_uid not in {0, os.geteuid()} or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return b""
            return os.pread(fd, min(state.st_size, _LARGEST), 0)
        except OSError:
            return b""
        finally:
            os.close(fd)
