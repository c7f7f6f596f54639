"""A virtual machine with a given kernel and this host's files, which runs commands until it is left."""

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

from lkm.errors import MachineError, MachineLost, MachineTimeout
from lkm.kernels.vm import accelerator as accelerators
from lkm.kernels.vm import boot_disk, boot_files, processes, qemu
from lkm.kernels.vm.firmware import Firmware
from lkm.kernels.vm.frames import Body, Frame, encode
from lkm.kernels.vm.held_files import HeldFiles
from lkm.kernels.vm.link import Link

if TYPE_CHECKING:
    import subprocess

__all__ = ["Finished", "Machine"]

_ANSWER_SECONDS = 30.0  # for the agent to say that a command's time is over, on a busy host
_BOOT_SECONDS = 60.0
_FIRMWARE_BOOT_SECONDS = 180.0  # emulated it takes 14 s on an idle host
_CONSOLE_LINES = 40
_LOG_SECONDS = 60.0
_END_SECONDS = 2.0  # for QEMU to end after it has let go of its end of the line
_HINT = "look at the last lines of its console, and whether it needs more memory"
_LEAST_MEMORY = 256  # with 64 a distribution's kernel ends without a word
_LEAST_MEMORY_WITH_FIRMWARE = 512  # with 256 the kernel can't be unpacked
_NOT_SIGNED = "bad shim signature"  # GRUB's words (grub-core/kern/efi/sb.c)
_PANIC = "Kernel panic - not syncing: "


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ran to its end.

    :param status: its exit status, or minus the signal that ended it
    :param stdout: what it wrote to its standard output
    :param stderr: what it wrote to its standard error
    :param timed_out: it was ended by SIGKILL because its time was over
    """

    status: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False


class Machine:
    """A virtual machine, started on entering the context and ended on leaving it.

    Inside, the host's files are visible under their names, as far as the caller may read them, and as they are when a
    command starts; /dev, /proc, /run and /sys are the machine's own. What is written stays in the machine's memory and
    vanishes with it. Commands run as root, one at a time: an instance is for one thread. Nothing outlives the context
    or this process, and nothing is left on the disk, however they end; but with a boot loader and this process killed,
    a directory of links is.

    :param kernel: a vmlinuz
    :param modules: its module tree, a directory; inside it is seen at ``/lib/modules/RELEASE``
    :param memory: in MiB, 256 or more, with firmware 512
    :param cmdline: added to the kernel command line
    :param accelerator: ``kvm`` or ``tcg``; by default whichever works
    :param boot_timeout: in seconds, for the first answer; by default 60, with firmware 180
    :param firmware: start as a computer with UEFI does, Secure Boot included; else QEMU starts the kernel at once
    :ivar release: the kernel's release; empty before the machine has started
    """

    def __init__(
        self,
        kernel: str | Path,
        modules: str | Path,
        *,
        memory: int = 512,
        cmdline: str = "",
        accelerator: str | None = None,
        boot_timeout: float | None = None,
        firmware: Firmware | None = None,
    ) -> None:
        self.release = ""
        self._kernel = Path(kernel)
        self._modules = Path(modules)
        self._memory = memory
        self._cmdline = cmdline
        self._accelerator = accelerator
        self._boot_timeout = boot_timeout or (_BOOT_SECONDS if firmware is None else _FIRMWARE_BOOT_SECONDS)
        self._firmware = firmware
        self._running = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Link | None = None
        self._console: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        """Start the machine and wait until it answers.

        :raises MachineError: QEMU or busybox is missing, or the kernel is not fit for this
        :raises MachineLost: it ended before it answered
        :raises MachineTimeout: it did not answer in time
        :raises Unreadable: the kernel or its module tree can't be read
        """
        with ExitStack() as stack:
            self._link = self._start(stack)
            self._running = stack.pop_all()
        match self._next((), self._boot_timeout, f"the machine did not start within {self._boot_timeout:g} s"):
            case {"ready": str(release)}, ():
                self.release = release
            case _:
                self._lose(MachineLost("the machine's agent did not introduce itself"))
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def console(self) -> tuple[str, ...]:
        """The last lines that the kernel wrote to its console, oldest first; they stay when the machine has ended."""
        if self._link is not None:
            self._console = self._link.console()
        return self._console[-_CONSOLE_LINES:]

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        stdin: bytes = b"",
        timeout: float = 120.0,
    ) -> Finished:
        """Run a command and wait for its end.

        What it leaves running in the background goes on, but can write no more to its output (EPIPE). Output that does
        not fit into half of the machine's memory ends the same way.

        :param argv: a program, looked up in the machine's PATH, and its arguments
        :param env: added to the machine's environment
        :param cwd: directory to run it in
        :param stdin: its standard input
        :param timeout: in seconds; the command and its process group are then killed, and the machine lives on
        :raises MachineError: it can't be started, or the machine is not running
        :raises MachineLost: the machine ended meanwhile
        :raises MachineTimeout: not even the machine's agent answers; the machine is ended
        """
        command: Body = {"argv": list(argv), "env": dict(env or {}), "cwd": cwd, "timeout": float(timeout)}
        answer = self.ask({"ask": "run", **command}, stdin, timeout=timeout)
        match answer:
            case {"status": int(status), "in time": bool(in_time)}, (stdout, stderr):
                return Finished(status, stdout, stderr, timed_out=not in_time)
            case {"not started": str(reason)}, ():
                raise MachineError(f"the command can't be started in the machine: {reason}")
        raise MachineError(f"the machine's agent failed: {answer[0].get('failed', 'it makes no sense')}")

    def kernel_log(self) -> tuple[str, ...]:
        """Give the kernel's log, oldest first, without time stamps.

        :raises MachineError: as :meth:`ask`
        """
        match self.ask({"ask": "kernel", "call": "log", "arguments": []}, timeout=_LOG_SECONDS):
            case {"value": list(lines)}, ():
                return tuple(str(line) for line in lines)
        raise MachineError("the machine's agent could not read the kernel's log")

    def ask(self, request: Body, *parts: bytes, timeout: float) -> Frame:
        """Send a request to the agent and wait for its answer.

        :param timeout: in seconds, for what was asked; the agent gets some more to say so
        :raises MachineError: the machine is not running
        :raises MachineLost: the machine ended meanwhile
        :raises MachineTimeout: the agent does not answer; the machine is ended
        """
        pieces = (encode(request, [len(part) for part in parts]), *parts)
        return self._next(pieces, timeout + _ANSWER_SECONDS, f"the machine's agent did not answer within {timeout:g} s")

    def _start(self, stack: ExitStack) -> Link:
        least = _LEAST_MEMORY if self._firmware is None else _LEAST_MEMORY_WITH_FIRMWARE
        if self._memory < least:
            raise MachineError(f"such a machine needs {least} MiB of memory or more, not {self._memory}")
        program = processes.find_qemu()
        accelerator = accelerators.choose(program, self._accelerator)
        emulated, has_firmware = accelerator == "tcg", self._firmware is not None
        files = boot_files.prepare(self._kernel, self._modules, emulated=emulated, firmware=has_firmware)
        ours, theirs = socket.socketpair()
        stack.enter_context(ours)
        console, console_end = os.pipe()
        stack.callback(os.close, console)
        with theirs, os.fdopen(console_end, "wb"), HeldFiles() as held:
            hardware = qemu.Hardware(
                accelerator=accelerator,
                memory=self._memory,
                kernel=held.hold(files.kernel),
                initrd=held.hold(files.initramfs),
                cmdline=self._cmdline,
                agent_socket=theirs.fileno(),
            )
            if self._firmware is not None:
                flash = stack.enter_context(boot_disk.flash(self._firmware, hardware, held))
                hardware = replace(hardware, flash=flash)
            command = qemu.command(program, hardware)
            inherited = [*held.descriptors, theirs.fileno()]
            self._process = processes.start(command, keep_open=inherited, output=console_end)
        stack.callback(processes.stop, self._process)
        return Link(ours, console)

    def _next(self, pieces: Sequence[bytes], seconds: float, complaint: str) -> Frame:
        if self._link is None:
            raise MachineError("the machine is not running")
        try:
            frame = self._link.converse(pieces, seconds)
        except MachineLost as error:
            self._lose(error)
        except BaseException:
            self._end()  # the line is in the middle of a frame
            raise
        if frame is None:
            self._lose(MachineTimeout(complaint))
        return frame

    def _lose(self, error: MachineLost) -> NoReturn:
        status = processes.stop(self._process, 0.0 if isinstance(error, MachineTimeout) else _END_SECONDS)
        self._end(_END_SECONDS)
        panics = [number for number, line in enumerate(self._console) if _PANIC in line]
        if panics:
            shown = self._console[panics[0] :][:_CONSOLE_LINES]  # a stack dump of any length follows
            reason = shown[0].partition(_PANIC)[2]
            raise MachineLost(f"the machine's kernel panicked: {reason}", console=shown) from None
        if any(_NOT_SIGNED in line for line in self._console):
            raise MachineError(
                "the boot loader refuses the kernel: no key that shim trusts has signed it",
                where=str(self._kernel),
                hint="boot a distribution's kernel; one of your own works without Secure Boot",
            ) from None
        what = error.what if isinstance(error, MachineTimeout) else f"{error.what} (QEMU's status: {status})"
        raise type(error)(what, console=self.console, hint=_HINT) from None

    def _end(self, seconds: float = 0.0) -> None:
        if self._link is not None:
            self._console = self._link.console(seconds)
        self._running.close()
        self._process = self._link = None
