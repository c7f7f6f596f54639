"""The trailer of signed modules."""

import mmap
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats import module_signature
from lkm.formats.module_signature import END_SIZE, MARKER, KeyIdType


def trailer(*, sig_len: int, id_type: int = 2, signer_len: int = 0, key_id_len: int = 0, algo: int = 0) -> bytes:
    return struct.pack(">5B3sI", algo, 4, id_type, signer_len, key_id_len, b"pad", sig_len) + MARKER


def test_unsigned() -> None:
    assert module_signature.read(b"module") is None
    assert module_signature.split(b"module") == (6, None)
    assert module_signature.split(b"") == (0, None)


def test_the_marker_alone_is_no_signature() -> None:
    # As in kernel/module/signing.c:module_sig_check, which asks for more than the marker.
    assert module_signature.split(MARKER) == (len(MARKER), None)


def mapped(data: bytes) -> mmap.mmap:
    area = mmap.mmap(-1, len(data))
    area[:] = data
    return area


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, mapped])
def test_append_and_split(wrap: Callable[[bytes], bytes | bytearray | memoryview | mmap.mmap]) -> None:
    data = wrap(module_signature.append(b"content", b"DER"))
    size, signature = module_signature.split(data)
    assert size == 7
    assert signature is not None
    assert signature.signature(data) == b"DER"
    assert signature.signer(data) == signature.key_id(data) == b""
    assert (signature.algo, signature.hash, signature.id_type, signature.sig_len) == (0, 0, KeyIdType.PKCS7, 3)
    assert signature.padding == bytes(3)


def test_the_kinds_before_pkcs7() -> None:
    data = b"content" + b"signer" + b"key" + b"sign" + trailer(sig_len=4, id_type=1, signer_len=6, key_id_len=3, algo=1)
    size, signature = module_signature.split(data)
    assert signature is not None
    assert size == signature.content_size == len(data) - 40 - 4
    assert (signature.signer(data), signature.key_id(data), signature.signature(data)) == (b"signer", b"key", b"sign")
    assert module_signature.DIGESTS[signature.hash] == "sha256"
    assert signature.padding == b"pad"


@pytest.mark.parametrize("sig_len", [7, 8, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_lies(sig_len: int) -> None:
    data = b"content" + trailer(sig_len=sig_len)
    with pytest.raises(FormatError) as caught:
        module_signature.split(data)
    assert caught.value.offset == 7 + 8
    raw = module_signature.read(data)
    assert raw is not None
    assert raw.sig_len == sig_len


def test_an_empty_signature_is_left_to_the_caller() -> None:
    size, signature = module_signature.split(b"content" + trailer(sig_len=0))
    assert size == 7
    assert signature is not None
    assert signature.sig_len == 0


def test_names_that_would_begin_before_the_file() -> None:
    data = b"content" + trailer(sig_len=3, signer_len=200, key_id_len=100)
    _, signature = module_signature.split(data)
    assert signature is not None
    with pytest.raises(FormatError):
        signature.signer(data)
    with pytest.raises(FormatError):
        signature.key_id(data)
    with pytest.raises(FormatError):
        signature.signature(b"another, shorter file"[:5])


@pytest.mark.parametrize("before", [b"1", bytes(11), bytes(12)])
def test_cut_off_before_the_marker(before: bytes) -> None:
    with pytest.raises(FormatError):
        module_signature.split(before + MARKER)


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes(data: bytes, end: bool) -> None:  # noqa: FBT001 - hypothesis draws it
    whole = data + MARKER if end else data
    try:
        size, signature = module_signature.split(whole)
    except FormatError:
        assert end
    else:
        assert 0 <= size <= len(whole)
        assert signature is None or len(signature.signature(whole)) == signature.sig_len


@given(st.binary(max_size=80), st.booleans())
def test_the_end_alone_tells_the_trailer(content: bytes, signed: bool) -> None:  # noqa: FBT001
    data = content + MARKER if signed else content
    try:
        expected = module_signature.read(data)
    except FormatError:
        with pytest.raises(FormatError):
            module_signature.read_end(data[-END_SIZE:], len(data))
        return
    assert module_signature.read_end(data[-END_SIZE:], len(data)) == expected


def test_several_signatures_one_upon_the_other() -> None:
    once = module_signature.append(b"content", b"first")
    twice = module_signature.append(once, b"second")
    size, found = module_signature.split_all(twice)
    assert size == 7
    assert [one.signature(twice) for one in found] == [b"second", b"first"]
    assert found[0].start == len(once)
    assert module_signature.split_all(b"content") == (7, ())
    assert module_signature.split_all(b"") == (0, ())


def test_the_kinds_before_pkcs7_are_taken_off_with_their_names() -> None:
    data = b"content" + b"signer" + b"key" + b"sign" + trailer(sig_len=4, id_type=1, signer_len=6, key_id_len=3)
    assert module_signature.split_all(data)[0] == 7


def test_a_signature_that_leaves_nothing() -> None:
    data = b"signer" + b"sign" + trailer(sig_len=4, id_type=1, signer_len=6)
    with pytest.raises(FormatError, match="leaves nothing"):
        module_signature.split_all(data)
    with pytest.raises(FormatError):
        module_signature.split_all(b"sign" + trailer(sig_len=4))


def test_too_many_signatures() -> None:
    data = b"content" + trailer(sig_len=0) * module_signature.MOST_STACKED
    assert module_signature.split_all(data)[0] == 7
    with pytest.raises(FormatError, match="more than 64"):
        module_signature.split_all(data + trailer(sig_len=0))


def test_a_lie_below_a_good_signature() -> None:
    with pytest.raises(FormatError, match="claims"):
        module_signature.split_all(module_signature.append(b"content" + trailer(sig_len=99), b"good"))


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_all_that_was_appended_comes_off(signatures: list[bytes]) -> None:
    data = b"content"
    for signature in signatures:
        data = module_signature.append(data, signature)
    size, found = module_signature.split_all(data)
    assert (size, [one.signature(data) for one in found]) == (7, signatures[::-1])


def test_the_trailer_is_what_is_appended() -> None:
    assert b"content" + module_signature.trailer(b"DER") == module_signature.append(b"content", b"DER")
