r"""Shell patterns as glibc's ``fnmatch(pattern, text, 0)`` reads them in the C locale, byte by byte.

kmod matches aliases and names of modprobe.d with it. ``*`` and ``?`` match any byte, ``/`` too; ``\`` takes the next
byte as it is; ``[...]`` knows ranges, ``!`` or ``^``, and classes as ``[:digit:]`` (glibc 2.36, posix/fnmatch_loop.c).

A pattern becomes pieces of a fixed length with stars between them. The set of places in the text that a pattern so
far can reach is one integer: bit N says that N bytes are used up. Between two stars the first place where a piece fits
is as good as all others, so that no pattern takes much more than its length times that of the text.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lkm.formats.glob_bracket import read_bracket

__all__ = ["ANY", "STAR", "Form", "Glob", "Text", "Token", "advance", "form_of", "matches", "places", "tokenise"]

Token = int | frozenset[int]
"""A byte that must come (0 to 255), STAR, ANY, or the set of the bytes that may come."""

STAR = -1
"""Any number of bytes."""

ANY = -2
"""One byte."""

Run = bytes | tuple[Token, ...]
"""Tokens but STAR, one after the other; bytes where all of them are bytes that must come."""

_BACKSLASH, _BRACKET, _ASTERISK, _QUESTION = b"\\[*?"
_NEVER: frozenset[int] = frozenset()
_SPECIAL = frozenset("*?[\\")
_SHORT = 512  # bytes: beyond, adding bit by bit is slower than one conversion for each byte value


class Form(NamedTuple):
    """Tokens, ready to be followed.

    :param first: what comes before the first star
    :param middle: what stands between two stars
    :param last: what comes after the last star; None where there is none
    """

    first: Run
    middle: tuple[Run, ...] = ()
    last: Run | None = None


class Text:
    """A text that patterns are matched with.

    :ivar everywhere: the bits 0 to the text's length
    """

    __slots__ = ("_after", "data", "everywhere")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.everywhere = (2 << len(data)) - 1
        self._after: list[int] | None = None

    @property
    def after(self) -> list[int]:
        """The text as :func:`places` gives it."""
        if self._after is None:
            self._after = places(self.data)
        return self._after


class Glob:
    """A pattern, ready to be matched many times.

    :param pattern: as it stands in the file; bytes that are no UTF-8 are surrogate escapes
    """

    __slots__ = ("_form", "is_literal", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.is_literal = _SPECIAL.isdisjoint(pattern)
        self._form: Form | None = None

    def __repr__(self) -> str:
        return f"Glob({self.pattern!r})"

    def matches(self, text: str) -> bool:
        """Tell whether the whole text has this form."""
        if self.is_literal:
            return self.pattern == text
        if self._form is None:
            self._form = form_of(tokenise(_bytes(self.pattern))[0])
        data = _bytes(text)
        return advance(self._form, 1, Text(data)) >> len(data) != 0


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


def form_of(tokens: tuple[Token, ...]) -> Form:
    """Make tokens ready to be followed."""
    stars = [place for place, token in enumerate(tokens) if token == STAR]
    runs = [_run(tokens[start + 1 : end]) for start, end in zip([-1, *stars], [*stars, len(tokens)], strict=True)]
    return Form(runs[0], tuple(runs[1:-1]), runs[-1]) if stars else Form(runs[0])


def _run(tokens: tuple[Token, ...]) -> Run:
    plain = [token for token in tokens if isinstance(token, int) and token >= 0]
    return bytes(plain) if len(plain) == len(tokens) else tokens


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


def advance(form: Form, reached: int, text: Text) -> int:
    """Follow a form from a set of places.

    :param reached: the places to begin at; bit N means that N bytes are used up
    :returns: the places that can be reached; 0 where the text does not have this form
    """
    first, middle, last = form
    if first:
        reached = _follow(first, reached, text)
    if last is None or not reached:
        return reached
    data = text.data
    place = (reached & -reached).bit_length() - 1
    for run in middle:
        if isinstance(run, bytes):
            found = data.find(run, place)
            place = found + len(run)
        else:
            found = _follow(run, text.everywhere >> place << place, text) or -1
            place = (found & -found).bit_length() - 1
        if found < 0:
            return 0
    if not last:
        return text.everywhere >> place << place
    if isinstance(last, bytes):
        found = data.find(last, place)
        if found < 0 or data.find(last, found + 1) < 0:  # it stands there once, or nowhere
            return 1 << found + len(last) if found >= 0 else 0
    return _follow(last, text.everywhere >> place << place, text)


def _follow(run: Run, reached: int, text: Text) -> int:
    if not isinstance(run, bytes):
        return _follow_tokens(run, reached, text)
    if not reached & (reached - 1):  # one place: no need to know where each byte stands
        return reached << len(run) if text.data.startswith(run, reached.bit_length() - 1) else 0
    return _follow_tokens(run, reached, text)


def _follow_tokens(tokens: Iterable[Token], reached: int, text: Text) -> int:
    after = text.after
    for token in tokens:
        if not isinstance(token, int):
            reached = (reached << 1) & _union(token, after)
        elif token >= 0:
            reached = (reached << 1) & after[token]
        else:
            reached = (reached << 1) & text.everywhere
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
