"""Keeping parameters in lkm's own files of modprobe.d, so that modprobe gives them at each load.

There are two files: ``lkm-parameters.conf``, and ``zz-lkm-parameters.conf`` for what must come behind the line of
another file, because the last value counts.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from lkm.actions.changes.changes import Changes
from lkm.actions.parameters.facts import Configured
from lkm.errors import UsageError
from lkm.formats.line_editing import edited
from lkm.formats.modprobe_conf import Options, parse
from lkm.formats.module_name import canonical
from lkm.formats.own_files import MODPROBE, mark_for, own_path
from lkm.rules.parameter_values import settings_in

__all__ = ["FILES", "keep", "take_out", "wants_late_file", "writable_form"]

EARLY = own_path(MODPROBE, "parameters")
LATE = own_path(MODPROBE, "parameters", prefix="zz-")
FILES = (EARLY, LATE)
"""The files, inside the root."""

_MARK = mark_for("lkm param")


@dataclass(frozen=True, slots=True)
class _Line:
    """An options line of one of lkm's files.

    :param number: of its first physical line
    """

    number: int
    options: str


def wants_late_file(others: Iterable[Configured]) -> bool:
    """Tell whether a value must stand in the late file to win over these lines of other files."""
    names = (place.file.rpartition("/")[2] for place in others if not place.is_command_line)
    return any(name.encode("utf-8", "surrogateescape") > EARLY.rpartition("/")[2].encode() for name in names)


def keep(changes: Changes, module: str, values: Mapping[str, str], *, late: Collection[str]) -> None:
    """Write values into lkm's files, each once; other values of the module's lines stay.

    :param module: canonical
    :param values: ``name=value`` as a parameter string has it, by the parameters' names
    :param late: the names of those that belong into the late file
    :raises UsageError: a file is not lkm's, or modprobe.d can't hold a value
    """
    if not values:
        return  # several lines of one module are not to become one for nothing
    lateness = {canonical(name) for name in late}
    for path in FILES:
        mine = {name: text for name, text in values.items() if (canonical(name) in lateness) == (path == LATE)}
        others = [name for name in values if name not in mine]
        _rewrite(changes, path, module, mine, others)


def take_out(changes: Changes, module: str, names: Collection[str] | None) -> None:
    """Take values out of lkm's files; a line with none left goes, and a file with no line.

    :param names: of the parameters; None for all of the module
    """
    for path in FILES:
        _rewrite(changes, path, module, {}, names)


def _rewrite(
    changes: Changes, path: str, module: str, values: Mapping[str, str], unwanted: Collection[str] | None
) -> None:
    before = changes.read_own(path)
    lines = [
        _Line(directive.line, directive.options)
        for directive in parse(before, path)[0]
        if isinstance(directive, Options) and directive.module == module
    ]
    gone = None if unwanted is None else {canonical(name) for name in unwanted}
    texts = _merged(lines, values, gone)
    if [line.options.split() for line in lines] == [text.split() for text in texts]:
        return
    new = [_written(module, text) for text in texts]
    after = edited(
        before or _MARK,
        dropped=[line.number for line in lines[len(new) :]],
        replaced=dict(zip([line.number for line in lines], new, strict=False)),
        appended=new[len(lines) :],
    )
    changes.add(path, None if after.strip() == _MARK.strip() else after)


def _merged(lines: Iterable[_Line], values: Mapping[str, str], gone: Collection[str] | None) -> list[str]:
    """Give the module's options as one line, or none: a value that is there keeps its place."""
    left = {canonical(name): text for name, text in values.items()}
    kept: list[str] = []
    for line in lines:
        for setting in settings_in(line.options):
            key = canonical(setting.name)
            if key in left:
                kept.append(left.pop(key))
            elif gone is not None and key not in gone and key not in {canonical(name) for name in values}:
                kept.append(setting.text)
    words = [*kept, *left.values()]
    return [" ".join(words)] if words else []


def writable_form(text: str) -> str:
    """Write a value so that modprobe.d means it: a backslash is doubled.

    :raises UsageError: modprobe.d can't hold it
    """
    escaped = text.replace("\\", "\\\\")
    found, _ = parse(f"options m {escaped}\n".encode("utf-8", "surrogateescape"), "")
    held = found[0].options if len(found) == 1 and isinstance(found[0], Options) else None
    if held != text:
        raise UsageError(
            f"modprobe.d can't hold {text!r}: a line there ends at a newline, and a tab becomes a space",
            hint="give it when the module is loaded: lkm load MODULE NAME=VALUE",
        )
    return escaped


def _written(module: str, text: str) -> str:
    return f"options {module} {writable_form(text)}"
