"""The files of modprobe.d, read as kmod reads them, to the character.

Facts: kmod 30, libkmod/libkmod-config.c ``kmod_config_parse``, shared/util.c ``freadline_wrapped``; ``weakdep`` from
kmod 33. Of a file only the first byte of a line can make it a comment, a backslash joins lines at their end and
vanishes anywhere else, and words are parted by spaces and tabs.
"""

import re
from dataclasses import dataclass
from enum import Enum

from lkm.formats.logical_lines import logical_lines
from lkm.formats.module_name import normalise_alias

__all__ = [
    "Alias",
    "Blacklist",
    "Directive",
    "Install",
    "Options",
    "Problem",
    "ProblemKind",
    "Remove",
    "Softdep",
    "Weakdep",
    "parse",
]


@dataclass(frozen=True, slots=True)
class Alias:
    """``alias PATTERN MODULE``.

    :param alias: a shell pattern
    :param module: what it stands for; ``-`` is ``_`` here, as in all names below
    :param file: as the caller named it
    :param line: where the directive begins, from 1
    """

    alias: str
    module: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Blacklist:
    """``blacklist MODULE``: no alias leads to it."""

    module: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Options:
    """``options MODULE TEXT``.

    :param options: the rest of the line; tabs have become spaces, and spaces at both ends are kept
    """

    module: str
    options: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Install:
    """``install PATTERN COMMAND``: run this instead of loading.

    :param module: a shell pattern
    :param command: for a shell, just as it stands in the file
    """

    module: str
    command: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Remove:
    """``remove PATTERN COMMAND``: run this instead of removing.

    :param module: a shell pattern
    :param command: for a shell, just as it stands in the file
    """

    module: str
    command: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Softdep:
    """``softdep PATTERN pre: NAMES post: NAMES``.

    :param module: a shell pattern
    :param pre: names or aliases to load before
    :param post: names or aliases to load after
    """

    module: str
    pre: tuple[str, ...]
    post: tuple[str, ...]
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Weakdep:
    """``weakdep PATTERN NAMES``: what an initramfs should hold, too; nothing loads it.

    :param module: a shell pattern
    """

    module: str
    dependencies: tuple[str, ...]
    file: str
    line: int


Directive = Alias | Blacklist | Options | Install | Remove | Softdep | Weakdep


class ProblemKind(Enum):
    """What is wrong with a part of the configuration. kmod speaks of the first five and is silent about the rest.

    The value of those five is where in kmod 30 the message is made, which its messages tell:
    ``libkmod: ERROR ../libkmod/libkmod-config.c:712 kmod_config_parse: TEXT``.
    """

    BAD_LINE = "libkmod-config.c:712 kmod_config_parse"
    DEPRECATED = "libkmod-config.c:708 kmod_config_parse"
    NESTED_DIRECTORY = "libkmod-config.c:772 conf_files_filter_out"
    UNREADABLE_DIRECTORY = "libkmod-config.c:867 conf_files_list"
    BAD_COMMAND_LINE = "libkmod-config.c:489 kcmdline_parse_result"
    UNREADABLE = "unreadable"
    MISSING = "missing"

    @property
    def is_printed(self) -> bool:
        """Whether kmod prints a message."""
        return " " in self.value


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is ignored and should not be.

    :param kind: what is wrong
    :param text: a message that names file and line; where kmod prints one, kmod's
    :param file: the file or directory
    :param line: as kmod counts: the last line that was read; 0 where the whole file is meant
    """

    kind: ProblemKind
    text: str
    file: str
    line: int = 0


_WORD_AND_REST = re.compile("[\t ]*([^\t ]*)[\t ]?(.*)", re.DOTALL)
_SPACE = re.compile("[ \t\n\v\f\r]")  # isspace() in the C locale
_SPACES = re.compile("[ \t\n\v\f\r]+")


def parse(data: bytes, file: str) -> tuple[tuple[Directive, ...], tuple[Problem, ...]]:
    """Read a file of modprobe.d, or modules.softdep.

    :param data: the whole file
    :param file: its name, for the directives and the messages
    :returns: the directives in their order, and what was ignored; nothing is an error
    """
    directives: list[Directive] = []
    problems: list[Problem] = []
    for first, last, line in logical_lines(data):
        if line.startswith("#"):
            continue
        command, rest = _word(line)
        if not command:
            continue
        directive = _parse_directive(command, rest, file, first)
        if directive:
            directives.append(directive)
        else:
            problems.append(_problem(command, file, last))
    return tuple(directives), tuple(problems)


def _problem(command: str, file: str, line: int) -> Problem:
    if command in {"include", "config"}:
        text = f"{file}: command {command} is deprecated and not parsed anymore"
        return Problem(ProblemKind.DEPRECATED, text, file, line)
    text = f"{file} line {line}: ignoring bad line starting with '{command}'"
    return Problem(ProblemKind.BAD_LINE, text, file, line)


# --- lines and words --------------------------------------------------------------------------------------------------


def _word(text: str) -> tuple[str, str]:
    """Take a word off, as strtok_r() does with blank and tab.

    :returns: the word, and what is behind the one blank that ends it; either may be empty
    """
    found = _WORD_AND_REST.match(text)
    return (found[1], found[2]) if found else ("", "")


# --- directives -------------------------------------------------------------------------------------------------------


def _parse_directive(command: str, rest: str, file: str, line: int) -> Directive | None:
    word, rest = _word(rest)
    name = normalise_alias(word)
    if not name:
        return None
    if command == "alias":
        module = normalise_alias(_word(rest)[0])
        return Alias(name, module, file, line) if module else None
    if command == "blacklist":
        return Blacklist(name, file, line)
    return _parse_with_text(command, name, rest, file, line) if rest else None


def _parse_with_text(command: str, name: str, text: str, file: str, line: int) -> Directive | None:
    match command:
        case "options":
            return Options(name, text.replace("\t", " "), file, line)
        case "install":
            return Install(name, text, file, line)
        case "remove":
            return Remove(name, text, file, line)
        case "softdep":
            return Softdep(name, *_parse_softdep(text), file, line)
        case "weakdep":
            return Weakdep(name, tuple(filter(None, _SPACES.split(text))), file, line)
        case _:
            return None


def _parse_softdep(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found: dict[str, list[str]] = {"": [], "pre:": [], "post:": []}
    mode = ""
    for word in _softdep_words(text):
        if word in {"pre:", "post:"}:
            mode = word
        else:
            found[mode].append(word)
    return tuple(found["pre:"]), tuple(found["post:"])


def _softdep_words(text: str) -> list[str]:
    words = [word for word in _SPACES.split(text) if word]
    # kmod keeps a single space before the first word as part of it: then it is no ``pre:``.
    if words and _SPACE.match(text) and not _SPACE.match(text, 1):
        words[0] = text[0] + words[0]
    return words
