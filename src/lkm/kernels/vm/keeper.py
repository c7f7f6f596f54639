"""Run a program that never outlives its owner; a script of its own, see :func:`keeper_command`.

The owner may die of SIGKILL, and it may start programs from threads that end before it does. So a small process with
one thread stands in between: it ends when the owner does (a pidfd tells), and the kernel kills the program when this
process ends, however it does (PR_SET_PDEATHSIG, which is bound to the *thread* that forked: prctl(2)).
"""

import ctypes
import os
import select
import signal
import sys

__all__ = ["START_FAILED", "keep", "keeper_command"]

START_FAILED = 127
"""The status of a keeper that could not start its program."""

_PR_SET_PDEATHSIG = 1  # include/uapi/linux/prctl.h


def keeper_command(python: str, owner: int, command: list[str]) -> list[str]:
    """Give the command that runs another one for as long as the owner lives.

    It ends with the program's status, or 128 and the signal's number; SIGTERM ends both.

    :param python: an interpreter
    :param owner: the process that starts the keeper
    :param command: an absolute path and arguments
    """
    return [python, "-I", "-S", __file__, str(owner), *command]


def keep(owner: int, command: list[str]) -> int:
    """Run a program until it or the owner ends.

    :returns: the program's status, or 128 and the number of the signal that ended it
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    libc = ctypes.CDLL(None, use_errno=True)
    child = _start(command, libc)
    try:
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # the program's ends of pipes and sockets are its own alone
        _wait_for_either(owner, child)
    finally:
        os.kill(child, signal.SIGKILL)  # not reaped yet: the number is still its own
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status


def _start(command: list[str], libc: ctypes.CDLL) -> int:
    keeper = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == keeper:  # else the keeper died before the line above
            os.execv(command[0], command)  # noqa: S606  no shell is wanted
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(START_FAILED)


def _wait_for_either(owner: int, child: int) -> None:
    try:
        owner_end = os.pidfd_open(owner)
    except ProcessLookupError:
        return
    if os.getppid() != owner:  # it ended, and its number may be another process's by now
        return
    poll = select.poll()
    poll.register(owner_end, select.POLLIN)
    poll.register(os.pidfd_open(child), select.POLLIN)
    poll.poll()


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), sys.argv[2:]))
