"""Exports of flat kernel images."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.formats.kernel_image.flat_exports import exports
from lkm.formats.ksymtab import Export

_PAD = 4096

Change = Callable[[list[Export]], list[Export]]


def export(name: str, crc: int | None = None, *, gpl_only: bool = False, namespace: str | None = None) -> Export:
    return Export(name, crc, gpl_only, namespace)


PUBLIC = [
    export("aaa"),
    export("kfree"),
    export("register_filesystem"),
    export("zzz", namespace="module:kvm,kvm-intel"),
]
GPL = [export("kthread_stop", gpl_only=True), export("zap_vma_ptes", gpl_only=True, namespace="MM")]


def flat(tables: list[list[Export]], *, flags: bool = False, empty: str = "point to nothing") -> bytes:
    """Lay tables out as the linker does; a namespace that is none is empty, or points to no text."""
    rows = [row for table in tables for row in table]
    with_crcs = rows[0].crc is not None
    room = b"".join(struct.pack("<I", row.crc or 0) for row in rows) if with_crcs else b""
    room += bytes(row.gpl_only for row in rows) if flags else b""
    strings_at = _PAD + 12 * len(rows) + len(room)
    strings, entries = b"", b""
    for number, row in enumerate(rows):
        place = _PAD + 12 * number
        name, strings = strings_at + len(strings), strings + row.name.encode() + b"\0"
        entries += struct.pack("<ii", -place, name - place - 4)
        if row.namespace is None and empty == "leave empty":
            entries += bytes(4)
            continue
        namespace, strings = strings_at + len(strings), strings + (row.namespace or "").encode() + b"\0"
        entries += struct.pack("<i", namespace - place - 8)
    return b"\xff" * _PAD + entries + room + strings + b"\xff" * 64


def numbered(table: list[Export]) -> list[Export]:
    return [row._replace(crc=0x90000000 + len(row.name)) for row in table]


@pytest.mark.parametrize("empty", ["point to nothing", "leave empty"])
@pytest.mark.parametrize("change", [list, numbered], ids=["without CRCs", "with CRCs"])
def test_two_tables(change: Change, empty: str) -> None:
    tables = [change(PUBLIC), change(GPL)]
    assert exports(flat(tables, empty=empty)) == (*tables[0], *tables[1])


@pytest.mark.parametrize("change", [list, numbered], ids=["without CRCs", "with CRCs"])
def test_one_table_with_flags(change: Change) -> None:
    table = sorted(change(PUBLIC + GPL))
    assert exports(flat([table], flags=True)) == tuple(table)


def test_one_table_without_flags_is_for_everybody() -> None:
    assert exports(flat([PUBLIC])) == tuple(PUBLIC)


def test_names_that_share_their_bytes() -> None:
    image = flat([[export("unregister_filesystem")]])
    place = image.index(b"unregister_filesystem")
    shared = struct.pack("<iii", 0, place + 2 - (_PAD - 12) - 4, place + 21 - (_PAD - 12) - 8)
    image = image[: _PAD - 12] + shared + image[_PAD:]
    assert [row.name for row in exports(image)] == ["register_filesystem", "unregister_filesystem"]


def test_what_makes_no_sense() -> None:
    assert exports(b"") == exports(b"register_filesystem\0" * 40) == exports(bytes(100_000)) == ()
    assert exports(flat([PUBLIC[::-1] + GPL[::-1] + PUBLIC])) == ()  # three tables


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=5))
def test_damage_is_no_surprise(changes: list[tuple[int, int]]) -> None:
    image = bytearray(flat([numbered(PUBLIC), numbered(GPL)]))
    for place, value in changes:
        image[_PAD + place % (len(image) - _PAD)] = value
    assert all(isinstance(row, Export) for row in exports(bytes(image)))
