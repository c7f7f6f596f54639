"""Module.symvers."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats.ksymtab import Export
from lkm.formats.symvers import by_module

ROWS = (
    b"0x92997ed8\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n"
    b"0x00000001\tiommu\tvmlinux\tEXPORT_SYMBOL_GPL\tIOMMU\n"
    b"0x00000000\tfrom_assembly\tvmlinux\tEXPORT_SYMBOL\t\n"
    b"0xffffffff\tfat_attach\tfs/fat/fat\tEXPORT_SYMBOL_GPL\n"
    b"0x0000000a\tsnd\tsound/core/snd-pcm\tEXPORT_UNUSED_SYMBOL_GPL\t\n"
    b"0x0000000b\told\tsound/core/snd-pcm\tEXPORT_SYMBOL_GPL_FUTURE\t\n"
)


def test_by_module() -> None:
    assert by_module(ROWS) == {
        "vmlinux": [
            Export("_printk", 0x92997ED8, gpl_only=False, namespace=None),
            Export("iommu", 1, gpl_only=True, namespace="IOMMU"),
            Export("from_assembly", 0, gpl_only=False, namespace=None),
        ],
        "fat": [Export("fat_attach", 0xFFFFFFFF, gpl_only=True, namespace=None)],
        "snd_pcm": [
            Export("snd", 10, gpl_only=True, namespace=None),
            Export("old", 11, gpl_only=False, namespace=None),
        ],
    }


def test_a_build_without_versions() -> None:
    found = by_module(b"0x00000000\ta\tvmlinux\tEXPORT_SYMBOL\t\n0x00000000\tb\tx/y\tEXPORT_SYMBOL\tN\n")
    assert found["vmlinux"][0].crc is None
    assert found["y"] == [Export("b", None, gpl_only=False, namespace="N")]
    assert by_module(b"") == {}


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (b"0x1\ta\tvmlinux", "line 2 has 3 columns instead of 4 or 5"),
        (b"0xg\ta\tvmlinux\tEXPORT_SYMBOL\t", "line 2 begins with '0xg', which is no CRC"),
        (b"-1\ta\tvmlinux\tEXPORT_SYMBOL\t", "line 2 begins with '-1', which is no CRC"),
        (b"0x100000000\ta\tvmlinux\tEXPORT_SYMBOL\t", "which is no CRC"),
    ],
)
def test_damaged_rows(row: bytes, complaint: str) -> None:
    with pytest.raises(FormatError, match=complaint):
        by_module(b"0x1\ta\tvmlinux\tEXPORT_SYMBOL\t\n" + row)


@given(st.binary(max_size=80) | st.text("0x1a\t\n", max_size=80).map(str.encode))
def test_damage_is_no_surprise(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        by_module(data)
