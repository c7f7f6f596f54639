"""Tell the whole story of a module: where it is, what asks for it, which lines of the configuration count for it.

Every line is named with file and number, those that lose or are not read included, and what would happen if the module
were loaded now.
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.interfaces.cli.changing import drift_as_json, rebuild_words
from lkm.interfaces.cli.output import print_json, print_line, print_text, wants_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lkm.actions.explaining.place import Place
    from lkm.actions.explaining.pulls import Pull
    from lkm.actions.explaining.story import Explanation, Story
    from lkm.rules.effective_lines import EffectiveLine

__all__ = ["add_arguments", "run"]

_MOST = 6  # of one kind of thing that asks for a module
_INDENT = "  "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument(
        "subjects", nargs="+", metavar="NAME|ALIAS|DEVICE", help="a module, an alias, a path of /sys or /dev, a number"
    )
    parser.add_argument("-a", "--all", action="store_true", help="list all that asks for a module, however many")


def run(options: argparse.Namespace, session: Session) -> int:
    """Tell the story of each module that the subjects lead to."""
    from lkm.actions.explaining.story import explain  # noqa: PLC0415  --help needs none
    from lkm.rules.configuration_gaps import gaps  # noqa: PLC0415  as above

    found = [explain(session, subject) for subject in options.subjects]
    notes = gaps(session.configuration)
    if wants_json(options):
        told = [_as_json(each) for each in found]
        print_json("explain", release=session.tree.release, explanations=told, notes=list(notes))
        return 0
    for number, explanation in enumerate(found):
        if number:
            print()
        _print(explanation, everything=options.all)
    for note in notes:
        print_text(note, lead="note: ", style="yellow")
    return 0


# --- for people -------------------------------------------------------------------------------------------------------


def _print(explanation: "Explanation", *, everything: bool) -> None:
    for alias, what in explanation.asked:
        print_line(f"{explanation.subject}: the kernel asks for {alias} ({what})")
    if len(explanation.stories) > 1:
        names = ", ".join(story.name for story in explanation.stories)
        print_line(f"{explanation.subject} leads to {len(explanation.stories)} modules: {names}")
    for number, story in enumerate(explanation.stories):
        if number or explanation.asked or len(explanation.stories) > 1:
            print()
        for line in _lines(story, explanation, everything=everything):
            print_line(line)


def _lines(story: "Story", explanation: "Explanation", *, everything: bool) -> "Iterator[str]":
    led = f" (for {story.alias})" if story.alias else ""
    yield f"{story.name}{led}" + (f": {story.summary}" if story.summary else "")
    yield f"{_INDENT}where: {_place(story.place, explanation.release)}"
    yield f"{_INDENT}state: {_state(story)}"
    yield from _asking(story, everything=everything)
    yield from _configuration(story.lines)
    yield from _early_boot(story)
    yield from _outcome(story, explanation.release)


def _place(place: "Place", release: str) -> str:
    if place.kind == "builtin":
        return f"built into {release}" + (f", {place.note}" if place.note else "") + ": it is always there"
    if place.kind == "absent":
        return f"nowhere: {place.note}"
    details = [f"package {place.package}"] if place.package else []
    details += [place.note] if place.note else []
    return f"{place.path}" + (f" ({', '.join(details)})" if details else "")


def _state(story: "Story") -> str:
    loaded = story.loaded
    if story.place.kind == "builtin":
        return "part of the running kernel"
    if not story.asked_kernel:
        return "not known: the running kernel is that of another root"
    if loaded is None:
        return "not loaded"
    since = f" since {story.since.astimezone():%Y-%m-%d %H:%M} or longer" if story.since else ""
    count = loaded.refcount or 0
    users = f"used by {', '.join(loaded.used_by)}" if loaded.used_by else "used by no module"
    more = count - len(loaded.used_by)
    others = f" and {more} time{'s' if more != 1 else ''} by something else" if more > 0 else ""
    taints = f", taints {loaded.taints}" if loaded.taints else ""
    state = "loaded" if loaded.state.lower() == "live" else f"{loaded.state.lower()} (neither in nor out)"
    return f"{state}{since}, {users}{others}{taints}"


def _asking(story: "Story", *, everything: bool) -> "Iterator[str]":
    texts = [_pull(pull) for pull in story.pulls]
    if not texts:
        yield f"{_INDENT}asked for by: nothing on this system"
    else:
        yield f"{_INDENT}asked for by:"
        yield from _some(texts, everything=everything)
    if story.requests:
        yield f"{_INDENT}the kernel asks for it when:"
        yield from _some(list(story.requests), everything=everything)
    if story.device_aliases:
        kinds = f"{story.device_aliases} kinds" if story.device_aliases > 1 else "one kind"
        yield f"{_INDENT}claims: {kinds} of devices (lkm show {story.name})"


def _pull(pull: "Pull") -> str:
    through = f" (through {pull.module}, which needs it)" if pull.module and pull.kind not in _OWN_TEXT else ""
    return f"{pull.text}{through}"


_IN_IMAGE = {
    "DIFFERS": "is another one there",
    "MISSING": "is not there",
    "GONE": "is only there",
    "NEWER": "is newer than the image",
}
_OWN_TEXT = frozenset({"dependency", "softdep"})


def _some(texts: list[str], *, everything: bool) -> "Iterator[str]":
    shown = texts if everything else texts[:_MOST]
    yield from (f"{_INDENT * 2}{text}" for text in shown)
    if len(texts) > len(shown):
        yield f"{_INDENT * 2}… and {len(texts) - len(shown)} more (--all lists them)"


def _configuration(lines: "tuple[EffectiveLine, ...]") -> "Iterator[str]":
    if not lines:
        yield f"{_INDENT}configuration: no line of modprobe.d or of the kernel command line concerns it"
        return
    yield f"{_INDENT}configuration:"
    width = max(len(line.effect.value) for line in lines)
    for line in lines:
        yield f"{_INDENT * 2}{line.effect.value.ljust(width)}  {line.where}: {line.text}"
        if line.reason:
            by = f": {line.by}" if line.by else ""
            yield f"{_INDENT * 2}{' ' * width}  ({line.reason}{by})"


def _early_boot(story: "Story") -> "Iterator[str]":
    early = story.early
    if early is None or early.image is None:
        return
    if early.holds is None:
        yield f"{_INDENT}early boot: {early.image} can't be looked into: {early.problem}"
        return
    held = "has the module" if early.holds else "does not have the module"
    yield f"{_INDENT}early boot: {early.image} {held}"
    places = {line.file for line in story.lines}
    old = [file for file in early.files if any(place.endswith(file.path) for place in places)]
    for file in old:
        yield f"{_INDENT * 2}{file.path} {_IN_IMAGE[file.kind.name]}"
    if old:
        yield f"{_INDENT * 2}{rebuild_words(early)}"


def _outcome(story: "Story", release: str) -> "Iterator[str]":
    from lkm.interfaces.cli.check_words import lines  # noqa: PLC0415  programs need none

    if story.outcome is None:
        if story.place.kind == "file":
            yield f"{_INDENT}if loaded now: nobody can say: {story.no_outcome}"
        return
    if story.place.kind == "builtin" or story.outcome.stage == "loaded":
        return
    first, *rest = lines(story.outcome, release)
    yield f"{_INDENT}if loaded now: {first.partition(': ')[2]}"
    yield from (f"{_INDENT}{line}" for line in rest)


# --- for programs -----------------------------------------------------------------------------------------------------


def _as_json(explanation: "Explanation") -> dict[str, object]:
    return {
        "subject": explanation.subject,
        "asked": [{"alias": alias, "what": what} for alias, what in explanation.asked],
        "modules": [_story_as_json(story) for story in explanation.stories],
    }


def _story_as_json(story: "Story") -> dict[str, object]:
    loaded, outcome = story.loaded, story.outcome
    return {
        "name": story.name,
        "alias": story.alias,
        "description": story.summary,
        "place": story.place._asdict(),
        "asked_for_by": [pull._asdict() for pull in story.pulls],
        "kernel_requests": list(story.requests),
        "device_aliases": story.device_aliases,
        "configuration": [
            {
                "line": line.text,
                "where": line.where,
                "effect": line.effect.value,
                "reason": line.reason,
                "by": line.by or None,
            }
            for line in story.lines
        ],
        "loaded": None
        if loaded is None
        else {
            "state": loaded.state,
            "refcount": loaded.refcount,
            "used_by": list(loaded.used_by),
            "taints": loaded.taints,
            "since": story.since.isoformat() if story.since else None,
        },
        "initramfs": drift_as_json(story.early),
        "outcome": None
        if outcome is None
        else {
            "loads": outcome.loads,
            "stage": outcome.stage,
            "errno": outcome.errno,
            "log": list(outcome.log),
            "causes": [{"id": cause.id, "summary": cause.summary} for cause in outcome.causes],
        },
        "no_outcome": story.no_outcome or None,
    }
