"""QEMU's command line."""

from dataclasses import replace

import pytest

from lkm.kernels.vm import qemu

HARDWARE = qemu.Hardware(
    accelerator="tcg", memory=512, kernel="/k", initrd="/i", cmdline='lockdown=integrity "a.b=c  d"', agent_socket=7
)


def value(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


def test_nothing_is_there_that_was_not_asked_for() -> None:
    command = qemu.command("/usr/bin/qemu", HARDWARE)
    assert command[0] == "/usr/bin/qemu"
    assert {"-nodefaults", "-no-user-config", "-no-reboot"} <= set(command)
    assert value(command, "-display") == "none"
    assert (value(command, "-kernel"), value(command, "-initrd"), value(command, "-m")) == ("/k", "/i", "512")


def test_the_callers_command_line_comes_last_and_unchanged() -> None:
    assert value(qemu.command("q", HARDWARE), "-append").endswith(' lockdown=integrity "a.b=c  d"')
    assert not value(qemu.command("q", replace(HARDWARE, cmdline="")), "-append").endswith(" ")


def test_the_host_is_shared_for_reading_only() -> None:
    assert {"path=/", "readonly=on"} <= set(value(qemu.command("q", HARDWARE), "-virtfs").split(","))


def test_the_agent_talks_over_the_given_descriptor() -> None:
    assert "socket,id=agent,fd=7" in qemu.command("q", HARDWARE)


@pytest.mark.parametrize(("accelerator", "trimmed"), [("tcg", True), ("kvm", False)])
def test_only_emulation_is_spared_work(accelerator: str, trimmed: bool) -> None:  # noqa: FBT001
    command = qemu.command("q", replace(HARDWARE, accelerator=accelerator))
    assert value(command, "-accel") == accelerator
    assert ("norandmaps" in value(command, "-append").split()) is trimmed


def drives(command: list[str]) -> list[str]:
    return [command[place + 1] for place, word in enumerate(command) if word == "-drive"]


def test_firmware_can_start_the_kernel_that_qemu_holds() -> None:
    command = qemu.command("q", replace(HARDWARE, flash=qemu.Flash("/code", "/a,b")))
    assert drives(command) == [
        "if=pflash,unit=0,format=raw,readonly=on,file=/code",
        "if=pflash,unit=1,format=raw,file=/a,,b",
    ]
    assert value(command, "-kernel") == "/k"
    assert value(command, "-append").endswith(' lockdown=integrity "a.b=c  d"')


def test_firmware_starts_from_its_disk_alone() -> None:
    command = qemu.command("q", replace(HARDWARE, flash=qemu.Flash("/code", "/variables", "/disk")))
    assert drives(command)[2] == "if=none,id=disk,format=raw,readonly=on,file=fat:/disk"
    assert not {"-kernel", "-initrd", "-append"} & set(command)
