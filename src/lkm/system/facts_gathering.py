"""Reading the facts of many module files, on all processors."""

import errno
import os
from collections.abc import Sequence
from functools import partial

from lkm.errors import FormatError
from lkm.formats.elf.constants import MAGIC
from lkm.formats.module_facts import Damage, ModuleFacts, damaged, read_facts
from lkm.formats.module_facts_codec import PackedSymbols, PackedTexts, encode_symbols, encode_texts
from lkm.system.apart import Apart, joined, parted, processors

__all__ = ["facts_of_file", "gather"]

_FEWEST_BYTES = 2_000_000  # to be read by a process, or it costs more than it spares
_MOST_PROCESSES = 16
_MAGIC = 6  # kmod reads so many bytes to tell the compression, and refuses what is shorter
_PACKED = 12  # how much dearer it is to unpack a byte than to look at a plain one
_HANDED_OVER = 20_000  # what it costs another process to pack the facts of a file, in plain bytes
_LARGEST = 512 << 20


def gather(files: Sequence[tuple[str, int]]) -> list[ModuleFacts]:
    """Read the facts of files; what can't be read is told by their damage.

    :param files: host path and size of each
    """
    shares = _shares(files)
    others = [Apart(partial(_encoded_facts, [files[number][0] for number in share])) for share in shares[1:]]
    found = dict(zip(shares[0], _facts([files[number][0] for number in shares[0]]), strict=True))
    for share, other in zip(shares[1:], others, strict=True):
        texts, symbols = parted(other.result())
        facts = map(ModuleFacts, PackedTexts(texts).unpack(), PackedSymbols(symbols).unpack())
        found.update(zip(share, facts, strict=True))
    return [found[number] for number in range(len(files))]


def _facts(paths: Sequence[str]) -> list[ModuleFacts]:
    """Read facts; most needs are the same few, and each of those is kept once."""
    same: dict[bytes, bytes] = {}
    found = []
    for path in paths:
        facts = facts_of_file(path)
        needs = facts.symbols.needs
        needs[:] = map(same.setdefault, needs, needs)
        found.append(facts)
    return found


def _encoded_facts(paths: Sequence[str]) -> bytes:
    facts = _facts(paths)
    return joined((encode_texts([one.texts for one in facts]), encode_symbols([one.symbols for one in facts])))


def _shares(files: Sequence[tuple[str, int]]) -> list[list[int]]:
    """Part the files so that each process has about as much to do; whoever has least gets the next largest."""
    is_plain = [path.endswith(".ko") for path, _ in files]
    weights = [size * (1 if plain else _PACKED) + 50_000 for plain, (_, size) in zip(is_plain, files, strict=True)]
    count = max(1, min(processors(), _MOST_PROCESSES, sum(weights) // _FEWEST_BYTES))
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for number in sorted(range(len(files)), key=weights.__getitem__, reverse=True):
        share = loads.index(min(loads))
        shares[share].append(number)
        loads[share] += weights[number] + (_HANDED_OVER if share and is_plain[number] else 0)
    return shares


def facts_of_file(path: str) -> ModuleFacts:
    """Read the facts of one file of the host (kmod 30, libkmod/libkmod-file.c ``kmod_file_open``)."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        return damaged(error.errno or errno.EIO)
    try:
        size = os.fstat(fd).st_size
        head = os.pread(fd, _MAGIC, 0)
        if head[:4] != MAGIC or len(head) < _MAGIC:
            if len(head) < _MAGIC:
                return damaged(Damage.INVALID)
            from lkm.formats.compression import Compression, detect  # noqa: PLC0415  a plain tree needs none

            if detect(head) is not Compression.NONE:
                return _packed(fd, size)
        pread = os.pread
        return read_facts(lambda offset, count: pread(fd, count, offset), size)
    except OSError as error:
        return damaged(error.errno or errno.EIO)
    finally:
        os.close(fd)


def _packed(fd: int, size: int) -> ModuleFacts:
    if size > _LARGEST:
        return damaged(errno.EFBIG)
    from lkm.formats.compression import decompress  # noqa: PLC0415  (as above)

    try:
        data = decompress(os.pread(fd, size, 0))
    except FormatError:
        return damaged(Damage.INVALID)
    return read_facts(lambda offset, count: data[offset : offset + count], len(data))
