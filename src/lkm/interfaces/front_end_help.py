"""What the front-ends say of themselves, and the options that stand there."""

import contextlib
import importlib
import io
from typing import NamedTuple

__all__ = ["FrontEndOption", "help_of", "options_in"]


class FrontEndOption(NamedTuple):
    """An option of a front-end.

    :param names: as they are written, ``-a`` before ``--all``
    :param value: what its argument stands for; empty where it takes none
    """

    names: tuple[str, ...]
    value: str
    meaning: str


def help_of(tool: str) -> str:
    """Give the help text of a front-end."""
    main = importlib.import_module(f"lkm.interfaces.compat.{tool.replace('-', '_')}").main
    told = io.BytesIO()  # the front-ends write bytes, too
    with io.TextIOWrapper(told, "utf-8") as stream, contextlib.redirect_stdout(stream):
        with contextlib.redirect_stderr(stream), contextlib.suppress(SystemExit):
            main(["--help"])
        stream.flush()
        lines = told.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(f"{tool}: "))  # one that knows no --help complains


def options_in(text: str) -> tuple[FrontEndOption, ...]:
    """Read the options of a help text: a tab, the names, at least two blanks, the meaning; more of it below."""
    found: list[FrontEndOption] = []
    for line in text.splitlines():
        words, _, meaning = line.strip().partition("  ")
        if line.startswith("\t") and words.startswith("-"):
            *others, last = words.split(", ")
            name, _, value = last.partition(" ")
            found.append(FrontEndOption((*others, name), value, meaning.strip()))
        elif found and line.startswith("\t    ") and not line.strip().startswith("-"):
            found[-1] = found[-1]._replace(meaning=f"{found[-1].meaning} {line.strip()}")
    return tuple(found)
