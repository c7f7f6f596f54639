r"""POSIX extended regular expressions, as regcomp(3) of the GNU C library reads them, turned into Python's.

Only whether a text holds a match is told, so that neither the longest match nor groups matter. Back-references and the
library's own ``\<``, ``\w`` and their like mean in Python what they mean there.
"""

import re

__all__ = ["compile_extended"]

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t-\\r",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_ESCAPES = {
    "w": "\\w",
    "W": "\\W",
    "s": "\\s",
    "S": "\\S",
    "b": "\\b",
    "B": "\\B",
    "<": "\\b(?=\\w)",
    ">": "\\b(?<=\\w)",
}
_ESCAPES |= {"`": "\\A", "'": "\\Z"} | {digit: f"(?:\\{digit})" for digit in "123456789"}
_REPEATS = {"*": "*", "+": "+", "?": "?"}
_INTERVAL = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")
_ELEMENT = re.compile(r"\[([:.=])(.*?)\1\]", re.DOTALL)
_LARGEST_COUNT = 0x7FFF  # RE_DUP_MAX


def compile_extended(pattern: str) -> re.Pattern[str] | None:
    """Compile a pattern.

    :returns: what ``search`` is to be asked of; None where regcomp(3) refuses the pattern
    """
    try:
        return re.compile(_translated(pattern), re.ASCII | re.DOTALL)
    except (re.error, OverflowError, RecursionError, _Refused):
        return None


class _Refused(Exception):
    """The pattern is none."""


def _translated(pattern: str) -> str:  # noqa: C901  one branch for each kind of character
    parts: list[str] = []
    place = depth = 0
    repeatable = False  # a repeat without anything before it is dropped by the library
    while place < len(pattern):
        letter = pattern[place]
        place += 1
        if letter == "[":
            part, place = _bracket(pattern, place)
        elif letter == "\\":
            if place == len(pattern):
                raise _Refused
            part = _ESCAPES.get(pattern[place]) or re.escape(pattern[place])
            place += 1
        elif letter in _REPEATS or (letter == "{" and _INTERVAL.match(pattern, place - 1)):
            text, place = _repeat(pattern, place - 1)
            if repeatable:
                # As a group, so that a second repeat is no Python's lazy or possessive one.
                begin = _begin_of_last(parts)
                parts[begin:] = [f"(?:{''.join(parts[begin:])}){text}"]
            continue
        elif letter in "^$":
            parts.append("\\A" if letter == "^" else "\\Z")
            repeatable = letter == "$"
            continue
        elif letter == "(":
            depth += 1
            parts.append("(")
            repeatable = False
            continue
        elif letter == ")" and depth:
            depth -= 1
            parts.append(")")
            repeatable = True
            continue
        elif letter == "|":
            parts.append("|")
            repeatable = False
            continue
        else:
            part = "." if letter == "." else re.escape(letter)
        parts.append(part)
        repeatable = True
    if depth:
        raise _Refused
    return "".join(parts)


def _begin_of_last(parts: list[str]) -> int:
    """Find where the last thing begins: a part, or all of a group."""
    depth = 0
    for place in range(len(parts) - 1, -1, -1):
        depth += (parts[place] == ")") - (parts[place] == "(")
        if not depth:
            return place
    raise _Refused


def _repeat(pattern: str, place: int) -> tuple[str, int]:
    if pattern[place] in _REPEATS:
        return pattern[place], place + 1
    found = _INTERVAL.match(pattern, place)
    if found is None:
        raise _Refused
    least, comma, most = found.groups()
    if not least and not comma:
        raise _Refused
    if any(number and int(number) > _LARGEST_COUNT for number in (least, most)):
        raise _Refused
    if least and most and int(least) > int(most):
        raise _Refused
    return f"{{{least or 0}{comma}{most}}}", found.end()


def _bracket(pattern: str, place: int) -> tuple[str, int]:
    """Translate what stands between brackets; a backslash is a character like others there."""
    negated = pattern.startswith("^", place)
    place += negated
    start = place
    items: list[str] = []
    while True:
        if place >= len(pattern):
            raise _Refused
        if pattern[place] == "]" and place > start:
            break
        found = _ELEMENT.match(pattern, place)
        if found and found[1] == ":":
            if found[2] not in _CLASSES:
                raise _Refused
            items.append(_CLASSES[found[2]])
            place = found.end()
            continue
        first, place = _element(pattern, place)
        if pattern.startswith("-", place) and not pattern.startswith("]", place + 1):
            last, place = _element(pattern, place + 1)
            if first > last:
                raise _Refused
            items.append(f"{re.escape(first)}-{re.escape(last)}")
        else:
            items.append(re.escape(first))
    return f"[{'^' * negated}{''.join(items)}]", place + 1


def _element(pattern: str, place: int) -> tuple[str, int]:
    if place >= len(pattern):
        raise _Refused
    found = _ELEMENT.match(pattern, place)
    if found and found[1] in ".=":
        if len(found[2]) != 1:
            raise _Refused
        return found[2], found.end()
    return pattern[place], place + 1
