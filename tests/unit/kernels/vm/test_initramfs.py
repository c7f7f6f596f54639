"""A machine's initramfs, read back."""

import shutil
import stat
import subprocess
from dataclasses import replace

import pytest
from tests.support.require import require_tool

from lkm.formats import cpio
from lkm.kernels.vm import initramfs

GUEST = initramfs.Guest(
    release="6.1.0",
    module_tree="/usr/lib/modules/6.1.0",
    modules_home="/usr/lib/modules",
    command=("/opt/my python", "agent.py"),
    environment={"PYTHONPATH": "/a b/$x"},
)
MODULES = [("virtio", b"first"), ("9p", b"second")]


def test_the_archive_holds_what_the_script_needs() -> None:
    entries = {entry.name: entry for entry in cpio.read(initramfs.build(b"box", MODULES, GUEST))[0]}
    assert entries["init"].mode == stat.S_IFREG | 0o755
    assert entries["busybox"].mode == stat.S_IFREG | 0o755
    assert entries["busybox"].data == b"box"
    assert entries["dev/console"].node == (5, 1)
    assert [name for name in entries if name.endswith(".ko")] == ["modules/00-virtio.ko", "modules/01-9p.ko"]
    assert entries["modules/01-9p.ko"].data == b"second"
    for name in ("new", "ro", "rw", "dev", "modules"):
        assert stat.S_ISDIR(entries[name].mode)


def test_parents_stand_before_what_is_in_them() -> None:
    names = [entry.name for entry in cpio.read(initramfs.build(b"", MODULES, GUEST))[0]]
    for place, name in enumerate(names):
        assert "/" not in name or name.rpartition("/")[0] in names[:place]


def test_modules_are_inserted_in_order_before_anything_is_mounted() -> None:
    lines = initramfs.script(GUEST, ["/modules/00-b.ko", "/modules/01-a.ko"]).splitlines()
    steps = [line.split()[1] for line in lines if line.startswith("/busybox")]
    assert steps[:3] == ["insmod", "insmod", "mount"]
    assert lines.index("/busybox insmod /modules/00-b.ko") < lines.index("/busybox insmod /modules/01-a.ko")


def test_the_last_step_replaces_process_1_by_the_quoted_command() -> None:
    lines = initramfs.script(GUEST, []).splitlines()
    assert lines[-1] == "exec /busybox switch_root /new '/opt/my python' agent.py"
    assert lines[-2] == "export PYTHONPATH='/a b/$x'"


def test_a_tree_in_its_place_is_not_mounted_again() -> None:
    assert "bind" not in initramfs.script(GUEST, [])


def test_a_tree_elsewhere_is_seen_in_its_place_even_if_a_fresh_mount_covers_it() -> None:
    script = initramfs.script(replace(GUEST, module_tree="/run/my tree/6.1.0"), [])
    bind = "/busybox mount -o bind '/new/run/my tree/6.1.0' /new/usr/lib/modules/6.1.0"
    assert bind in script
    assert script.index(bind) < script.index("tmpfs /new/run")


def test_a_shell_accepts_the_script() -> None:
    shell = shutil.which("busybox") or require_tool("sh")
    command = [shell, "sh", "-n"] if shell.endswith("busybox") else [shell, "-n"]
    script = initramfs.script(GUEST, ["/modules/00-it's.ko"])
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["proc", "sys", "dev", "run", "dev/shm"])
def test_kernel_file_systems_are_mounted_fresh(name: str) -> None:
    assert f" /new/{name}\n" in initramfs.script(GUEST, [])


def test_variables_are_mounted_where_there_is_firmware() -> None:
    line = "/busybox mount -t efivarfs efivarfs /new/sys/firmware/efi/efivars\n"
    assert line not in initramfs.script(GUEST, [])
    script = initramfs.script(replace(GUEST, firmware=True), [])
    assert script.index("sysfs /new/sys\n") < script.index(line)
