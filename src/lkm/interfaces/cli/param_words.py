"""Parameters in words: a table of all, all about one, and what became of those that were set."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lkm.interfaces.cli.output import print_line, print_table
from lkm.interfaces.cli.shown_commands import shown_command

if TYPE_CHECKING:
    from lkm.actions.changes.applying import ChangeOutcome
    from lkm.actions.parameters.facts import Configured, ParameterFacts
    from lkm.actions.parameters.setting import Done, SetResult
    from lkm.actions.parameters.subject import Subject
    from lkm.actions.session import Session

__all__ = [
    "done_as_json",
    "facts_as_json",
    "lines_about_done",
    "print_all",
    "print_one",
    "print_unset",
    "short",
]

_LONGEST_CELL = 28
_FEWEST_EQUAL = 3


def short(value: str) -> str:
    """Make a value fit a column: equal elements of an array are counted, and what is long is cut."""
    parts = value.split(",")
    if len(parts) >= _FEWEST_EQUAL and len(set(parts)) == 1:
        return f"{len(parts)}x {parts[0]}"
    return value if len(value) <= _LONGEST_CELL else f"{value[: _LONGEST_CELL - 1]}…"


# --- show -------------------------------------------------------------------------------------------------------------


def print_all(subject: "Subject", facts: "Sequence[ParameterFacts]", *, only_configured: bool) -> None:
    """Print a table."""
    if not facts:
        what = "parameter is set by a file" if only_configured else "parameters"
        print_line(f"{subject.name}: no {what}" if only_configured else f"{subject.name} has no {what}")
        return
    rows = [
        (
            one.name,
            one.parameter.type or "?",
            _now(one),
            "?" if one.default is None else short(one.default),
            _configured(one),
            one.parameter.description or "",
        )
        for one in facts
    ]
    print_table(("PARAMETER", "TYPE", "NOW", "DEFAULT", "CONFIGURED", "MEANING"), rows)
    if any(one.live and one.live.is_writable for one in facts):
        print_line("* can be set while the module is in the kernel")


def _now(one: "ParameterFacts") -> str:
    if one.live is None:
        return "-"
    star = " *" if one.live.is_writable else ""
    return f"{'?' if one.live.value is None else short(one.live.value)}{star}"


def _configured(one: "ParameterFacts") -> str:
    winner = one.winner
    if winner is not None:
        value = "(no value)" if winner.value is None else short(winner.value)
        return f"{value} (wrong)" if winner.is_refused else value
    return "no effect" if one.configured else ""


def print_one(subject: "Subject", one: "ParameterFacts") -> None:
    """Print all about one parameter."""
    parameter = one.parameter
    _line("parameter", f"{one.name} of {subject.name}{' (built in)' if subject.builtin else ''}")
    _line("type", parameter.type or "not told")
    if parameter.capacity is not None and parameter.is_array:
        _line("elements", f"{parameter.capacity} at most")
    if parameter.description:
        _line("meaning", parameter.description)
    _line("now", _now_at_length(one))
    _line("default", "not known" if one.default is None else one.default or '""')
    _line("can be set", _settable(subject, one))
    for place in one.configured:
        how = f"   {place.reason}" if place.reason else ""
        _line("configured", f"{'(no value)' if place.value is None else place.value}   ({place.where}){how}")
    if not one.configured:
        _line("configured", "nowhere")
    if parameter.unsafe:
        _line("note", "setting it taints the kernel (U)")
    if parameter.hwparam:
        _line("note", "it names hardware addresses: lockdown forbids to set it")


def _line(label: str, value: str) -> None:
    print_line(f"{label + ':':13} {value}")


def _now_at_length(one: "ParameterFacts") -> str:
    if one.live is None:
        return "the kernel shows no value: the module is not loaded, or does not show it"
    return f"? ({one.live.problem})" if one.live.value is None else one.live.value or '""'


def _settable(subject: "Subject", one: "ParameterFacts") -> str:
    mode = one.live.mode if one.live else one.parameter.permissions
    at_first = f"on the kernel command line: {subject.name}.{one.name}=…" if subject.builtin else "at load"
    return f"now, and {at_first}" if mode is not None and mode & 0o222 else at_first


def facts_as_json(one: "ParameterFacts") -> dict[str, object]:
    """Give the same for programs."""
    parameter, live = one.parameter, one.live
    return {
        "name": one.name,
        "type": parameter.type,
        "description": parameter.description,
        "permissions": parameter.permissions,
        "capacity": parameter.capacity if parameter.is_array else None,
        "unsafe": parameter.unsafe,
        "hwparam": parameter.hwparam,
        "default": one.default,
        "value": live.value if live else None,
        "writable": live.is_writable if live else None,
        "problem": (live.problem or None) if live else None,
        "configured": [_place_as_json(place) for place in one.configured],
    }


def _place_as_json(place: "Configured") -> dict[str, object]:
    return {
        "value": place.value,
        "file": place.file,
        "line": place.line,
        "wins": place.wins,
        "refused": place.is_refused,
        "reason": place.reason or None,
    }


# --- set --------------------------------------------------------------------------------------------------------------


def lines_about_done(result: "SetResult", done: "Done", session: "Session", *, dry_run: bool) -> Iterator[str]:
    """Say what became of one parameter."""
    subject = result.subject.name
    name = f"{done.wanted.facts.name} of {subject}"
    if not (done.persisted and done.manner.name in {"NOT_LOADED", "ELSEWHERE"}):
        yield f"{name}: {_live_words(done, dry_run=dry_run)}"
    if done.wanted.shown is not None and _is_reread(done):
        yield f"{name}: the kernel reads {done.wanted.value} as {done.wanted.shown}"
    if done.persisted == "same":
        yield f"{name}: {_value_words(done)} at each load already{_where(done)}"
    elif done.persisted and not dry_run:
        yield f"{name}: {_value_words(done)} at each load from now on{_overruled(done)}"
    if done.beaten_by is not None:
        yield (
            f"{name}: but {done.beaten_by.where} sets it to {done.beaten_by.value} and comes later: it wins; "
            + ("take it out there" if not done.beaten_by.is_command_line else "take it out of the boot loader's entry")
        )
    if done.persisted and done.manner.name == "READ_ONLY":
        words = ["param", "set", subject, done.wanted.text, "--persist", "--reload"]
        yield f"{name}: the loaded module keeps its value; to load it again: {shown_command(session, *words)}"


def _overruled(done: "Done") -> str:
    """Name the line of another file that said otherwise and comes earlier now."""
    winner = done.wanted.facts.winner
    if winner is None or done.beaten_by is not None or winner.value == done.wanted.value or "/lkm-" in winner.where:
        return ""
    return "" if "-lkm-" in winner.where else f", in place of {winner.value} ({winner.where})"


def _is_reread(done: "Done") -> bool:
    """Tell whether the kernel makes another number of a value than it seems: 010 is 8."""
    value, shown = done.wanted.value, done.wanted.shown
    return value is not None and value.isdigit() and shown is not None and shown.isdigit() and value != shown


def _where(done: "Done") -> str:
    winner = done.wanted.facts.winner
    return f" ({winner.where})" if winner else ""


def _value_words(done: "Done") -> str:
    return "yes" if done.wanted.value is None else done.wanted.value or _EMPTY


def _live_words(done: "Done", *, dry_run: bool) -> str:
    value = _value_words(done)
    before = done.wanted.facts.live.value if done.wanted.facts.live else None
    was = f" (was {short(before)})" if before is not None else ""
    now = done.now if done.now is not None else value
    match done.manner.name:
        case "SET":
            return f"would be set to {value} now{was}" if dry_run else f"now {now or _EMPTY}{was}"
        case "SAME":
            return f"is {before or _EMPTY} already"
        case "RELOADED":
            return f"the module would be loaded again with {value}{was}" if dry_run else f"now {now}{was}, loaded again"
        case "READ_ONLY":
            stays = "and not shown either" if before is None else f"and stays {before or _EMPTY}"
            return f"can't be set while the module is in the kernel, {stays}"
        case "NOT_LOADED":
            return f"{value} when the module is loaded; it is not loaded now"
    return f"{value} when the module is loaded on this root"


_EMPTY = '""'


def done_as_json(done: "Done") -> dict[str, object]:
    """Give the same for programs."""
    before = done.wanted.facts.live
    return {
        "name": done.wanted.facts.name,
        "value": done.wanted.value,
        "shown": done.wanted.shown,
        "live": done.manner.name.lower(),
        "before": before.value if before else None,
        "now": done.now,
        "persisted": done.persisted or None,
        "beaten_by": None if done.beaten_by is None else done.beaten_by.where,
    }


def print_unset(
    what: str, outcome: "ChangeOutcome", elsewhere: "Mapping[str, tuple[Configured, ...]]", *, dry_run: bool
) -> None:
    """Say what was unset, and what other files still set."""
    if not outcome.changes:
        print_line(f"{what}: nothing to do, lkm's files set none of it")
    elif dry_run:
        print_line(f"{what}: would be set by lkm's files no more")
    else:
        print_line(f"{what}: set by lkm's files no more; a loaded module keeps its value until it is loaded again")
    for name, places in elsewhere.items():
        for place in places:
            print_line(f"{name} is still set to {place.value} by {place.where}, which is not lkm's")
