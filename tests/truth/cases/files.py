"""The file and how it is handed over: its size, flags, compression, privilege."""

from collections.abc import Iterator, Sequence

from tests.truth.case import Case, Load, Step, Unload, Write, one
from tests.truth.maker import Maker

from lkm.formats.compression import Compression, compress

__all__ = ["cases"]

_GZIP, _XZ, _ZSTD = Compression.GZIP, Compression.XZ, Compression.ZSTD


def cases() -> Iterator[Case]:
    yield one("file/empty", lambda _: b"")
    yield one("file/one byte", lambda _: b"x")
    yield one("file/magic alone", lambda _: b"\x7fELF")
    yield one("file/script", lambda _: b"#!/bin/sh\n" * 20)
    yield one("file/zeros", lambda _: bytes(4096))
    yield one("file/header alone", lambda maker: maker.module()[:64])
    yield one("file/header less a byte", lambda maker: maker.module()[:63])
    yield one("file/cut in the middle", lambda maker: maker.module()[: len(maker.module()) // 2])
    yield one("file/cut by a byte", lambda maker: maker.module()[:-1])
    yield one("file/more at the end", lambda maker: maker.module() + b"more")
    yield one("file/plain", lambda maker: maker.module())
    for flags in (1, 2, 3, 8, 9, 16, 1 << 30, -1):
        yield one(f"flags/{flags}", lambda maker: maker.module(), flags=flags)
        yield one(f"flags/{flags} and rubbish", lambda _: b"rubbish" * 20, flags=flags)
    for flags in (1, 2, 3):
        yield one(f"flags/{flags} and a parameter", lambda maker: maker.with_parameters(), "a_int=7", flags=flags)
    yield from _compressed()
    yield one("caller/another name", lambda maker: maker.module(), command="insmod")
    yield one("caller/a name with a blank", lambda maker: maker.module(), command="a b")
    yield one("caller/not privileged", lambda maker: maker.module(), privileged=False)
    yield one("caller/not privileged, wrong flags", lambda maker: maker.module(), flags=64, privileged=False)
    yield one("caller/not privileged, empty file", lambda _: b"", privileged=False)
    yield Case("caller/modules disabled", _disabled)


def _compressed() -> Iterator[Case]:
    for kind in (_GZIP, _XZ, _ZSTD):
        for flags in (0, 4, 5, 6, 7):

            def packed(maker: Maker, kind: Compression = kind) -> bytes:
                return compress(maker.module(), kind)

            yield one(f"compressed/{kind.value}, flags {flags}", packed, flags=flags)
        yield one(
            f"compressed/{kind.value} cut",
            lambda maker, kind: compress(maker.module(), kind)[:-9],
            flags=4,
            given=(kind,),
        )
        yield one(f"compressed/{kind.value} of nothing", lambda _, kind: compress(b"", kind), flags=4, given=(kind,))
        yield one(
            f"compressed/{kind.value} of rubbish", lambda _, kind: compress(b"rub" * 50, kind), flags=4, given=(kind,)
        )
    yield one("compressed/not at all", lambda maker: maker.module(), flags=4)
    yield one("compressed/empty file", lambda _: b"", flags=4)
    yield one("compressed/magic alone", lambda _: b"\xfd7zXZ\0", flags=4)
    yield one("compressed/twice", lambda maker: compress(compress(maker.module(), _XZ), _XZ), flags=4)
    yield one("compressed/more behind it", lambda maker: compress(maker.module(), _XZ) + b"more", flags=4)
    yield one("compressed/changed inside", lambda maker: _flipped(compress(maker.module(), _XZ)), flags=4)
    yield one("compressed/with a parameter", lambda maker: compress(maker.with_parameters(), _XZ), "a_int=x", flags=4)


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes((data[middle] ^ 0x55,)) + data[middle + 1 :]


def _disabled(maker: Maker) -> Sequence[Step]:
    first = Load(maker.module("lkm_first"))
    return first, Write(), Load(maker.module()), Load(b""), Unload("lkm_first"), Load(maker.module(), flags=64)
