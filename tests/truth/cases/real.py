"""Modules of the kernel's own tree: as they are, changed, packed, and those of another kernel."""

from collections.abc import Iterator, Sequence
from functools import partial

from tests.truth.case import Case, Init, Load, Step, Unload, one
from tests.truth.kernels import KERNELS, tree_of
from tests.truth.maker import Maker
from tests.truth.patch import Patch

from lkm.formats.compression import Compression, compress
from lkm.formats.module_signature import append, split

__all__ = ["cases"]

_LOADED = ("vfat", "dummy", "nls_utf8", "loop", "ext4", "crc7", "xor", "wireguard", "tcp_bbr", "cifs")
_CHANGES = (
    ("e_type", 2), ("e_machine", 183), ("e_shentsize", 40), ("e_shnum", 3), ("e_shstrndx", 1), ("e_flags", 1),
    ("e_phoff", 1), ("e_version", 9),
)  # fmt: skip


def cases() -> Iterator[Case]:
    for name in _LOADED:
        yield Case(f"real/{name}", partial(_with_dependencies, name=name), real=True)
    for name in ("vfat", "ext4", "nf_tables", "btrfs"):
        yield one(f"real/{name} alone", lambda maker, name: maker.stock(name).contents, real=True, given=(name,))
        yield one(
            f"real/{name} alone, flag 1", lambda m, name: m.stock(name).contents, flags=1, real=True, given=(name,)
        )
    for flags in (1, 2, 3, 4):
        yield one(f"real/dummy, flags {flags}", lambda maker: maker.stock("dummy").contents, flags=flags, real=True)
    for text in ("numdummies=2", "numdummies=x", "numdummies", "ghost=1", "numdummies=2 dyndbg=+p"):
        yield one(f"real/dummy {text}", lambda maker: maker.stock("dummy").contents, text, real=True)
    for text in ("max_loop=8 max_part=3", "max_loop=x", "hw_queue_depth=0"):
        # Its parameters are parsed by functions of its own.
        yield one(f"real/loop {text}", lambda m: m.stock("loop").contents, text, real=True, init=Init.DECIDES)
    yield Case("real/dummy twice", lambda m: (Load(m.stock("dummy").contents),) * 2, real=True)
    yield Case("real/vfat, then remove fat", _held, real=True)
    for kind in (Compression.GZIP, Compression.XZ, Compression.ZSTD):
        for flags in (0, 4, 6):
            yield one(
                f"real/dummy as {kind.value}, flags {flags}",
                lambda m, kind: compress(m.stock("dummy").contents, kind),
                flags=flags,
                real=True,
                given=(kind,),
            )
    yield from _changed()
    yield from _of_others()


def _with_dependencies(maker: Maker, name: str) -> Sequence[Step]:
    found = maker.tree.module(name)
    if found is None:
        return ()
    return tuple(Load(module.contents, init=Init.PRINTS) for module in (*maker.tree.dependencies(name), found))


def _held(maker: Maker) -> Sequence[Step]:
    return (*_with_dependencies(maker, "vfat"), Unload("fat"), Unload("vfat"), Unload("fat"))


def _changed() -> Iterator[Case]:
    def stock(maker: Maker) -> bytes:
        return maker.stock("dummy").contents

    def unsigned(maker: Maker) -> bytes:
        contents = stock(maker)
        return contents[: split(contents)[0]]

    yield one("real/unsigned", unsigned, real=True)
    yield one("real/signed by a stranger", lambda maker: maker.rsa.signed(unsigned(maker)), real=True)
    yield one("real/signed again by a stranger", lambda maker: maker.rsa.signed(stock(maker)), real=True)
    yield one("real/marker cut off", lambda maker: stock(maker)[:-28], real=True)
    yield one("real/cut in the middle", lambda maker: stock(maker)[: len(stock(maker)) // 2], real=True)
    yield one("real/cut by a byte", lambda maker: stock(maker)[:-1], real=True)
    yield one("real/a byte of code changed", lambda maker: _flipped(stock(maker), 0x400), real=True)
    yield one("real/last byte of the signature changed", lambda maker: _flipped(stock(maker), -41), real=True)
    yield one("real/first byte of the signature changed", lambda m: _flipped(stock(m), split(stock(m))[0]), real=True)
    yield one("real/middle of the signature changed", lambda m: _flipped(stock(m), split(stock(m))[0] + 60), real=True)
    yield one("real/more inside the signature", lambda m: _longer(stock(m)), real=True)
    yield one("real/signature of another module", lambda m: _swapped(stock(m), m.stock("nls_utf8").contents), real=True)
    for name, number in (("sha256", 1), ("sha384", 2), ("sha512", 3), ("sha224", 4), ("sha3-256", 8), ("unknown", 99)):
        yield one(f"real/digest said to be {name}", lambda m, n: _digest(stock(m), n), real=True, given=(number,))
    for field, value in _CHANGES:
        yield one(
            f"real/unsigned with {field}={value}",
            lambda m, field, value: Patch(unsigned(m)).header(field, value).data,
            real=True,
            given=(
                field,
                value,
            ),
        )
        yield one(
            f"real/signed with {field}={value}",
            lambda m, field, value: Patch(stock(m)).header(field, value).data,
            real=True,
            given=(
                field,
                value,
            ),
        )


def _flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def _longer(data: bytes) -> bytes:
    size, trailer = split(data)
    assert trailer
    return append(data[:size], trailer.signature(data) + b"more")


def _swapped(data: bytes, other: bytes) -> bytes:
    size, _ = split(data)
    _, trailer = split(other)
    assert trailer
    return append(data[:size], trailer.signature(other))


def _digest(data: bytes, number: int) -> bytes:
    size, trailer = split(data)
    assert trailer
    der = trailer.signature(data)
    prefix = bytes.fromhex("06096086480165030402")
    at = der.index(prefix) + len(prefix)
    while at >= len(prefix):
        der = der[:at] + bytes((number,)) + der[at + 1 :]
        at = der.find(prefix, at) + len(prefix)
        if at < len(prefix) or der.find(prefix, at - len(prefix)) < 0:
            break
    return append(data[:size], der)


def _of_others() -> Iterator[Case]:
    for kernel in KERNELS:
        for flags in (0, 1, 2, 3):

            def other(maker: Maker, kernel: str = kernel, flags: int = flags) -> Sequence[Step]:
                found = None if kernel == maker.kernel else tree_of(kernel).module("nls_utf8")
                return (Load(found.contents, flags=flags),) if found else ()

            yield Case(f"real/nls_utf8 of {kernel}, flags {flags}", other, real=True)
