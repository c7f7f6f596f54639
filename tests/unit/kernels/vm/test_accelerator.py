"""Choosing an accelerator by starting it."""

import pytest

from lkm.errors import MachineError
from lkm.kernels.vm import accelerator


def test_the_rom_starts_at_the_reset_vector_and_jumps_to_its_code() -> None:
    rom = accelerator.probe_rom()
    assert len(rom) == 0x10000
    assert rom[0xFFF0:0xFFF5] == b"\xea\x00\x00\x00\xf0"  # jmp f000:0000
    assert int.from_bytes(rom[2:6], "little") == 8_000_000
    assert rom[10:12] == b"\xb0\x2a"
    assert accelerator.PROBE_STATUS == 85


@pytest.mark.parametrize("name", ["kvm", "tcg"])
def test_the_environment_decides_without_a_probe(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(accelerator.ENVIRONMENT_VARIABLE, name)
    assert accelerator.choose("/no/such/qemu") == name


def test_the_caller_decides_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(accelerator.ENVIRONMENT_VARIABLE, "kvm")
    assert accelerator.choose("/no/such/qemu", "tcg") == "tcg"


def test_an_unknown_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(accelerator.ENVIRONMENT_VARIABLE, "hvf")
    with pytest.raises(MachineError, match="hvf") as caught:
        accelerator.choose("/no/such/qemu")
    assert caught.value.hint == "use one of: kvm, tcg"


def test_without_kvm_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(accelerator.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert accelerator.choose("/no/such/qemu") == "tcg"


def test_a_qemu_that_can_not_be_started_works_not_at_all() -> None:
    assert not accelerator.works("/no/such/qemu", "kvm")
