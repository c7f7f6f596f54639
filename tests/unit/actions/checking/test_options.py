"""The values that users write for a check."""

import re

import pytest

from lkm.actions.checking.options import CheckOptions, mask_of, number, taint_mask
from lkm.errors import UsageError


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("0", 0),
        ("4097", 0x1001),
        ("0x1001", 0x1001),
        ("0X1001", 0x1001),
        ("PO", 0x1001),
        ("OP", 0x1001),
        ("G", 0),
        ("G           OE", 0x3000),
        ("J", 1 << 19),
        (str((1 << 64) - 1), (1 << 64) - 1),
    ],
)
def test_taint_mask(text: str, mask: int) -> None:
    assert taint_mask(text) == mask


@pytest.mark.parametrize(
    "text", ["", " ", "x", "po", "0x", "0xG", "1e3", "1_0", "-1", "٣", str(1 << 64), "9" * 9999, "PZ"]
)
def test_no_taint_mask(text: str) -> None:
    with pytest.raises(UsageError, match="is no taint mask"):
        taint_mask(text)


def test_letters_that_are_none_count_for_nothing() -> None:
    assert mask_of("OE+z") == 0x3000


@pytest.mark.parametrize("text", ["", "x", "-1", "1_0", "0b1", "1.5", " 1"])
def test_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$|invalid literal"):
        number(text)


def test_the_caller() -> None:
    assert CheckOptions().caller == "modprobe"
    assert CheckOptions(raw=True).caller == "insmod"
    assert CheckOptions(command="a-name-of-16-byt").caller == "a-name-of-16-by"
