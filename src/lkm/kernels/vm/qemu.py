"""The command line of QEMU for a machine."""

from dataclasses import dataclass

from lkm.kernels.vm.initramfs import AGENT_PORT, HOST_ROOT_TAG

__all__ = ["Hardware", "command"]


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a machine is made of.

    :param accelerator: ``kvm`` or ``tcg``
    :param memory: in MiB; a distribution's kernel needs 256, and fails without a word with 64
    :param kernel: path of a bzImage, or of a vmlinux with a PVH entry
    :param initrd: path of the initramfs
    :param cmdline: the caller's part of the kernel command line
    :param agent_socket: descriptor of a connected socket, which becomes the agent's port
    """

    accelerator: str
    memory: int
    kernel: str
    initrd: str
    cmdline: str
    agent_socket: int


def command(qemu: str, hardware: Hardware) -> list[str]:
    """Write QEMU's command line: the console on standard output, no monitor, no network, no disk.

    A panic restarts the kernel at once (``panic=-1``), and a restart ends QEMU (``-no-reboot``). The caller's part of
    the kernel command line comes last and wins.

    :param qemu: path of qemu-system-x86_64
    """
    words = ("console=ttyS0 panic=-1 quiet", _CMDLINES[hardware.accelerator], hardware.cmdline)
    return [
        *(qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-M", "q35", "-accel", hardware.accelerator, "-cpu", "max"),
        *("-smp", "1", "-m", str(hardware.memory)),
        *("-kernel", hardware.kernel, "-initrd", hardware.initrd, "-append", " ".join(filter(None, words))),
        *("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"),
        *("-virtfs", f"local,path=/,mount_tag={HOST_ROOT_TAG},security_model=none,readonly=on,multidevs=remap"),
        *("-chardev", f"socket,id=agent,fd={hardware.agent_socket}"),
        *("-device", "virtio-serial-pci", "-device", f"virtserialport,chardev=agent,name={AGENT_PORT}"),
    ]


# Emulation keeps translated code by its address. Where addresses differ from process to process it translates anew each
# time: Python then starts in 0.46 s instead of 0.20 s. The self-tests of ciphers would take 0.4 s.
_CMDLINES = {"kvm": "", "tcg": "norandmaps cryptomgr.notests"}
