"""Errors in words: what, why, and what to do."""

import os
import sys

from lkm.errors import KernelRefused, LkmError, MachineLost, PrivilegeMissing, ReadOnlyFiles

__all__ = ["as_json", "as_ours", "explain", "printable", "tell"]


def explain(error: LkmError) -> tuple[str, ...]:
    """Give the lines that tell a person about an error, first the error itself."""
    lines = [str(error)]
    if isinstance(error, KernelRefused):
        lines += [f"kernel: {line}" for line in error.log]
        for cause in error.causes:
            lines.append(f"why: {cause.summary}")
            lines += [f"try: {command}" for command in cause.remedy]
    if isinstance(error, MachineLost):
        lines += [f"console: {line}" for line in error.console]
    if isinstance(error, PrivilegeMissing | ReadOnlyFiles):
        lines += [f"would be written: {line}" for line in error.planned.splitlines()]
    if error.hint:
        lines.append(f"hint: {error.hint}")
    return tuple(printable(line) for line in lines)


def tell(program: str, error: LkmError) -> None:
    """Print an error for people, behind what was printed so far.

    :raises OSError: what was printed so far can't be written
    """
    try:
        sys.stdout.flush()
    finally:
        print(f"{program}: ", "\n  ".join(explain(error)), sep="", file=sys.stderr)


def as_ours(error: Exception) -> LkmError:
    """Give any error as one of lkm's: what the system refused, and mistakes of the program."""
    if isinstance(error, LkmError):
        return error
    if isinstance(error, OSError):
        where = error.filename if error.filename2 is None else error.filename2  # of two, what was to be made
        return LkmError((error.strerror or str(error)).lower(), where=where and os.fsdecode(where))
    what = f"internal error: {type(error).__name__}: {error}"
    return LkmError(what, hint="this is a mistake of the program: please report what --debug shows")


def as_json(error: LkmError) -> dict[str, object]:
    """Give an error as what ``json.dumps`` takes."""
    found: dict[str, object] = {"type": type(error).__name__, "what": error.what}
    found["where"] = error.where
    found["hint"] = error.hint
    if isinstance(error, PrivilegeMissing | ReadOnlyFiles):
        found["planned"] = error.planned
    if isinstance(error, KernelRefused):
        found["module"] = error.module
        found["errno"] = error.errno
        found["log"] = list(error.log)
        found["causes"] = [
            {"id": cause.id, "summary": cause.summary, "remedy": list(cause.remedy)} for cause in error.causes
        ]
    return found


def printable(text: str) -> str:
    """Make a text safe for any terminal: control characters, and bytes that were no text, are shown escaped."""
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable() or character == "\t":
        return character
    if "\udc80" <= character <= "\udcff":  # a byte that was no UTF-8 (PEP 383)
        return f"\\x{ord(character) & 0xFF:02x}"
    return character.encode("unicode_escape").decode("ascii")
