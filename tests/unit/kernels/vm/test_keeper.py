"""The keeper ends QEMU when its owner is gone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lkm.kernels.vm import keeper, processes

SHELL = "/bin/sh"


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def ends(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


def start(script: str) -> subprocess.Popen[bytes]:
    return processes.start([SHELL, "-c", script], output=subprocess.PIPE)


def first_number(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def test_the_status_is_the_programs() -> None:
    with start("exit 7") as process:
        assert process.wait(10) == 7
    with start("kill -KILL $$") as process:
        assert process.wait(10) == 128 + signal.SIGKILL


def test_a_program_that_can_not_be_started_is_named() -> None:
    with processes.start(["/no/such/program"], output=subprocess.PIPE) as process:
        assert process.wait(10) == keeper.START_FAILED
        assert process.stdout is not None
        assert process.stdout.read() == b"/no/such/program: No such file or directory\n"


def test_stopping_ends_both() -> None:
    with start("echo $$; exec sleep 1000") as process:
        program = first_number(process)
        processes.stop(process)
        assert not is_running(program)
        assert process.returncode == 128 + signal.SIGTERM


def test_what_ends_by_itself_within_our_patience_keeps_its_status() -> None:
    with start("sleep 0.2; exit 9") as process:
        assert processes.stop(process, 10.0) == 9


def test_the_program_ends_when_the_keeper_is_killed() -> None:
    with start("echo $$; exec sleep 1000") as process:
        program = first_number(process)
        process.kill()
        assert ends(program)


def test_the_program_ends_when_the_owner_is_killed() -> None:
    script = (
        "from lkm.kernels.vm import processes; import time\n"
        "p = processes.start(['/bin/sh', '-c', 'echo $$; exec sleep 1000'], output=1)\n"
        "time.sleep(1000)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as owner:
        program = first_number(owner)
        owner.kill()
        assert ends(program)


def test_a_keeper_whose_owner_is_somebody_else_ends_at_once() -> None:
    command = keeper.keeper_command(sys.executable, os.getppid(), [SHELL, "-c", "sleep 1000"])
    assert subprocess.run(command, check=False, timeout=10).returncode == 128 + signal.SIGKILL


def test_only_the_named_descriptors_are_inherited() -> None:
    read, write = os.pipe()
    other = os.dup(write)
    os.set_inheritable(other, True)  # noqa: FBT003
    script = f"ls /proc/self/fd; echo given > /proc/self/fd/{write}"
    try:
        with processes.start([SHELL, "-c", script], keep_open=[write], output=subprocess.PIPE) as process:
            assert process.stdout is not None
            listed = {int(name) for name in process.stdout.read().split()}
            assert write in listed
            assert other not in listed
        assert os.read(read, 100) == b"given\n"
    finally:
        for descriptor in (read, write, other):
            os.close(descriptor)
