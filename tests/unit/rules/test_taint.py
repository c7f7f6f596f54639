"""Taint flags, their letters and meanings."""

import pytest

from lkm.rules.taint import Taint, describe, letters


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        (0, ""),
        (Taint.PROPRIETARY_MODULE, "P"),
        (Taint.OOT_MODULE | Taint.UNSIGNED_MODULE, "OE"),
        (0xFFFFF, "PFSRMBUDAWCIOELKXTNJ"),
        (1 << 40, ""),  # a flag of a later kernel
    ],
)
def test_letters(mask: int, text: str) -> None:
    assert letters(mask) == text
    assert "".join(letter for letter, _ in describe(mask)) == text


def test_every_flag_has_its_letter_and_meaning() -> None:
    for bit, flag in enumerate(Taint):
        assert flag == 1 << bit
        ((letter, meaning),) = describe(flag)
        assert letter == letters(flag)
        assert meaning
