"""The section headers, read without the rest of the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.errors import ElfError
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.section_table import SectionTable, read_section_table
from lkm.formats.elf.writer import ObjectWriter


def sample() -> bytes:
    writer = ObjectWriter()
    writer.add_section(".text", data=bytes(5000))
    writer.add_section(".modinfo", data=b"license=GPL\0")
    return writer.to_bytes()


def table(data: bytes, size: int | None = None) -> SectionTable:
    return read_section_table(lambda offset, count: data[offset : offset + count], len(data) if size is None else size)


def test_only_what_is_needed_is_read() -> None:
    data = sample()
    read: list[int] = []

    def reader(offset: int, count: int) -> bytes:
        read.append(count)
        return data[offset : offset + count]

    found = read_section_table(reader, len(data))
    index = found.index(".modinfo")
    assert index is not None
    assert bytes(found.contents(index)) == b"license=GPL\0"
    assert len(read) == 4
    assert sum(read) < 1000


def test_a_file_that_shrinks_while_it_is_read_is_an_error() -> None:
    data = sample()
    with pytest.raises(ElfError, match="was cut"):
        table(data[:-1], len(data))
    with pytest.raises(ElfError, match="magic"):
        table(b"", len(data))


@given(st.data())
def test_it_agrees_with_the_reader_of_all(data: st.DataObject) -> None:
    changed = bytearray(sample())
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, 63) | st.integers(5000, len(changed) - 1))] = data.draw(st.integers(0, 255))
    whole = bytes(changed)
    outcomes: list[bytes | int | None] = []
    for read in (table, lambda raw: Elf(raw).section_table):
        try:
            found = read(whole)
            index = found.index(".modinfo")
            outcomes.append(None if index is None else bytes(found.contents(index)))
        except ElfError as error:
            outcomes.append(error.offset)
    assert outcomes[0] == outcomes[1]
