"""The bracket expressions of a shell pattern, with what glibc makes of broken ones.

Facts: glibc 2.36, posix/fnmatch_loop.c, case ``[``, in the C locale (no collation rules) and without FNM_NOESCAPE.
"""

from dataclasses import dataclass, field

__all__ = ["read_bracket"]

_EVERY_BYTE = frozenset(range(1, 256))
_OPEN, _CLOSE, _DASH, _BACKSLASH, _COLON, _EQUALS, _DOT = b"[]-\\:=."
_INVERTERS = b"!^"
_END = 0  # what is read behind the end, as in C; a pattern holds no NUL

_CLASSES: dict[bytes, frozenset[int]] = {
    b"blank": frozenset(b" \t"),
    b"cntrl": frozenset([*range(32), 127]),
    b"digit": frozenset(b"0123456789"),
    b"graph": frozenset(range(33, 127)),
    b"lower": frozenset(range(97, 123)),
    b"print": frozenset(range(32, 127)),
    b"space": frozenset(b" \t\n\v\f\r"),
    b"upper": frozenset(range(65, 91)),
    b"xdigit": frozenset(b"0123456789abcdefABCDEF"),
}
_CLASSES[b"alpha"] = _CLASSES[b"lower"] | _CLASSES[b"upper"]
_CLASSES[b"alnum"] = _CLASSES[b"alpha"] | _CLASSES[b"digit"]
_CLASSES[b"punct"] = _CLASSES[b"graph"] - _CLASSES[b"alnum"]


def read_bracket(pattern: bytes, start: int, *, final: bool) -> tuple[frozenset[int] | int | None, int]:
    """Read what follows a ``[``.

    :param start: the place right behind the ``[``
    :param final: nothing follows the pattern
    :returns: the bytes it accepts, or ``[`` itself where it does not end, or None where it may end in what is still
        to come; and where the rest of the pattern begins
    """
    bracket = _Bracket(pattern, start)
    found = bracket.read()
    return (None, start - 1) if bracket.ran_out and not final else found


class _BrokenError(Exception):
    """glibc gives up: nothing matches from here on."""


class _UnterminatedError(Exception):
    """The pattern ended before the bracket did."""


@dataclass(slots=True)
class _Bracket:
    """The reading of one bracket.

    glibc compares while it reads. A byte that matches skips the rest by laxer rules than those by which a byte that
    does not match reads on; so each item is kept with the place at which the skipping would begin.
    """

    pattern: bytes
    position: int
    ran_out: bool = False
    items: list[tuple[frozenset[int], int]] = field(default_factory=list)
    seen: frozenset[int] = frozenset()
    skipped: dict[int, int | None] = field(default_factory=dict)

    def read(self) -> tuple[frozenset[int] | int, int]:
        start = self.position
        inverted = self._peek() in _INVERTERS
        self.position += inverted
        try:
            self._read_items()
        except _UnterminatedError:
            # Then the [ is a plain one, unless a [ in the text is found among the items first.
            return (frozenset() if _OPEN in self.seen else _OPEN), start
        except _BrokenError:
            end = self._skip(self.items[0][1]) if self.items else None
            accepted = frozenset[int]() if inverted or end is None else self._accepted(end)
            return accepted, start if end is None else end
        end = self.position
        if not inverted:
            return self._accepted(end), end
        return _EVERY_BYTE - self.seen, end

    def _accepted(self, end: int) -> frozenset[int]:
        """Unite the items whose skipping ends where the pattern goes on; others, in odd brackets only, are lost."""
        return frozenset().union(*(accepted for accepted, after in self.items if self._skip(after) == end))

    def _peek(self, ahead: int = 0) -> int:
        return self._at(self.position + ahead)

    def _at(self, place: int) -> int:
        if place < len(self.pattern):
            return self.pattern[place]
        self.ran_out = True
        return _END

    def _take(self) -> int:
        byte = self._peek()
        self.position += 1
        return byte

    def _add(self, accepted: frozenset[int]) -> None:
        new = accepted - self.seen  # a byte matches the first item that has it
        if new:
            self.seen |= new
            self.items.append((new, self.position))

    # --- items, as a byte sees them that has not matched yet ----------------------------------------------------------

    def _read_items(self) -> None:
        byte = self._take()
        while True:
            byte = self._read_item(byte)
            if byte == _CLOSE:
                return

    def _read_item(self, byte: int) -> int:
        """Read one item that begins with a byte already taken.

        :returns: the byte behind the item, taken
        """
        if byte == _BACKSLASH:
            if self._peek() == _END:
                raise _BrokenError
            return self._read_character(self._take())
        if byte == _OPEN and self._peek() == _COLON:
            return self._read_class()
        if byte == _OPEN and self._peek() == _EQUALS:
            return self._read_equivalence()
        if byte == _END:
            raise _UnterminatedError
        if byte == _OPEN and self._peek() == _DOT:
            symbol = self._read_symbol()
            if not (self._peek() == _DASH and self._peek(1) != _END):
                self._add(frozenset([symbol]))
            return self._read_range(symbol, self._take())
        return self._read_character(byte)

    def _read_character(self, byte: int) -> int:
        if not (self._peek() == _DASH and self._peek(1) not in {_END, _CLOSE}):
            self._add(frozenset([byte]))
        return self._read_range(byte, self._take())

    def _read_range(self, first: int, byte: int) -> int:
        if byte != _DASH or self._peek() == _CLOSE:
            return byte
        last = self._take()
        if last == _OPEN and self._peek() == _DOT:
            last = self._read_symbol()
        else:
            if last == _BACKSLASH:
                last = self._take()
            if last == _END:
                raise _BrokenError
        self._add(frozenset(range(first, last + 1)))
        return self._take()

    def _read_class(self) -> int:
        place = self.position + 1
        while True:
            byte = self._at(place)
            if byte == _COLON and self._at(place + 1) == _CLOSE:
                break
            # Up to z, which glibc leaves out.
            if not ord("a") <= byte < ord("z"):
                return self._read_character(_OPEN)
            place += 1
        name = self.pattern[self.position + 1 : place]
        if name not in _CLASSES:
            raise _BrokenError
        self.position = place + 2
        self._add(_CLASSES[name])
        return self._take()

    def _read_equivalence(self) -> int:
        byte = self._peek(1)
        if byte == _END or self._peek(2) != _EQUALS or self._peek(3) != _CLOSE:
            return self._read_character(_OPEN)
        self.position += 4
        self._add(frozenset([byte]))
        return self._take()

    def _read_symbol(self) -> int:
        """Read ``.X.]``; without collation rules only a symbol of one byte has a name."""
        start = self.position + 1
        place = start
        while not (self._at(place) == _DOT and self._at(place + 1) == _CLOSE):
            if self._at(place) == _END:
                raise _BrokenError
            place += 1
        if place != start + 1:
            raise _BrokenError
        self.position = place + 2
        return self.pattern[start]

    # --- the rest, as a byte sees it that has matched -----------------------------------------------------------------

    def _skip(self, place: int) -> int | None:
        """Find the place behind the bracket; None where glibc gives up."""
        passed: list[int] = []
        end: int | None = place
        while end is not None and place not in self.skipped:
            passed.append(place)
            end = self._skip_item(place)
            if end is None or self.pattern[place] == _CLOSE:
                self.skipped[place] = end
            else:
                place = end
        end = self.skipped[place]
        self.skipped.update(dict.fromkeys(passed, end))
        return end

    def _skip_item(self, place: int) -> int | None:
        byte = self._at(place)
        place += 1
        if byte not in {_OPEN, _BACKSLASH}:
            return None if byte == _END else place
        kind = self._at(place)
        if byte == _BACKSLASH:
            return None if kind == _END else place + 1
        if kind == _COLON:
            return self._skip_class(place)
        if kind == _EQUALS:
            is_whole = self._at(place + 1) != _END and self._at(place + 2) == _EQUALS and self._at(place + 3) == _CLOSE
            return place + 4 if is_whole else None
        if kind == _DOT:
            return self._skip_symbol(place)
        return place

    def _skip_class(self, colon: int) -> int:
        place = colon + 1
        while not (self._at(place) == _COLON and self._at(place + 1) == _CLOSE):
            if not ord("a") <= self._at(place) < ord("z"):
                return colon
            place += 1
        return place + 2

    def _skip_symbol(self, dot: int) -> int | None:
        end = self.pattern.find(b".]", dot + 1)
        if end < 0:
            self.ran_out = True
            return None
        return end + 2
