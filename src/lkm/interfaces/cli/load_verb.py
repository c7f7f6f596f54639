"""Load modules with all that they need.

NAME is a module's name, an alias (of a device, say) or a file; PARAM=VALUE is for the one module that is named.
Unlike modprobe, several softdep lines for one module all count, and a softdep does not disable an install command.
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.parameter_words import quoted
from lkm.actions.session import Session
from lkm.errors import LkmError, UsageError
from lkm.interfaces.cli.output import print_json, print_line, wants_json
from lkm.interfaces.messages import as_json, tell
from lkm.kernels.base import LoadFlags

if TYPE_CHECKING:
    from lkm.actions.load import LoadReport
    from lkm.rules.planning.load import LoadPlan
    from lkm.rules.planning.steps import LoadStep

__all__ = ["add_arguments", "run"]

_PATHS = ("/", "./", "../")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("words", nargs="+", metavar="NAME|PARAM=VALUE", help="modules, then parameters")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show the steps, do nothing")
    parser.add_argument("-v", "--verbose", action="store_true", help="show each step and the kernel's lines")
    parser.add_argument("-b", "--use-blacklist", action="store_true", help="blacklist lines count for names too")
    parser.add_argument("-i", "--ignore-install", action="store_true", help="ignore install commands and softdeps")
    parser.add_argument("--first-time", action="store_true", help="fail if the module is loaded already")
    parser.add_argument("--force-vermagic", action="store_true", help="ignore the version magic (taints the kernel)")
    parser.add_argument("--force-modversion", action="store_true", help="ignore symbol versions (taints the kernel)")


def run(options: argparse.Namespace, session: Session) -> int:
    """Plan each name, show or carry the plan out, report."""
    from lkm.actions.load_names import plans_for  # noqa: PLC0415  --help needs no planner

    names, parameters = _split(options.words)
    plans = plans_for(
        session,
        names,
        parameters=parameters,
        ignore_commands=options.ignore_install,
        blacklist_names=options.use_blacklist,
    )
    results: list[dict[str, object]] = []
    failures: list[LkmError] = []
    for plan in plans:
        try:
            results.append(_handle(plan, options, session))
        except LkmError as error:
            if len(plans) == 1 and not wants_json(options):
                raise
            failures.append(error)
            results.append({"module": plan.target.name, "loads": False, "error": as_json(error)})
            tell("lkm", error)
    if wants_json(options):
        print_json("load", release=session.kernel.release, dry_run=options.dry_run, results=results)
    return int(bool(failures))


def _split(words: list[str]) -> tuple[list[str], str]:
    parameters = [word for word in words if "=" in word and not word.startswith(_PATHS)]
    names = [word for word in words if word not in parameters]
    if not names:
        raise UsageError("no module is named", hint="lkm load NAME [PARAM=VALUE…]")
    if parameters and len(names) > 1:
        raise UsageError("parameters can be given to one module only", hint="load the modules one by one")
    return names, " ".join(quoted(word) for word in parameters)


def _flags(options: argparse.Namespace) -> LoadFlags:
    flags = LoadFlags.NONE
    if options.force_vermagic:
        flags |= LoadFlags.IGNORE_VERMAGIC
    if options.force_modversion:
        flags |= LoadFlags.IGNORE_MODVERSIONS
    return flags


def _handle(plan: "LoadPlan", options: argparse.Namespace, session: Session) -> dict[str, object]:
    from lkm.actions.load import carry_out  # noqa: PLC0415  --help needs no executor
    from lkm.actions.load_names import forbidden  # noqa: PLC0415

    error = forbidden(plan)
    if error:
        raise error
    quiet = wants_json(options)
    result: dict[str, object] = {"module": plan.target.name, "steps": [describe(step) for step in plan.steps]}
    if options.dry_run:
        if not quiet:
            for step in plan.steps:
                print_line(describe(step))
        return {**result, "loads": None}
    report = carry_out(
        plan,
        session.kernel,
        flags=_flags(options),
        fail_if_loaded=options.first_time,
        announce=(lambda step: print_line(describe(step))) if options.verbose and not quiet else (lambda _: None),
    )
    if not quiet:
        _tell(plan, report, verbose=options.verbose)
    return {**result, "loads": True, "inserted": report.inserted, "present": report.present, "log": report.log}


def describe(step: "LoadStep") -> str:
    """Give a step in words."""
    from lkm.rules.planning.steps import Insert, Present, RunInstall  # noqa: PLC0415  as above

    match step:
        case Insert():
            return f"insert {step.module.display_path} {step.parameters}".rstrip()
        case RunInstall():
            return f"run {step.shell}   # instead of inserting {step.name}: {step.where}"
        case Present():
            return f"nothing to do for {step.name}: it is {'built in' if step.builtin else 'loaded'}"
        case _:
            return f"fail: there is no module {step.name}"


def _tell(plan: "LoadPlan", report: "LoadReport", *, verbose: bool) -> None:
    if verbose:
        for line in report.log:
            print_line(f"kernel: {line}")
    name = plan.target.name
    others = [other for other in report.inserted if other != name]
    if name in report.inserted:
        print_line(f"{name}: loaded" + (f", after {', '.join(others)}" if others else ""))
    else:
        print_line(f"{name}: {'is built in' if plan.target.builtin else 'was loaded already'}")
    for error in report.tolerated:
        print_line(f"{name}: a soft dependency failed, which does not matter: {error}")
