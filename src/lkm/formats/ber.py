"""Elements of BER as the kernel's decoder takes them: definite lengths of at most two bytes, or indefinite ones.

Source: lib/asn1_decoder.c (5.10 to 7.2).
"""

from collections.abc import Iterator
from typing import NamedTuple

from lkm.errors import FormatError

__all__ = ["Ber", "Element", "dotted"]

_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_INDEFINITE = 0x80
_DEEPEST = 64  # indefinite lengths inside of each other


class Element(NamedTuple):
    """One element.

    :param start: of its contents
    :param end: of its contents
    :param after: where the next element begins
    """

    tag: int
    start: int
    end: int
    after: int


class Ber:
    """A message, and a place in it.

    :ivar place: where the next element begins
    :ivar end: where the innermost element ends that was entered
    """

    __slots__ = ("data", "end", "place")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0
        self.end = len(data)

    @property
    def at_end(self) -> bool:
        """Whether the innermost element has nothing more."""
        return self.place >= self.end

    def is_next(self, tag: int) -> bool:
        """Tell whether an element of this tag comes next."""
        return not self.at_end and _matches(self.data[self.place], tag)

    def take(self, tag: int | None = None) -> Element:
        """Take the next element and go on behind it.

        :param tag: which it must have; None for any
        :raises FormatError: there is none, or another
        """
        element = self._element(self.place, self.end)
        if tag is not None and not _matches(element.tag, tag):
            raise FormatError(f"an element of tag {element.tag:#x} where {tag:#x} must be", offset=self.place)
        self.place = element.after
        return element

    def inside(self, element: Element) -> "Ber":
        """Give the elements inside of one."""
        inner = Ber(self.data)
        inner.place, inner.end = element.start, element.end
        return inner

    def several(self) -> Iterator[None]:
        """Go on from element to element, which the caller takes; the kernel's grammars want at least one."""
        yield
        while not self.at_end:
            yield

    def finish(self) -> None:
        """Make sure that nothing is left of the innermost element.

        :raises FormatError: something is
        """
        if self.place != self.end:
            raise FormatError("more in an element than there should be", offset=self.place)

    def contents(self, element: Element) -> bytes:
        """Give the contents of an element."""
        return self.data[element.start : element.end]

    def _element(self, place: int, end: int) -> Element:
        if end - place < 2:
            raise FormatError("the data ends where an element should be", offset=place)
        tag, length = self.data[place], self.data[place + 1]
        if tag & _LONG_TAG == _LONG_TAG:
            raise FormatError("a long tag", offset=place)
        start = place + 2
        if length == _INDEFINITE:
            return self._indefinite(tag, start, end)
        if length > _INDEFINITE:
            count = length - _INDEFINITE
            if count > 2 or count > end - start:
                raise FormatError("a length that is too long", offset=place)
            length = int.from_bytes(self.data[start : start + count])
            start += count
        if length > end - start:
            raise FormatError("an element longer than what is left", offset=place)
        return Element(tag, start, start + length, start + length)

    def _indefinite(self, tag: int, start: int, end: int) -> Element:
        """``asn1_find_indefinite_length``."""
        if not tag & _CONSTRUCTED:
            raise FormatError("an indefinite length of what holds no elements", offset=start)
        place, open_elements = start, 1
        while True:
            if end - place < 2 or open_elements > _DEEPEST:
                raise FormatError("an indefinite length without an end", offset=start)
            if self.data[place] == 0:
                if self.data[place + 1] != 0:
                    raise FormatError("an end of contents that is none", offset=place)
                place += 2
                open_elements -= 1
                if not open_elements:
                    return Element(tag, start, place - 2, place)
            elif self.data[place + 1] == _INDEFINITE and self.data[place] & _CONSTRUCTED:
                place += 2
                open_elements += 1
            else:
                place = self._element(place, end).after


def _matches(found: int, wanted: int) -> bool:
    """Where elements may be inside, the kernel's decoder does not insist on the bit that says so."""
    return (found ^ wanted) & ~(wanted & _CONSTRUCTED) == 0


def dotted(octets: bytes) -> str:
    """Write an object identifier as the kernel does (lib/oid_registry.c ``sprint_oid``)."""
    if not octets or octets[-1] >= 0x80:
        return "(bad)"
    first, rest = octets[0], octets[1:]
    arcs, value = [first // 40, first % 40], 0
    for byte in rest:
        value = (value << 7 | byte & 0x7F) & (1 << 64) - 1
        if byte < 0x80:
            arcs.append(value)
            value = 0
    return ".".join(map(str, arcs))
