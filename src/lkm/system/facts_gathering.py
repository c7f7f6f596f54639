"""Reading the facts of many module files, on all processors."""

import errno
import os
from collections.abc import Sequence
from functools import partial

from lkm.errors import FormatError
from lkm.formats.compression import Compression, decompress, detect
from lkm.formats.elf.constants import MAGIC
from lkm.formats.module_facts import Damage, ModuleFacts, damaged, read_facts
from lkm.formats.module_facts_codec import decode, encode
from lkm.system.apart import Apart, processors

__all__ = ["facts_of_file", "gather"]

_FEWEST_BYTES = 2_000_000  # to be read by a process, or it costs more than it spares
_MOST_PROCESSES = 16
_MAGIC = 6  # kmod reads so many bytes to tell the compression, and refuses what is shorter
_PACKED = 12  # how much dearer it is to unpack a byte than to look at a plain one
_LARGEST = 512 << 20


def gather(files: Sequence[tuple[str, int]]) -> list[ModuleFacts]:
    """Read the facts of files; what can't be read is told by their damage.

    :param files: host path and size of each
    """
    shares = _shares(files)
    others = [Apart(partial(_encoded_facts, [files[number][0] for number in share])) for share in shares[1:]]
    found: dict[int, ModuleFacts] = {number: facts_of_file(files[number][0]) for number in shares[0]}
    for share, other in zip(shares[1:], others, strict=True):
        found.update(zip(share, decode(other.result()), strict=True))
    return [found[number] for number in range(len(files))]


def _encoded_facts(paths: Sequence[str]) -> bytes:
    return encode([facts_of_file(path) for path in paths])


def _shares(files: Sequence[tuple[str, int]]) -> list[list[int]]:
    """Part the files so that each process has about as much to do; whoever has least gets the next largest."""
    weights = [size + 50_000 if path.endswith(".ko") else size * _PACKED + 50_000 for path, size in files]
    count = max(1, min(processors(), _MOST_PROCESSES, sum(weights) // _FEWEST_BYTES))
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for number in sorted(range(len(files)), key=weights.__getitem__, reverse=True):
        share = loads.index(min(loads))
        shares[share].append(number)
        loads[share] += weights[number]
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
    try:
        data = decompress(os.pread(fd, size, 0))
    except FormatError:
        return damaged(Damage.INVALID)
    return read_facts(lambda offset, count: data[offset : offset + count], len(data))
