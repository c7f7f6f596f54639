"""What is said of a machine that ended before it answered."""

import os
import socket

import pytest

from lkm.errors import MachineError, MachineLost
from lkm.kernels.vm import processes
from lkm.kernels.vm.firmware import Firmware
from lkm.kernels.vm.link import Link
from lkm.kernels.vm.machine import Machine


class _EndedLink:
    """A line to a machine that ended."""

    def __init__(self, *console: str) -> None:
        self._console = console

    def converse(self, *_: object) -> None:
        raise MachineLost("the machine ended before it answered")

    def console(self, _: float = 0.0) -> tuple[str, ...]:
        return self._console


def test_a_panic_is_found_above_a_long_stack_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "stop", lambda *_: 0)
    machine = Machine("/boot/vmlinuz", "/lib/modules/6.1.0")
    dump = (f"[    3.7] frame {number}" for number in range(100))  # more than is shown of a console
    panic = "[    3.6] Kernel panic - not syncing: out of luck"
    monkeypatch.setattr(machine, "_link", _EndedLink("[    1.0] hello", panic, *dump))
    with pytest.raises(MachineLost, match="kernel panicked: out of luck") as caught:
        machine.run(["true"])
    assert caught.value.console[0].endswith("out of luck")
    assert len(caught.value.console) == len(machine.console) == 40


def test_a_kernel_that_the_boot_loader_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "stop", lambda *_: 0)
    machine = Machine("/boot/vmlinuz", "/lib/modules/6.1.0")
    monkeypatch.setattr(machine, "_link", _EndedLink("BdsDxe: starting", "error: bad shim signature."))
    with pytest.raises(MachineError, match="boot loader refuses the kernel") as caught:
        machine.run(["true"])
    assert caught.value.where == "/boot/vmlinuz"


@pytest.mark.parametrize(("firmware", "least"), [(None, 256), (Firmware(b""), 512)])
def test_too_little_memory_is_told_before_anything_starts(firmware: Firmware | None, least: int) -> None:
    machine = Machine("/boot/vmlinuz", "/lib/modules/6.1.0", memory=least - 1, firmware=firmware)
    with pytest.raises(MachineError, match=f"needs {least} MiB of memory or more, not {least - 1}"):
        machine.__enter__()


def test_colours_are_no_part_of_the_console() -> None:
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe()
    with ours, theirs, os.fdopen(reading), os.fdopen(writing, "wb") as console:
        link = Link(ours, reading)
        console.write(b"\x1b[2J\x1b[01;01H\x1b[=3hBdsDxe: starting\r\n\x1b[0m\x1b[30mWelcome\r\n")
        console.flush()
        assert link.console() == ("BdsDxe: starting", "Welcome")
