"""Taking one change of some lines back, while others that came since stay."""

from collections.abc import Sequence

__all__ = ["taken_back"]

_MOST_LINES = 20_000


def taken_back(before: bytes, after: bytes, now: bytes) -> bytes | None:
    """Turn a change of a file back in what the file has become.

    :param before: the file before the change
    :param after: the file after it
    :param now: the file as it is
    :returns: the file without the change; None where the lines that the change made are not there as it made them, once
    """
    old, new, lines = before.split(b"\n"), after.split(b"\n"), now.split(b"\n")
    if max(len(old), len(new), len(lines)) > _MOST_LINES:
        return None
    import difflib  # noqa: PLC0415  dear, and rarely needed

    # autojunk is for texts; here every line counts.
    matcher = difflib.SequenceMatcher(None, new, old, autojunk=False)
    for kind, start, end, other_start, other_end in reversed(matcher.get_opcodes()):
        if kind == "equal":
            continue
        place = _place(lines, new[start:end]) if end > start else _behind(lines, new[:start])
        if place is None:
            return None
        lines[place : place + end - start] = old[other_start:other_end]
    return b"\n".join(lines)


def _place(lines: Sequence[bytes], wanted: Sequence[bytes]) -> int | None:
    """Find where some lines stand one after the other; None where they do not, or more than once."""
    size = len(wanted)
    found = [place for place in range(len(lines) - size + 1) if lines[place : place + size] == wanted]
    return found[0] if len(found) == 1 else None


def _behind(lines: Sequence[bytes], before: Sequence[bytes]) -> int | None:
    """Find the place behind the line that stood before; None where that is gone, or there more than once."""
    if not before:
        return 0
    found = _place(lines, before[-1:])
    return None if found is None else found + 1
