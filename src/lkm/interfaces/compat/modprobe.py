"""``modprobe``: load and remove modules with all that belongs to them, or show what that would mean.

Facts: kmod 30, tools/modprobe.c.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from lkm.errors import LkmError
from lkm.interfaces.compat.context import Context
from lkm.interfaces.compat.messages import Messages, library_speaks, put, version
from lkm.interfaces.compat.modprobe_run import LOOKUP_ERRORS, Fatal, Run
from lkm.interfaces.compat.modprobe_settings import Mode, Settings, UsageMistake, read, words_of
from lkm.interfaces.compat.refusals import report
from lkm.interfaces.target import target_from_environment

__all__ = ["main"]

_OPTIONS = "MODPROBE_OPTIONS"
_HELP = """\
Usage:
\tmodprobe [options] MODULE [PARAMETER[=VALUE] ...]
\tmodprobe [options] -a MODULE ...
\tmodprobe [options] -r MODULE ...
\tmodprobe [options] -c
\tmodprobe [options] --show-modversions|--show-exports FILE|MODULE
A MODULE that begins with / or ./ is the path of a file.
What to do:
\t-a, --all                   each operand is a module, none is a parameter
\t-r, --remove                remove instead of load
\t    --remove-holders        with -r: first remove the modules that use it
\t                            (--remove-dependencies is an old name of this)
\t-w, --wait MSEC             with -r: wait so long for a module that is in use
\t    --first-time            fail if there is nothing to do
\t-i, --ignore-install        run no install command, heed no softdep of the module itself
\t    --ignore-remove         the same for -r and remove commands
\t-b, --use-blacklist         the blacklist forbids names too, not only aliases
\t-f, --force                 both of the next two; with -r: remove what is in use
\t    --force-modversion      load in spite of other symbol versions
\t    --force-vermagic        load in spite of another version magic
What to show:
\t-R, --resolve-alias         the modules that a name leads to (also --show-alias)
\t-D, --show-depends          the steps, whatever is loaded
\t-c, --show-config           the configuration and the indexes (also --showconfig)
\t    --show-modversions      the symbol versions that a module needs (also --dump-modversions)
\t    --show-exports          the symbols that a module offers
General:
\t-n, --dry-run               change nothing (also --show); with -v the steps are shown
\t-C, --config FILE           read this file or directory instead of modprobe.d
\t-d, --dirname DIR           the module tree is in DIR/lib/modules
\t-S, --set-version VERSION   the tree of this kernel release
\t-s, --syslog                messages go to syslog
\t-q, --quiet                 no messages
\t-v, --verbose               show each step
\t-V, --version               print the version
\t-h, --help                  print this text
"""


def main(argv: Sequence[str]) -> int:
    """Run ``modprobe``.

    :param argv: the arguments; what stands in MODPROBE_OPTIONS goes before them
    :returns: the exit status
    """
    messages = Messages("modprobe")
    inherited = words_of(os.environ.get(_OPTIONS, ""))
    try:
        settings = read(messages, argv, inherited, in_order="POSIXLY_CORRECT" in os.environ)
    except UsageMistake:
        return 1
    if settings.prints:
        put(version() if settings.prints == "version" else _HELP)
        return 0
    try:
        with _exported(settings), _context(settings, messages) as context:
            return 0 if _run(Run(settings, messages, context)) else 1
    except Fatal:
        return 1
    except LkmError as error:
        report(messages, error)
        return 1


def _context(settings: Settings, messages: Messages) -> Context:
    def say_bad_softdep(name: str) -> None:
        text = f"failed to lookup soft dependency '{name}', continuing anyway."
        messages.library("libkmod-module.c:1567 lookup_softdep", text)

    return Context(
        target_from_environment(),
        directory=settings.directory,
        release=settings.release,
        config_paths=settings.config_paths,
        on_bad_softdep=say_bad_softdep,
    )


@contextlib.contextmanager
def _exported(settings: Settings) -> Iterator[None]:
    """Hand some options on to the modprobe that an install or remove command may run."""
    before = os.environ.get(_OPTIONS)
    if settings.exported:
        os.environ[_OPTIONS] = " ".join(([before] if before else []) + settings.exported)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_OPTIONS, None)
        else:
            os.environ[_OPTIONS] = before


def _run(run: Run) -> bool:
    # Each part is imported when it is used: a quick start matters more here than anywhere, for udev's sake.
    _say_problems(run)
    operands = run.settings.operands
    match run.settings.mode:
        case Mode.INSERT:
            from lkm.interfaces.compat.modprobe_insert import insert_all, insert_one  # noqa: PLC0415

            return insert_all(run, operands) if run.settings.use_all else insert_one(run, operands)
        case Mode.REMOVE:
            from lkm.interfaces.compat.modprobe_remove import remove_all  # noqa: PLC0415

            return remove_all(run, operands)
        case _:
            from lkm.interfaces.compat import modprobe_queries  # noqa: PLC0415

            return modprobe_queries.show(run, operands)


def _say_problems(run: Run) -> None:
    """Say what of the configuration is ignored, as libkmod does: with ``-q`` too."""
    if not library_speaks():
        return
    with contextlib.suppress(*LOOKUP_ERRORS):  # nothing will be found, and that is said then
        for problem in run.context.configuration.problems:
            if problem.kind.is_printed:
                sys.stderr.write(f"libkmod: ERROR ../libkmod/{problem.kind.value}: {problem.text}\n")
