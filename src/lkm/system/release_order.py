"""The order of kernel releases: 6.10 comes after 6.9."""

import re

__all__ = ["natural"]

_DIGITS = re.compile(r"(\d+)")


def natural(release: str) -> list[tuple[int, str]]:
    """Give what releases are to be sorted by: numbers count as such, and go before words."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(release)]
