"""Module files taken apart, whatever they are."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lkm.actions.signing.module_contents import read_module, signer_of
from lkm.errors import FormatError, Unreadable
from lkm.formats.compression import Compression, compress
from lkm.formats.module_signature import MARKER, append
from lkm.formats.module_writer import ModuleRecipe, write

MODULE = write(ModuleRecipe(name="some"))


def placed(directory: Path, data: bytes) -> str:
    path = directory / "some.ko"
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("compression", Compression)
def test_a_signed_module_however_it_is_packed(tmp_path: Path, compression: Compression) -> None:
    raw = compress(append(MODULE, b"signature"), compression)
    module = read_module(placed(tmp_path, raw))
    assert (module.raw, module.compression, module.size) == (raw, compression, len(MODULE))
    assert module.without(1) == MODULE
    assert module.without(0) == append(MODULE, b"signature")
    assert (module.signed_outside, module.odd_bytes, len(module.signatures)) == (False, 0, 1)


def test_what_signing_a_packed_file_left(tmp_path: Path) -> None:
    raw = append(compress(MODULE, Compression.XZ), b"signature")
    module = read_module(placed(tmp_path, raw))
    assert (module.signed_outside, module.signatures) == (True, ())
    assert module.without(0) == MODULE


def test_what_is_left_of_a_signature(tmp_path: Path) -> None:
    module = read_module(placed(tmp_path, append(MODULE, b"signature")[:-10]))
    assert (module.signatures, module.odd_bytes) == ((), 9 + 12 + len(MARKER) - 10)


def trailer(length: int) -> bytes:
    return append(b"", bytes(0))[:8] + length.to_bytes(4) + MARKER


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"hello", "is no kernel module: no ELF file"),
        (MARKER, "is no kernel module: no ELF file"),
        (MODULE[:100], "section headers"),
        (MODULE[:-1], "section headers"),
        (MODULE[:16] + b"\2" + MODULE[17:], "no kernel module: a program"),
        (MODULE + trailer(0xFFFFFFFF), "claims 4294967295 bytes"),
        (MODULE + trailer(len(MODULE)), "claims"),
        (MODULE + trailer(100), "does not fit"),
        (append(MODULE + trailer(100), b"good"), "does not fit"),
        (MODULE + trailer(0) * 65, "more than 64"),
        (compress(MODULE, Compression.XZ)[:-20], "ends too early"),
        (compress(b"hello", Compression.GZIP), "is no kernel module"),
    ],
)
def test_bad_files(tmp_path: Path, data: bytes, reason: str) -> None:
    path = placed(tmp_path, data)
    with pytest.raises(FormatError, match=reason) as caught:
        read_module(path)
    assert caught.value.where == path
    assert caught.value.hint


def test_no_files(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="is a directory") as caught:
        read_module(str(tmp_path))
    assert "--tree" in str(caught.value.hint)
    with pytest.raises(Unreadable, match="no such file"):
        read_module(str(tmp_path / "none"))
    with pytest.raises(Unreadable, match="not a regular file"):
        read_module("/dev/null")


def test_signers(tmp_path: Path) -> None:
    module = read_module(placed(tmp_path, append(MODULE, b"no message")))
    assert signer_of(module) == ("somebody unknown", None)
    old = MODULE + b"Fedora: key" + b"sign" + bytes((1, 4, 1, 11, 0, 0, 0, 0)) + (4).to_bytes(4) + MARKER
    assert signer_of(read_module(placed(tmp_path, old))) == ("Fedora: key", None)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60), st.integers(0, len(MODULE)), st.integers(0, 2**32 - 1))
def test_any_bytes_behind_any_part(tmp_path: Path, more: bytes, size: int, length: int) -> None:
    path = placed(tmp_path, MODULE[:size] + more + trailer(length))
    with contextlib.suppress(FormatError):
        module = read_module(path)
        assert module.without(len(module.signatures))[: len(MODULE)] == MODULE
