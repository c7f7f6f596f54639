"""What is said of a machine that ended before it answered."""

import pytest

from lkm.errors import MachineError, MachineLost
from lkm.kernels.vm import processes
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
