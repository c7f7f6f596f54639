"""What runs a machine's instructions: the processor itself (KVM) where that works, or else QEMU's emulation."""

import functools
import os
import subprocess
import tempfile

from lkm.errors import MachineError
from lkm.kernels.vm.processes import path_of, start, stop

__all__ = ["ENVIRONMENT_VARIABLE", "PROBE_SECONDS", "PROBE_STATUS", "choose", "probe_rom", "works"]

ENVIRONMENT_VARIABLE = "LKM_VM_ACCEL"
"""Names the accelerator and saves the probe: ``kvm`` or ``tcg``."""

PROBE_SECONDS = 1.5
"""How long the probe may take: a working KVM needs 0.2 s, most of it QEMU's own start."""

PROBE_STATUS = (0x2A << 1) | 1
"""QEMU's exit status after the probe wrote 0x2a to isa-debug-exit."""

_KNOWN = ("kvm", "tcg")
_ROM_SIZE = 0x10000

# 16-bit code that counts 8 million down, 16 million instructions: 10 ms on a processor. Where KVM opens but interprets
# each instruction (a host that is itself a guest without nested virtualisation) it takes ten seconds, and a kernel's
# boot would take forever.
_COUNT = (
    b"\x66\xb9\x00\x12\x7a\x00"  # mov  ecx, 8000000
    b"\x66\x49"  #                  dec  ecx
    b"\x75\xfc"  #                  jnz  the line above
    b"\xb0\x2a"  #                  mov  al, 0x2a
    b"\xba\x01\x05"  #              mov  dx, 0x501
    b"\xee"  #                      out  dx, al
    b"\xf4"  #                      hlt
)
_RESET = b"\xea\x00\x00\x00\xf0"  # jmp f000:0000, at the processor's first instruction: f000:fff0


def probe_rom() -> bytes:
    """Make the firmware of the probe: 64 KiB that count and then write 0x2a to port 0x501."""
    rom = bytearray(_ROM_SIZE)
    rom[: len(_COUNT)] = _COUNT
    rom[-16 : -16 + len(_RESET)] = _RESET
    return bytes(rom)


def choose(qemu: str, wanted: str | None = None) -> str:
    """Choose the accelerator for this host; a probe is made once in a process, and only when nobody decides before.

    :param qemu: path of the QEMU to use
    :param wanted: the caller's choice; without it ``LKM_VM_ACCEL`` decides
    :returns: ``kvm`` or ``tcg``
    :raises MachineError: the choice is neither of them
    """
    wanted = wanted or os.environ.get(ENVIRONMENT_VARIABLE)
    if not wanted:
        return "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) and works(qemu, "kvm") else "tcg"
    if wanted not in _KNOWN:
        raise MachineError(f"unknown accelerator {wanted!r}", hint=f"use one of: {', '.join(_KNOWN)}")
    return wanted


@functools.cache
def works(qemu: str, accelerator: str) -> bool:
    """Start a machine that counts for ten milliseconds, and see whether it ends in time.

    :param qemu: path of the QEMU to use
    :param accelerator: ``kvm`` or ``tcg``
    """
    with tempfile.TemporaryFile() as rom:
        rom.write(probe_rom())
        rom.flush()
        process = start(_probe_command(qemu, accelerator, path_of(rom.fileno())), keep_open=[rom.fileno()])
        try:
            return process.wait(PROBE_SECONDS) == PROBE_STATUS
        except subprocess.TimeoutExpired:
            return False
        finally:
            stop(process)


def _probe_command(qemu: str, accelerator: str, rom: str) -> list[str]:
    return [
        *(qemu, "-M", "pc", "-accel", accelerator, "-cpu", "max", "-m", "16", "-bios", rom),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-device", "isa-debug-exit,iobase=0x501,iosize=1"),
    ]
