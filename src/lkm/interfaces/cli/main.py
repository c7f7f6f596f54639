"""The command ``lkm``: a verb; or, by the name it is called by, one of the front-ends.

What a front-end does not need is not imported: ``lsmod`` must start fast.
"""

import os
import sys
from collections.abc import Callable, Sequence

from lkm.errors import Unreadable, UsageError
from lkm.interfaces.cli.front_ends import FRONT_ENDS

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    :param argv: without the program's name; by default the process's own
    :returns: the exit status
    """
    _open_what_is_closed()
    words = list(sys.argv[1:] if argv is None else argv)
    called = os.path.basename(sys.argv[0])  # noqa: PTH119  pathlib is dear at start-up
    if argv is None and called in FRONT_ENDS:
        return _guarded(called, lambda: _front_end(called, words))
    if words and words[0] in FRONT_ENDS:
        return _guarded(words[0], lambda: _front_end(words[0], words[1:]))
    if words and words[0] == "__complete":
        return _guarded("lkm", lambda: _complete(words[1:]))
    return _guarded("lkm", lambda: _verb(words), debug="--debug" in words)


def _open_what_is_closed() -> None:
    """Stand /dev/null in for standard streams that the caller has closed: else a file that is opened takes their place.

    Python has None for such a stream.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            found = os.open(os.devnull, os.O_RDWR)
            if found != number:
                os.dup2(found, number)
                os.close(found)
            os.set_inheritable(number, True)  # noqa: FBT003  positional in the library
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115  to the end


def _verb(words: list[str]) -> int:
    from lkm.interfaces.cli.verbs import run  # noqa: PLC0415  the front-ends need no argparse

    return run(words)


def _complete(words: list[str]) -> int:
    from lkm.interfaces.completion.answer import main as complete  # noqa: PLC0415  only the shells' scripts ask so

    return complete(words)


def _front_end(tool: str, arguments: list[str]) -> int:
    import importlib  # noqa: PLC0415  a tool is imported when it is called

    status: int = importlib.import_module(f"lkm.interfaces.compat.{tool.replace('-', '_')}").main(arguments)
    return status


def _guarded(program: str, run: Callable[[], int], *, debug: bool = False) -> int:
    """Run, and turn what goes wrong into a message and an exit status."""
    try:
        status = _status(run)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()  # whoever reads it has seen enough
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except Exception as error:  # the last resort: a person is never shown a traceback, unless by --debug
        if debug:
            raise
        return _report(program, error)
    return status


def _status(run: Callable[[], int]) -> int:
    try:
        return run()
    except SystemExit as end:  # so argparse ends after a help text, and after a wrong call
        return end.code if isinstance(end.code, int) else 0


def _drop_output() -> None:
    """Keep the interpreter from trying, and complaining, once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(program: str, error: Exception) -> int:
    from lkm.interfaces.messages import as_ours, tell  # noqa: PLC0415  only when something went wrong

    try:
        tell(program, as_ours(error))
    except OSError:
        _drop_output()
    return 2 if isinstance(error, UsageError | Unreadable) else 1
