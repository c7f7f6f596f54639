"""Lines as the kernel prints them, with places for what differs; matched in linear time.

``{name}`` stands for one word, ``{name*}`` for any text. What stands in the same place twice must be the same.
A template matches anywhere in a line, whatever time stamps, host names or quotation marks come before.
"""

from functools import cache
from typing import NamedTuple

__all__ = ["anchor", "match"]


class _Place(NamedTuple):
    name: str
    any_text: bool
    literal: str  # what follows it


class _Template(NamedTuple):
    literal: str  # what it begins with; may be empty
    places: tuple[_Place, ...]


def match(template: str, line: str) -> dict[str, str] | None:
    """Give what stands in a template's places, or None where the line does not match."""
    first, places = _parse(template)
    if first:
        at = line.find(first)
        if at < 0:
            return None
        return _places(places, line, at + len(first), {})
    lead, *rest = places
    at = line.find(lead.literal)
    word = line[: max(at, 0)].rsplit(None, 1)[-1:]
    if not word or line[at - 1].isspace():
        return None
    return _places(tuple(rest), line, at + len(lead.literal), {lead.name: word[0]})


def _places(places: tuple[_Place, ...], line: str, at: int, found: dict[str, str]) -> dict[str, str] | None:
    for place in places:
        rest = line[at:]
        if place.literal:
            end = rest.find(place.literal)
        elif place.any_text:
            end = len(rest)
        else:
            end = len(rest.split(None, 1)[0]) if rest[:1].strip() else -1
        text = rest[: max(end, 0)]
        is_word = bool(text) and not any(map(str.isspace, text))
        if end < 0 or not (place.any_text or is_word) or found.setdefault(place.name, text) != text:
            return None
        at += end + len(place.literal)
    return found


def anchor(template: str) -> str:
    """Give a part of the template that every matching line has."""
    first, places = _parse(template)
    return max((first, *(place.literal for place in places)), key=len)


@cache
def _parse(template: str) -> _Template:
    first, *pieces = template.split("{")
    places = []
    for piece in pieces:
        name, _, literal = piece.partition("}")
        places.append(_Place(name.removesuffix("*"), name.endswith("*"), literal))
    return _Template(first, tuple(places))
