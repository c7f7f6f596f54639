r"""Shell patterns as glibc's ``fnmatch(pattern, text, 0)`` reads them in the C locale, byte by byte.

kmod matches aliases and names of modprobe.d with it. ``*`` and ``?`` match any byte, ``/`` too; ``\`` takes the next
byte as it is; ``[...]`` knows ranges, ``!`` or ``^``, and classes as ``[:digit:]`` (glibc 2.36, posix/fnmatch_loop.c).

A pattern becomes tokens, and the set of places in the text that the tokens so far can reach is one integer: bit N says
that N bytes are used up. A token costs one or two operations on it, so no pattern takes more than its length.
"""

from lkm.formats.glob_bracket import read_bracket

__all__ = ["ANY", "STAR", "Glob", "Token", "advance", "matches", "places", "tokenise"]

Token = int | frozenset[int]
"""A byte that must come (0 to 255), STAR, ANY, or the set of the bytes that may come."""

STAR = -1
"""Any number of bytes."""

ANY = -2
"""One byte."""

_BACKSLASH, _BRACKET, _ASTERISK, _QUESTION = b"\\[*?"
_NEVER: frozenset[int] = frozenset()
_SPECIAL = frozenset("*?[\\")
_SHORT = 512  # bytes: beyond, adding bit by bit is slower than one conversion for each byte value


class Glob:
    """A pattern, ready to be matched many times.

    :param pattern: as it stands in the file; bytes that are no UTF-8 are surrogate escapes
    """

    __slots__ = ("_tokens", "is_literal", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.is_literal = _SPECIAL.isdisjoint(pattern)
        self._tokens: tuple[Token, ...] | None = None

    def __repr__(self) -> str:
        return f"Glob({self.pattern!r})"

    def matches(self, text: str) -> bool:
        """Tell whether the whole text has this form."""
        if self.is_literal:
            return self.pattern == text
        if self._tokens is None:
            self._tokens = tokenise(_bytes(self.pattern))[0]
        data = _bytes(text)
        everywhere = (2 << len(data)) - 1
        return advance(self._tokens, 1, places(data), everywhere) >> len(data) != 0


def matches(pattern: str, text: str) -> bool:
    """Tell whether the whole text has the form of a pattern."""
    return Glob(pattern).matches(text)


def tokenise(pattern: bytes, *, final: bool = True) -> tuple[tuple[Token, ...], int]:
    """Split a pattern into tokens.

    :param final: nothing follows; else an escape or a bracket that has begun at the end is left over
    :returns: the tokens, and how many bytes of the pattern they stand for
    """
    tokens: list[Token] = []
    position = 0
    while position < len(pattern):
        token, following = _read(pattern, position, final=final)
        if token is None:
            break
        if token != STAR or not tokens or tokens[-1] != STAR:
            tokens.append(token)
        position = following
    return tuple(tokens), position


def _read(pattern: bytes, position: int, *, final: bool) -> tuple[Token | None, int]:
    """Read one token; None for one that needs more than there is."""
    byte = pattern[position]
    following = position + 1
    if byte == _ASTERISK:
        return STAR, following
    if byte == _QUESTION:
        return ANY, following
    if byte == _BRACKET:
        return read_bracket(pattern, following, final=final)
    if byte != _BACKSLASH:
        return byte, following
    if following < len(pattern):
        return pattern[following], following + 1
    # At the end of a pattern an escape matches nothing at all.
    return (_NEVER if final else None), following


def places(text: bytes) -> list[int]:
    """Give for each of the 256 byte values the places right after it, as bits."""
    after = [0] * 256
    if len(text) > _SHORT:
        for byte in frozenset(text):
            after[byte] = _places_of(byte, text)
        return after
    bit = 2
    for byte in text:
        after[byte] |= bit
        bit += bit
    return after


def _places_of(byte: int, text: bytes) -> int:
    digits = bytes(0x31 if value == byte else 0x30 for value in range(256))
    return int(text[::-1].translate(digits), 2) << 1


def advance(tokens: tuple[Token, ...], reached: int, after: list[int], everywhere: int) -> int:
    """Follow tokens from a set of places.

    :param reached: the places to begin at; bit N means that N bytes are used up
    :param after: the text, as :func:`places` gives it
    :param everywhere: the bits 0 to the text's length
    :returns: the places that can be reached; 0 where the text does not have this form
    """
    for token in tokens:
        if not isinstance(token, int):
            reached = (reached << 1) & _union(token, after)
        elif token >= 0:
            reached = (reached << 1) & after[token]
        elif token == STAR:
            reached = everywhere & -(reached & -reached)
        else:
            reached = (reached << 1) & everywhere
        if not reached:
            return 0
    return reached


def _union(accepted: frozenset[int], after: list[int]) -> int:
    bits = 0
    for byte in accepted:
        bits |= after[byte]
    return bits


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
