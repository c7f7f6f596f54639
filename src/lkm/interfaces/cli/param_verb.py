"""Show the parameters of a module or set them: in the kernel now, or for each load to come.

list shows all parameters of a module, get tells all about one; set changes the value in the kernel, where it can be
written while the module is loaded; with --persist it is given to the module at each load, by lkm's own file
/etc/modprobe.d/lkm-parameters.conf; unset takes it out of there.
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.errors import UsageError
from lkm.interfaces.cli import changing
from lkm.interfaces.cli.output import print_json, print_line, wants_json
from lkm.interfaces.cli.param_words import (
    done_as_json,
    facts_as_json,
    lines_about_done,
    print_all,
    print_one,
    print_unset,
    short,
)

if TYPE_CHECKING:
    from lkm.actions.changes.applying import ChangeOutcome
    from lkm.actions.initramfs_drift import Drift

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    # Global options may stand behind the action, too.
    common = argparse.ArgumentParser(add_help=False, parents=[parser])
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|get|set|unset")
    listing = actions.add_parser("list", help="show a module's parameters", parents=[common], add_help=False)
    listing.add_argument("module", metavar="MODULE", help="a module, an alias, or a module file")
    listing.add_argument("--configured", action="store_true", help="only those that some file sets")
    get = actions.add_parser("get", help="tell all about one", parents=[common], add_help=False)
    get.add_argument("module", metavar="MODULE")
    get.add_argument("name", metavar="NAME")
    get.add_argument("--value", action="store_true", help="print only the value that the kernel has")
    setting = actions.add_parser("set", help="set some", parents=[common], add_help=False)
    setting.add_argument("module", metavar="MODULE")
    setting.add_argument("values", nargs="+", metavar="NAME=VALUE", help="a name alone means yes")
    setting.add_argument("--persist", action="store_true", help="give it to the module at each load to come, too")
    setting.add_argument(
        "--reload", action="store_true", help="load the module again where that is needed and nothing uses it"
    )
    changing.add_change_options(setting)
    unset = actions.add_parser("unset", help="undo --persist", parents=[common], add_help=False)
    unset.add_argument("module", metavar="MODULE")
    unset.add_argument("names", nargs="*", metavar="NAME", help="default: all that lkm's files set")
    changing.add_change_options(unset)


def run(options: argparse.Namespace, session: Session) -> int:
    """List, get, set or unset."""
    match options.action:
        case "list":
            return _list(options, session)
        case "get":
            return _get(options, session)
        case "set":
            return _set(options, session)
    return _unset(options, session)


def _list(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.parameters.facts import facts_of  # noqa: PLC0415  --help needs none
    from lkm.actions.parameters.subject import find_subject  # noqa: PLC0415

    subject = find_subject(session, options.module)
    facts = [one for one in facts_of(session, subject) if one.configured or not options.configured]
    if wants_json(options):
        print_json(
            "param",
            module=subject.name,
            builtin=subject.builtin,
            parameters=[facts_as_json(one) for one in facts],
        )
    else:
        print_all(subject, facts, only_configured=options.configured)
    return 0


def _get(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.parameters.facts import require_parameter  # noqa: PLC0415  as above
    from lkm.actions.parameters.subject import find_subject  # noqa: PLC0415

    if "=" in options.name:
        raise UsageError("get takes a name without a value", hint="to set it: lkm param set")
    subject = find_subject(session, options.module)
    found = require_parameter(session, subject, options.name)
    has_value = found.live is not None and found.live.value is not None
    if wants_json(options):
        print_json("param", module=subject.name, builtin=subject.builtin, parameters=[facts_as_json(found)])
    elif not options.value:
        print_one(subject, found)
    elif found.live is not None and found.live.value is not None:
        print_line(found.live.value)
    else:
        print_line_of_problem(subject.name, found.live.problem if found.live else "")
    return 0 if has_value or not options.value else 1


def print_line_of_problem(module: str, problem: str) -> None:
    """Say on stderr why there is no value."""
    import sys  # noqa: PLC0415  only here

    from lkm.interfaces.messages import printable  # noqa: PLC0415

    why = problem or "the kernel shows no value: the module is not loaded, or does not show it"
    print(printable(f"lkm: {module}: {why}"), file=sys.stderr)


def _set(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.parameters.setting import SetOptions, set_parameters  # noqa: PLC0415  as above

    flags = [flag for flag, given in (("--persist", options.persist), ("--reload", options.reload)) if given]
    command = changing.command_line(session, "param", "set", options.module, *options.values, *flags)
    result = set_parameters(
        session,
        options.module,
        options.values,
        SetOptions(persist=options.persist, reload=options.reload, dry_run=options.dry_run, command=command),
    )
    stale = _drift(options, session, result.outcome, result.subject.name)
    if wants_json(options):
        print_json(
            "param",
            module=result.subject.name,
            parameters=[done_as_json(done) for done in result.done],
            **changing.outcome_as_json(session, result.outcome, dry_run=options.dry_run),
            initramfs=changing.drift_as_json(stale),
        )
        return 0
    for done in result.done:
        for line in lines_about_done(result, done, session, dry_run=options.dry_run):
            print_line(line)
    changing.print_outcome(session, result.outcome, dry_run=options.dry_run)
    changing.print_drift(stale)
    return 0


def _unset(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.parameters.unsetting import unset_parameters  # noqa: PLC0415  as above

    command = changing.command_line(session, "param", "unset", options.module, *options.names)
    subject, elsewhere, outcome = unset_parameters(
        session, options.module, options.names, command, dry_run=options.dry_run
    )
    stale = _drift(options, session, outcome, subject.name)
    if wants_json(options):
        print_json(
            "param",
            module=subject.name,
            elsewhere={name: [place.where for place in places] for name, places in elsewhere.items()},
            **changing.outcome_as_json(session, outcome, dry_run=options.dry_run),
            initramfs=changing.drift_as_json(stale),
        )
        return 0
    what = f"{short(', '.join(options.names))} of {subject.name}" if options.names else subject.name
    print_unset(what, outcome, elsewhere, dry_run=options.dry_run)
    changing.print_outcome(session, outcome, dry_run=options.dry_run)
    changing.print_drift(stale)
    return 0


def _drift(options: argparse.Namespace, session: Session, outcome: "ChangeOutcome", module: str) -> "Drift | None":
    if options.dry_run or not outcome.files:
        return None
    return changing.drift_for(session, [file.path for file in outcome.files], [module])
