"""Keep modules out: modprobe refuses them by name, by alias, for a device and as a dependency.

Written are a blacklist line, an install line and an empty softdep line for each, into one file of lkm's own; then every
way to the module is tried by planning, on all kernels that are installed. What the file system, the disk, the network
or the console in use needs is refused. insmod, and a program that asks the kernel itself, get past modprobe.d: the
kernel parameter module_blacklist=NAME stops these, too.
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.session import Session
from lkm.interfaces.cli import changing
from lkm.interfaces.cli.output import print_json, print_line, wants_json
from lkm.interfaces.cli.shown_commands import shown_command

if TYPE_CHECKING:
    from lkm.actions.blocking.block import BlockResult

__all__ = ["add_arguments", "run"]

_MOST = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("names", nargs="+", metavar="MODULE", help="names of modules, not aliases")
    parser.add_argument("--check", action="store_true", help="change nothing, look for ways to the modules")
    parser.add_argument("--until-reboot", action="store_true", help="only until the next boot: in /run/modprobe.d")
    parser.add_argument("--unknown", action="store_true", help="also modules that no kernel here has")
    parser.add_argument("--force", action="store_true", help="also what this system needs to boot or to be reached")
    changing.add_change_options(parser)


def run(options: argparse.Namespace, session: Session) -> int:
    """Block, or look whether a block holds."""
    if options.check:
        return _check(options, session)
    from lkm.actions.blocking.block import BlockOptions, block  # noqa: PLC0415  --help needs none

    how = BlockOptions(
        until_reboot=options.until_reboot, unknown=options.unknown, force=options.force, dry_run=options.dry_run
    )
    flags = [f"--{name}" for name in ("until-reboot", "unknown", "force") if getattr(options, name.replace("-", "_"))]
    done = block(session, options.names, how, changing.command_line(session, "block", *flags, *options.names))
    stale = None
    if not options.dry_run and not options.until_reboot:
        stale = changing.drift_for(session, [file.path for file in done.outcome.files], done.names)
    holds = options.dry_run or not done.routes
    if wants_json(options):
        print_json(
            "block",
            **changing.outcome_as_json(session, done.outcome, dry_run=options.dry_run),
            modules=list(done.names),
            holds=None if options.dry_run else holds,
            routes=[route._asdict() for route in done.routes],
            dependents=list(done.dependents),
            loaded=list(done.loaded),
            essential=done.essential,
            initramfs=changing.drift_as_json(stale),
        )
        return 0 if holds else 1
    _print(done, options, session)
    changing.print_drift(stale)
    return 0 if holds else 1


def _print(done: "BlockResult", options: argparse.Namespace, session: Session) -> None:
    names = ", ".join(done.names)
    if not done.outcome.changes:
        print_line(f"{names}: blocked already")
    changing.print_outcome(session, done.outcome, dry_run=options.dry_run)
    if options.dry_run:
        return
    for route in done.routes:
        print_line(f"still there: {route.text}", "yellow")
    if not done.routes:
        print_line(f"no name, alias, device or dependency leads to {names} any more")
    if done.dependents:
        some = ", ".join(done.dependents[:_MOST]) + (", …" if len(done.dependents) > _MOST else "")
        needs = "which needs" if len(done.dependents) == 1 else f"{len(done.dependents)} that need"
        print_line(f"with it goes what depends on it: {some} ({needs} it)")
    for name, reason in done.essential.items():
        print_line(f"careful: this system needs {name}, {reason}", "yellow")
    if done.loaded:
        loaded = " ".join(done.loaded)
        print_line(
            f"loaded now, and not touched: {loaded} (remove with: {shown_command(session, 'unload', *done.loaded)})"
        )
    print_line("insmod gets past this; the kernel parameter module_blacklist= does not let it (lkm help blacklist)")


def _check(options: argparse.Namespace, session: Session) -> int:
    from lkm.actions.blocking.names import module_names  # noqa: PLC0415  --help needs none
    from lkm.actions.blocking.routes import routes_to, sessions_of_all_kernels  # noqa: PLC0415  (as above)

    sessions = sessions_of_all_kernels(session)
    names = module_names(sessions, options.names, unknown=options.unknown)
    routes = routes_to(sessions, names)
    holds = not any(routes.values())
    if wants_json(options):
        found = [{"module": name, **route._asdict()} for name, ways in routes.items() for route in ways]
        print_json("block", modules=list(names), holds=holds, routes=found)
    else:
        for name, ways in routes.items():
            if not ways:
                print_line(f"{name}: nothing leads to it")
            for route in ways:
                print_line(f"{name}: {route.text}")
    return 0 if holds else 1
