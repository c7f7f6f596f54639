"""lkm param, boot and undo on a real kernel: what counts is what the kernel and the system's own tools then do."""

import json
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from lkm.kernels.vm.images import Image
from lkm.kernels.vm.machine import Machine

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

# To start Python takes seconds under emulation: one process does all the steps of a test.
_STEPS = """
import contextlib, io, json, subprocess, sys
from lkm.interfaces.cli.main import main
answers = []
for step in json.loads(sys.argv[1]):
    if isinstance(step, str):
        done = subprocess.run(["sh", "-c", step], capture_output=True, text=True)
        answers.append((done.returncode, done.stdout, done.stderr))
    else:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            status = main(step)
        answers.append((status, out.getvalue(), err.getvalue()))
print(json.dumps(answers))
"""


class _Done(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture(scope="module")
def machine(image: Image) -> Iterator[Machine]:
    """A machine whose configuration these tests may change."""
    with Machine(image.kernel, image.modules, boot_timeout=150.0) as running:
        yield running


def _run(machine: Machine, *steps: str | list[str]) -> list[_Done]:
    """Do steps one after the other: a text is for the shell, a list is words for lkm."""
    done = machine.run([sys.executable, "-c", _STEPS, json.dumps(steps)])
    assert done.status == 0, done
    return [_Done(*answer) for answer in json.loads(done.stdout)]


def test_a_persisted_parameter_is_there_after_unload_and_load(machine: Machine) -> None:
    """Another file may say otherwise; kmod's own modprobe loads."""
    count = "modprobe dummy; ls -d /sys/class/net/dummy* | wc -l; modprobe -r dummy"
    vendor = "/etc/modprobe.d/test-vendor.conf"
    _, done, with_ours, kept, undone, without = _run(
        machine,
        f"mkdir -p /etc/modprobe.d; echo options dummy numdummies=2 > {vendor}",
        ["param", "set", "dummy", "numdummies=3", "--persist", "--json"],
        count,
        f"cat {vendor}",
        ["undo"],
        count,
    )
    assert json.loads(done.out)["parameters"][0]["live"] == "not_loaded"
    assert with_ours.out == "3\n"
    assert kept.out == "options dummy numdummies=2\n"
    assert undone.status == 0
    assert without.out == "2\n"


def test_a_writable_parameter_changes_live_and_others_by_reloading(machine: Machine) -> None:
    place = "/sys/module/scsi_debug/parameters"
    _, wrong, live, after, read_only, again, size, shown = _run(
        machine,
        "modprobe scsi_debug",
        ["param", "set", "scsi_debug", "delay=5x"],
        ["param", "set", "scsi_debug", "delay=5", "wp=on"],
        f"cat {place}/delay {place}/wp",
        ["param", "set", "scsi_debug", "sector_size=1024"],
        ["param", "set", "scsi_debug", "sector_size=1024", "--reload"],
        f"cat {place}/sector_size",
        ["param", "list", "scsi_debug", "--json"],
    )
    assert (wrong.status, live.status, after.out) == (2, 0, "5\nY\n")
    assert read_only.status == 2
    assert "--reload" in read_only.err
    assert (again.status, size.out) == (0, "1024\n")
    values = {one["name"]: (one["value"], one["default"]) for one in json.loads(shown.out)["parameters"]}
    assert values["sector_size"] == ("1024", "512")
    # What the file says is what the kernel shows, but for what init itself changes.
    differ = {name for name, (value, default) in values.items() if value != default}
    assert differ <= {"sector_size", "dev_size_mb", "add_host"}


def test_a_built_ins_parameter(machine: Machine) -> None:
    live, after, persisted = _run(
        machine,
        ["param", "set", "printk", "ignore_loglevel=y"],
        "cat /sys/module/printk/parameters/ignore_loglevel",
        ["param", "set", "printk", "ignore_loglevel=n", "--persist"],
    )
    assert (live.status, after.out) == (0, "Y\n")
    assert persisted.status == 2
    assert "printk.ignore_loglevel=n" in persisted.err


def test_systemd_loads_what_boot_add_asks_for_and_not_what_is_masked(machine: Machine) -> None:
    *_, added, kept, masked, loader, modules = _run(
        machine,
        "modprobe -r vfat dummy; mkdir -p /run/modules-load.d; echo dummy > /run/modules-load.d/v.conf",
        ["boot", "add", "vfat"],
        ["boot", "remove", "dummy"],
        ["boot", "remove", "--mask", "dummy"],
        "/lib/systemd/systemd-modules-load",
        "cut -d ' ' -f 1 /proc/modules",
    )
    assert (added.status, kept.status, masked.status, loader.status) == (0, 1, 0, 0)
    assert "vfat" in modules.out.split()
    assert "dummy" not in modules.out.split()
