"""The agent, as a process that is not process 1, and the host's side of the line, joined by a socket pair."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lkm.errors import MachineError, MachineLost, MachineTimeout, ModuleSupportMissing, Unreadable
from lkm.kernels.vm import machine as machines
from lkm.kernels.vm.frames import encode
from lkm.kernels.vm.kernel import VmKernel
from lkm.kernels.vm.link import Link
from lkm.kernels.vm.machine import Machine
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

AGENT = """
import sys
from lkm.kernels.vm import agent
agent._SCRATCH = sys.argv[2]
agent._forget_files = lambda: None  # the host's caches are nobody's business
try:
    agent.serve(int(sys.argv[1]))
except EOFError:
    print("hung up")
"""


def connect(ours: socket.socket, console: int) -> Machine:
    machine = Machine("/no/kernel", "/no/modules")
    machine._link = Link(ours, console)
    return machine


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Machine]:
    ours, theirs = socket.socketpair()
    console, console_end = os.pipe()
    argv = [sys.executable, "-c", AGENT, str(theirs.fileno()), str(tmp_path)]
    with subprocess.Popen(argv, pass_fds=[theirs.fileno()], stdout=console_end) as process:
        theirs.close()
        os.close(console_end)
        with ours:
            machine = connect(ours, console)
            frame = machine._next((), 30.0, "the agent does not start")
            assert frame == ({"ready": os.uname().release}, ())
            yield machine
            machine._end()
    assert process.returncode == 0
    assert os.read(console, 100) in {b"hung up\n", b""}
    os.close(console)


def test_a_command_runs(served: Machine) -> None:
    done = served.run(["sh", "-c", "cat; echo error >&2; exit 4"], stdin=b"\0\xff")
    assert done == machines.Finished(4, b"\0\xff", b"error\n")


def test_output_opened_by_its_name_is_not_cut_short(served: Machine) -> None:
    done = served.run(["sh", "-c", "for n in 1 2 3; do echo $n >&2; echo $n$n > /dev/stderr; done"])
    assert done.stderr == b"1\n11\n2\n22\n3\n33\n"


def test_nobody_waits_for_what_a_command_leaves_running(served: Machine) -> None:
    start = time.monotonic()
    done = served.run(["sh", "-c", "sleep 30 & echo $!"])
    assert time.monotonic() - start < 20
    os.kill(int(done.stdout), 9)


def test_large_input_comes_back(served: Machine) -> None:
    data = os.urandom(3_000_000)
    assert served.run(["cat"], stdin=data).stdout == data


def test_the_environment_is_the_machines_and_the_callers(served: Machine) -> None:
    done = served.run(["sh", "-c", "echo $HOME $LANG; pwd"], env={"LANG": "C"}, cwd="/usr")
    assert done.stdout == b"/root C\n/usr\n"


def test_signals_that_python_ignores_are_not_ignored_by_commands(served: Machine) -> None:
    assert served.run(["sh", "-c", "kill -PIPE $$"]).status == -13


def test_what_takes_too_long_is_killed_with_its_children(served: Machine) -> None:
    start = time.monotonic()
    done = served.run(["sh", "-c", "echo $$; sleep 1000 & sleep 1000"], timeout=0.3)
    assert (done.status, done.timed_out) == (-9, True)
    assert time.monotonic() - start < 10
    assert not _group_is_alive(int(done.stdout))
    assert served.run(["true"]).status == 0


def _group_is_alive(group: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["no-such-program"], "can't be started"),
        (["/etc/passwd"], "can't be started"),
        (["a\0b"], "embedded null"),
        ([], "IndexError"),
    ],
)
def test_what_can_not_be_started_is_an_error(served: Machine, argv: list[str], message: str) -> None:
    with pytest.raises(MachineError, match=message):
        served.run(argv)
    assert served.run(["true"]).status == 0


def test_an_unknown_request_does_not_end_the_agent(served: Machine) -> None:
    body, _ = served.ask({"ask": "dance"}, timeout=10.0)
    assert "does not know" in str(body["failed"])
    assert served.run(["true"]).status == 0


def test_errors_of_the_kernel_keep_their_kind(served: Machine, tmp_path: Path) -> None:
    kernel = VmKernel(served)
    with pytest.raises(Unreadable) as caught:
        kernel.load(ModuleFile(Root(str(tmp_path)), "/missing.ko"), "")
    assert caught.value.where == str(tmp_path / "missing.ko")
    assert kernel.command_line() == Path("/proc/cmdline").read_text().rstrip("\n")
    if not Path("/proc/modules").exists():
        with pytest.raises(ModuleSupportMissing) as missing:
            kernel.loaded()
        assert missing.value.hint


def test_an_agent_that_does_not_answer_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "_ANSWER_SECONDS", 0.0)
    monkeypatch.setattr(machines, "_END_SECONDS", 0.0)
    ours, theirs = socket.socketpair()
    console, console_end = os.pipe()
    os.write(console_end, b"one\r\n\r\ntwo\r\n")
    with ours, theirs:
        machine = connect(ours, console)
        with pytest.raises(MachineTimeout, match=r"within 0\.2 s") as caught:
            machine.run(["true"], timeout=0.2)
        assert caught.value.console == ("one", "two")
        assert machine.console == ("one", "two")
        with pytest.raises(MachineError, match="not running"):
            machine.run(["true"])
    os.close(console)
    os.close(console_end)


@pytest.mark.parametrize(
    ("sent", "printed", "message"),
    [
        (b"", b"", "ended before it answered"),
        (b"garbage!", b"", "can't be understood: not a frame"),
        (b"", b"[ 1.0] Kernel panic - not syncing: Oops\n[ 1.1] more\n", "kernel panicked: Oops"),
    ],
)
def test_a_machine_that_is_lost(sent: bytes, printed: bytes, message: str) -> None:
    ours, theirs = socket.socketpair()
    console, console_end = os.pipe()
    os.write(console_end, printed)
    os.close(console_end)
    with ours, theirs:
        machine = connect(ours, console)
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(MachineLost, match=message) as caught:
            machine.run(["true"])
        assert not isinstance(caught.value, MachineTimeout)
        assert list(caught.value.console) == printed.decode().splitlines()
    os.close(console)


@pytest.mark.parametrize("answer", [{}, {"status": "0", "in time": True}, {"failed": "why"}, {"value": []}])
def test_answers_that_make_no_sense_are_errors(answer: dict[str, object]) -> None:
    ours, theirs = socket.socketpair()
    console, console_end = os.pipe()
    with ours, theirs:
        machine = connect(ours, console)
        for _ in range(2):
            theirs.sendall(encode(answer))
        with pytest.raises(MachineError):
            machine.run(["true"])
        with pytest.raises(MachineError):
            VmKernel(machine).taint()
    os.close(console)
    os.close(console_end)
