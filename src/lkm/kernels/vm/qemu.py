"""The command line of QEMU for a machine."""

from dataclasses import dataclass

from lkm.kernels.vm.initramfs import AGENT_PORT, HOST_ROOT_TAG

__all__ = ["Flash", "Hardware", "command", "firmware_words", "kernel_words"]


@dataclass(frozen=True, slots=True)
class Flash:
    """UEFI firmware, in a machine that starts with it.

    :param code: path of the firmware
    :param variables: path of its memory, which it writes
    :param disk: directory that it sees as its disk and starts from; without it QEMU hands the kernel over
    """

    code: str
    variables: str
    disk: str | None = None


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a machine is made of.

    :param accelerator: ``kvm`` or ``tcg``
    :param memory: in MiB; a distribution's kernel needs 256, and fails without a word with 64
    :param kernel: path of a bzImage, or of a vmlinux with a PVH entry
    :param initrd: path of the initramfs
    :param cmdline: the caller's part of the kernel command line
    :param agent_socket: descriptor of a connected socket, which becomes the agent's port
    :param flash: the firmware, where it is UEFI
    """

    accelerator: str
    memory: int
    kernel: str
    initrd: str
    cmdline: str
    agent_socket: int
    flash: Flash | None = None


def command(qemu: str, hardware: Hardware) -> list[str]:
    """Write QEMU's command line: the console on standard output, no monitor, no network, no disk.

    A panic restarts the kernel at once (``panic=-1``), and a restart ends QEMU (``-no-reboot``).

    :param qemu: path of qemu-system-x86_64
    """
    return [
        *(qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-M", "q35", "-accel", hardware.accelerator, "-cpu", "max"),
        *("-smp", "1", "-m", str(hardware.memory)),
        *_start_of(hardware),
        *("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"),
        *("-virtfs", f"local,path=/,mount_tag={HOST_ROOT_TAG},security_model=none,readonly=on,multidevs=remap"),
        *("-chardev", f"socket,id=agent,fd={hardware.agent_socket}"),
        *("-device", "virtio-serial-pci", "-device", f"virtserialport,chardev=agent,name={AGENT_PORT}"),
    ]


def kernel_words(accelerator: str, cmdline: str) -> str:
    """Write the kernel command line; the caller's part comes last and wins."""
    return " ".join(filter(None, ("console=ttyS0 panic=-1 quiet", _CMDLINES[accelerator], cmdline)))


def _start_of(hardware: Hardware) -> list[str]:
    flash = hardware.flash
    words = [] if flash is None else firmware_words(flash)
    if flash is None or flash.disk is None:
        cmdline = kernel_words(hardware.accelerator, hardware.cmdline)
        words += ["-kernel", hardware.kernel, "-initrd", hardware.initrd, "-append", cmdline]
    return words


def firmware_words(flash: Flash) -> list[str]:
    """Give the options for UEFI firmware and its disk."""
    words = [
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={_escaped(flash.code)}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file={_escaped(flash.variables)}"),
    ]
    if flash.disk is not None:
        disk = f"if=none,id=disk,format=raw,readonly=on,file=fat:{_escaped(flash.disk)}"
        words += ["-drive", disk, "-device", "virtio-blk-pci,drive=disk,bootindex=0"]
    return words


def _escaped(path: str) -> str:
    return path.replace(",", ",,")


# Emulation keeps translated code by its address. Where addresses differ from process to process it translates anew each
# time: Python then starts in 0.46 s instead of 0.20 s. The self-tests of ciphers would take 0.4 s.
_CMDLINES = {"kvm": "", "tcg": "norandmaps cryptomgr.notests"}
