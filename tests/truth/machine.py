"""A machine that is booted once, saved, and put back to that state for every case: 0.3 s instead of a boot.

It has no host files (QEMU does not save a machine that has some mounted): what the cases load is in its initramfs, and
a small static program talks over a serial port. The saved state is a snapshot of QEMU's own, in an overlay without a
name.
"""

import json
import os
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from tests.support.require import require_tool

from lkm.formats import cpio
from lkm.formats.kernel_image import wrapping
from lkm.kernels.kmsg import record_lines
from lkm.kernels.vm import processes
from lkm.kernels.vm.boot_files import has_pvh_entry
from lkm.kernels.vm.images import Image

__all__ = ["Answer", "SavedMachine"]

_CMDLINE = (
    "console=ttyS0 panic=-1 quiet printk.devkmsg=on norandmaps cryptomgr.notests tsc=reliable"
    " rcupdate.rcu_cpu_stall_suppress=1"  # it takes the time that passed since it was saved for a stall
)
_SNAPSHOT = "fresh"
_BOOT_SECONDS = 150.0
_ANSWER_SECONDS = 60.0
_CALM_MILLISECONDS = 1500
_MOST_WAITS = 20


@dataclass(frozen=True)
class Answer:
    """What became of one request.

    :param errno: positive; 0 where it worked; -1 where the kernel killed the process that asked
    :param log: the lines that the kernel printed meanwhile
    :param text: what a file holds
    """

    errno: int
    log: tuple[str, ...]
    text: bytes = b""


class Lost(Exception):
    """The machine answers no more."""


class SavedMachine:
    """A running machine; for one thread.

    :param image: the kernel
    :param cmdline: added to its command line
    :param files: what it finds under ``/files``, by name
    """

    def __init__(self, image: Image, cmdline: str, files: Mapping[str, bytes]) -> None:
        self._image = image
        self._cmdline = cmdline
        self._files = files
        self._running = ExitStack()
        self._agent: socket.socket
        self._monitor: socket.socket
        self._received = b""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._answer(_BOOT_SECONDS)
            for _ in range(_MOST_WAITS):
                if not self.ask(f"rest {_CALM_MILLISECONDS}").log:
                    break
            self._qmp("qmp_capabilities")
            self._human(f"savevm {_SNAPSHOT}")
            self._running = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def restore(self) -> None:
        """Put the machine back to where nothing has been loaded."""
        self._human(f"loadvm {_SNAPSHOT}")
        self._received = b""
        while select.select([self._agent], [], [], 0)[0]:
            self._agent.recv(1 << 16)

    def load(self, name: str, parameters: str, flags: int, command: str, *, privileged: bool) -> Answer:
        """Call finit_module for one of the files."""
        words = (f"/files/{name}", _hex(parameters), str(flags), _hex(command), str(int(privileged)))
        return self.ask(" ".join(("load", *words)))

    def unload(self, name: str, flags: int) -> Answer:
        """Call delete_module."""
        return self.ask(f"unload {_hex(name)} {flags}")

    def read(self, path: str) -> str | None:
        """Read a file of the machine without its final newline; None where there is none."""
        answer = self.ask(f"read {_hex(path)}")
        return None if answer.errno else answer.text.decode("utf-8", "surrogateescape").removesuffix("\n")

    def write(self, path: str, text: str) -> None:
        """Write into a file of the machine."""
        self.ask(f"write {path} {_hex(text)}")

    def ask(self, request: str) -> Answer:
        """Send a request and wait for its answer.

        :raises Lost: there is none
        """
        self._agent.sendall(request.encode() + b"\n")
        return self._answer(_ANSWER_SECONDS)

    # --- the agent ----------------------------------------------------------------------------------------------------

    def _answer(self, seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        while not self._received.endswith(b"end\n"):
            if not select.select([self._agent], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise Lost("no answer in time")
            data = self._agent.recv(1 << 16)
            if not data:
                raise Lost("QEMU has ended")
            self._received += data
        received, self._received = self._received, b""
        errno, text, log = 0, b"", []
        for line in received.split(b"\n")[:-2]:
            kind, _, rest = line.partition(b" ")
            match kind:
                case b"errno":
                    errno = int(rest)
                case b"text":
                    text = bytes.fromhex(rest.decode())
                case b"log":
                    log += record_lines(rest)
        return Answer(errno, tuple(log), text)

    # --- QEMU ---------------------------------------------------------------------------------------------------------

    def _start(self, stack: ExitStack) -> None:
        kernel, initrd, disk = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))  # noqa: SIM115  so it is
        vmlinuz = self._image.kernel.read_bytes()
        vmlinux = wrapping.unpack(vmlinuz)
        kernel.write(vmlinux if has_pvh_entry(vmlinux) else vmlinuz)
        initrd.write(_initramfs(self._files))
        disk.truncate(1 << 20)
        for file in (kernel, initrd):
            file.flush()
        self._agent, agent_end = socket.socketpair()
        self._monitor, monitor_end = socket.socketpair()
        for ours in (self._agent, self._monitor):
            stack.enter_context(ours)
        with agent_end, monitor_end:
            cmdline = f"{_CMDLINE} {self._cmdline}"
            command = [
                *(
                    require_tool("qemu-system-x86_64"),
                    "-nodefaults",
                    "-no-user-config",
                    "-display",
                    "none",
                    "-no-reboot",
                ),
                *("-M", "pc", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "256", "-append", cmdline),
                *("-kernel", processes.path_of(kernel.fileno()), "-initrd", processes.path_of(initrd.fileno())),
                *("-drive", f"if=none,id=disk,format=raw,snapshot=on,file={processes.path_of(disk.fileno())}"),
                *("-serial", "null"),
                *("-chardev", f"socket,id=agent,fd={agent_end.fileno()}", "-serial", "chardev:agent"),
                *("-chardev", f"socket,id=qmp,fd={monitor_end.fileno()}", "-mon", "chardev=qmp,mode=control"),
            ]
            descriptors = [file.fileno() for file in (kernel, initrd, disk, agent_end, monitor_end)]
            process = processes.start(command, keep_open=descriptors, output=2)
        stack.callback(processes.stop, process)
        self._lines = stack.enter_context(self._monitor.makefile("rb"))
        json.loads(self._lines.readline())  # the greeting

    def _human(self, line: str) -> None:
        complaint = self._qmp("human-monitor-command", {"command-line": line})
        if complaint:
            raise Lost(f"{line}: {complaint}")

    def _qmp(self, command: str, arguments: Mapping[str, Any] | None = None) -> Any:
        self._monitor.sendall(json.dumps({"execute": command, "arguments": dict(arguments or {})}).encode())
        while line := self._lines.readline():
            message = json.loads(line)
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise Lost(f"{command}: {message['error']}")
        raise Lost("QEMU has ended")


def _initramfs(files: Mapping[str, bytes]) -> bytes:
    return cpio.write(
        [
            *(cpio.directory(name) for name in ("dev", "proc", "sys", "files")),
            cpio.device("dev/console", 5, 1),
            cpio.file("init", _agent(), 0o755),
            *(cpio.file(f"files/{name}", data) for name, data in files.items()),
        ]
    )


@cache
def _agent() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        program = Path(directory, "agent")
        source = Path(__file__).with_name("agent.c")
        subprocess.run([require_tool("gcc"), "-static", "-O1", "-w", "-o", program, source], check=True)
        return program.read_bytes()


def _hex(text: str) -> str:
    return os.fsencode(text).hex() or "-"
