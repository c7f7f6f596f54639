"""What is said of a machine that ended before it answered."""

import pytest

from lkm.errors import MachineLost
from lkm.kernels.vm import processes
from lkm.kernels.vm.machine import Machine


class _EndedLink:
    """A line to a machine whose kernel panicked, with a stack dump longer than what is shown of a console."""

    def converse(self, *_: object) -> None:
        raise MachineLost("the machine ended before it answered")

    def console(self, _: float = 0.0) -> tuple[str, ...]:
        dump = (f"[    3.7] frame {number}" for number in range(100))
        return ("[    1.0] hello", "[    3.6] Kernel panic - not syncing: out of luck", *dump)


def test_a_panic_is_found_above_a_long_stack_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "stop", lambda *_: 0)
    machine = Machine("/boot/vmlinuz", "/lib/modules/6.1.0")
    monkeypatch.setattr(machine, "_link", _EndedLink())
    with pytest.raises(MachineLost, match="kernel panicked: out of luck") as caught:
        machine.run(["true"])
    assert caught.value.console[0].endswith("out of luck")
    assert len(caught.value.console) == len(machine.console) == 40
