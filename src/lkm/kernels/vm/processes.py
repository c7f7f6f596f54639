"""QEMU as a process of ours: started through the keeper, found on PATH, its files handed over as descriptors."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from lkm.errors import MachineError
from lkm.kernels.vm.keeper import keeper_command

__all__ = ["find_qemu", "path_of", "start", "stop"]

_STOP_SECONDS = 5.0


def find_qemu() -> str:
    """Find the emulator for this machine's own architecture, whose programs the guest runs.

    :returns: its path
    :raises MachineError: it is not installed, or this is no x86-64 machine
    """
    architecture = os.uname().machine
    if architecture != "x86_64":
        raise MachineError(f"virtual machines can't be started on {architecture} yet", hint="use an x86-64 machine")
    qemu = shutil.which("qemu-system-x86_64")
    if qemu is None:
        raise MachineError("qemu-system-x86_64 is not installed", hint="apt-get install qemu-system-x86")
    return qemu


def path_of(descriptor: int) -> str:
    """Give a path by which a child opens a file that has no name: nothing is left behind, however we end."""
    return f"/proc/self/fd/{descriptor}"


def start(
    command: list[str],
    *,
    keep_open: Sequence[int] = (),
    source: int = subprocess.DEVNULL,
    output: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a program that ends when this process does; end it with :func:`stop`.

    It gets a session of its own, so that Ctrl-C at a terminal reaches us alone and we end it in order.

    :param command: an absolute path and arguments
    :param keep_open: descriptors that it inherits under the same numbers
    :param source: a descriptor for its standard input
    :param output: a descriptor for its standard output and error
    :raises MachineError: no interpreter can be started
    """
    keeper = keeper_command(sys.executable, os.getpid(), command)
    try:
        return subprocess.Popen(
            keeper,
            stdin=source,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=keep_open,
            start_new_session=True,
        )
    except OSError as error:
        raise MachineError(f"{sys.executable or 'python'} can't be started: {error.strerror}") from error


def stop(process: subprocess.Popen[bytes] | None, patience: float = 0.0) -> int:
    """End a program; when this returns neither it nor its keeper runs.

    :param patience: how long it may take to end by itself, in seconds
    :returns: the keeper's status
    """
    if process is None:
        return 0
    if not _ends(process, patience):
        process.terminate()
        if not _ends(process, _STOP_SECONDS):
            process.kill()  # and the kernel kills the program
    return process.wait()


def _ends(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
