"""EFI signature lists."""

import struct
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats import efi_signature_lists
from lkm.formats.efi_signature_lists import SignatureEntry, SignatureType

OWNER = "605dab50-e046-4300-abb6-3dd810dd8b23"
STRANGE = "12345678-9abc-def0-1234-56789abcdef0"


def packed(
    kind: SignatureType = SignatureType.SHA256,
    *,
    size: int | None = None,
    header: int = 0,
    entry: int = 48,
    body: bytes = bytes(48),
) -> bytes:
    """Write a list with whatever sizes."""
    total = 28 + header + len(body) if size is None else size
    return UUID(kind.value).bytes_le + struct.pack("<III", total, header, entry) + bytes(header) + body


def test_a_certificate_and_hashes() -> None:
    data = efi_signature_lists.render(SignatureType.X509, [b"certificate"], owner=OWNER)
    data += efi_signature_lists.render(SignatureType.SHA256, [bytes(32), b"\x01" * 32], owner=OWNER)
    first, *hashes = efi_signature_lists.parse(data)
    assert first == SignatureEntry(SignatureType.X509.value, OWNER, b"certificate")
    assert (first.type, first.certificate) == (SignatureType.X509, b"certificate")
    assert [(entry.type, entry.certificate) for entry in hashes] == [(SignatureType.SHA256, None)] * 2
    assert [entry.data for entry in hashes] == [bytes(32), b"\x01" * 32]


def test_the_bytes_as_firmware_has_them() -> None:
    data = efi_signature_lists.render(SignatureType.X509, [b"\x30\x00"], owner=OWNER)
    fields = ("a159c0a5e494a74a87b5ab155c2bf072", "2e000000", "00000000", "12000000")
    assert data.hex(" ") == bytes.fromhex("".join((*fields, "50ab5d6046e00043abb63dd810dd8b23", "3000"))).hex(" ")


def test_which_items_share_a_list() -> None:
    certificates = efi_signature_lists.render(SignatureType.X509, [b"one", b"three", b"two"])
    assert [entry.data for entry in efi_signature_lists.parse(certificates)] == [b"one", b"three", b"two"]
    assert len(certificates) == 3 * (28 + 16) + 11
    assert len(efi_signature_lists.render(SignatureType.SHA256, [bytes(32)] * 3)) == 28 + 3 * 48
    assert len(efi_signature_lists.render(SignatureType.SHA256, [bytes(32), bytes(33)])) == 2 * 28 + 48 + 49
    assert efi_signature_lists.render(SignatureType.SHA1, []) == b""


def test_unknown_types_are_kept() -> None:
    (entry,) = efi_signature_lists.parse(efi_signature_lists.render(STRANGE, [b"what"]))
    assert (entry.guid, entry.type, entry.data) == (STRANGE, None, b"what")


@pytest.mark.parametrize("kind", SignatureType)
def test_each_type_is_known_again(kind: SignatureType) -> None:
    (entry,) = efi_signature_lists.parse(efi_signature_lists.render(kind, [b"data"]))
    assert entry.type is kind


def test_a_header_is_passed_over() -> None:
    (entry,) = efi_signature_lists.parse(packed(header=5))
    assert entry.data == bytes(32)


def test_nothing() -> None:
    assert efi_signature_lists.parse(b"") == ()


@pytest.mark.parametrize(
    "data",
    [
        bytes(27),
        packed()[:-1],
        packed(size=27),
        packed(size=0),
        packed(size=0xFFFFFFFF),
        packed(header=0) + bytes(27),
        packed(entry=15, body=bytes(45)),
        packed(entry=0),
        packed(entry=49),
        packed(entry=32),
        packed(entry=0xFFFFFFFF),
        packed(body=b""),
        UUID(SignatureType.X509.value).bytes_le + struct.pack("<III", 28, 0xFFFFFFFF, 16),
    ],
)
def test_what_the_kernel_refuses(data: bytes) -> None:
    with pytest.raises(FormatError, match="signature list"):
        efi_signature_lists.parse(data)


def test_what_stands_before_a_fault_counts() -> None:
    good = efi_signature_lists.render(SignatureType.X509, [b"good"])
    lists = efi_signature_lists.read(good + packed()[:-1])
    assert [entry.data for entry in lists.entries] == [b"good"]
    assert lists.problem is not None
    assert lists.problem.offset == len(good)


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    lists = efi_signature_lists.read(data)
    assert sum(len(entry.data) + 16 for entry in lists.entries) <= len(data)


@settings(max_examples=60)
@given(st.integers(0, 160), st.integers(0, 255))
def test_any_byte_changed(place: int, value: int) -> None:
    data = bytearray(efi_signature_lists.render(SignatureType.SHA256, [bytes(32)] * 2) + packed())
    data[place] = value
    lists = efi_signature_lists.read(bytes(data))
    assert len(lists.entries) <= len(data) // 16


@settings(max_examples=40)
@given(st.sampled_from(SignatureType), st.lists(st.binary(max_size=40), max_size=5), st.uuids())
def test_written_and_read(kind: SignatureType, items: list[bytes], owner: UUID) -> None:
    found = efi_signature_lists.parse(efi_signature_lists.render(kind, items, owner=str(owner)))
    assert [entry.data for entry in found] == items
    assert all((entry.type, entry.owner) == (kind, str(owner)) for entry in found)
