"""What an administrator does, on a real kernel: the effect on the kernel counts, not what the files say."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lkm.kernels.vm.images import Image
from lkm.kernels.vm.machine import Finished, Machine

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

_USER, _NEEDED, _ALIAS = "vfat", "fat", "fs-vfat"
_SPEAKER = "/sys/devices/platform/pcspkr"


@pytest.fixture(scope="module")
def own(image: Image) -> Iterator[Machine]:
    """A machine whose configuration these tests may change."""
    with Machine(image.kernel, image.modules, boot_timeout=150.0) as running:
        yield running


@pytest.fixture
def machine(own: Machine) -> Iterator[Machine]:
    """The same with nothing of lkm's in /etc, and without the modules that are played with."""
    yield own
    own.run(["sh", "-c", "rm -f /etc/modprobe.d/*lkm-* /run/modprobe.d/*lkm-* /etc/modprobe.d/test-*"])
    own.run(["modprobe", "-r", _USER, "dummy", "pcspkr"])


def _lkm(machine: Machine, *words: str) -> Finished:
    return machine.run([sys.executable, "-m", "lkm", *words])


def _json(machine: Machine, *words: str) -> Any:
    return json.loads(_lkm(machine, *words, "--json").stdout)


def _loaded(machine: Machine) -> set[str]:
    return {line.split(" ")[0] for line in machine.run(["cat", "/proc/modules"]).stdout.decode().splitlines()}


def _done(finished: Finished) -> str:
    assert finished.status == 0, finished
    return finished.stdout.decode()


def _loads(machine: Machine, asked: str, module: str) -> bool:
    """Ask as the kernel and as people do, with kmod's modprobe; and tell whether the module is in the kernel then."""
    machine.run(["modprobe", "-r", module])
    machine.run(["/sbin/modprobe", "-q", "--", asked])
    return module in _loaded(machine)


def test_a_blocked_module_can_not_be_loaded_by_name_alias_or_dependency(machine: Machine) -> None:
    ways = [(_NEEDED, _NEEDED), (_USER, _USER), (_ALIAS, _USER)]
    assert all(_loads(machine, asked, module) for asked, module in ways)
    machine.run(["modprobe", "-r", _USER])
    told = _done(_lkm(machine, "block", _NEEDED))
    assert "no name, alias, device or dependency leads to fat any more" in told
    assert not any(_loads(machine, asked, module) for asked, module in ways)
    assert _NEEDED not in _loaded(machine)
    _done(_lkm(machine, "unblock", _NEEDED))
    assert all(_loads(machine, asked, module) for asked, module in ways)


def test_a_blocked_module_can_not_be_loaded_for_a_device(machine: Machine) -> None:
    modalias = machine.run(["cat", f"{_SPEAKER}/modalias"]).stdout.decode().strip()
    assert _loads(machine, modalias, "pcspkr")
    machine.run(["modprobe", "-r", "pcspkr"])
    _done(_lkm(machine, "block", "--until-reboot", "pcspkr"))
    assert not _loads(machine, modalias, "pcspkr")
    assert not _loads(machine, "pcspkr", "pcspkr")


def test_a_softdep_line_does_not_let_a_blocked_module_in(machine: Machine) -> None:
    lines = "install dummy /bin/false\\nblacklist dummy\\nsoftdep dummy pre: fat\\n"
    machine.run(["sh", "-c", f"printf '{lines}' > /etc/modprobe.d/test-trap.conf"])
    assert _loads(machine, "dummy", "dummy"), "the trap that lkm knows of"
    machine.run(["modprobe", "-r", "dummy"])
    assert _lkm(machine, "block", "--check", "dummy").status == 1
    _done(_lkm(machine, "block", "dummy"))
    assert not _loads(machine, "dummy", "dummy")


def test_an_allow_list_holds(machine: Machine) -> None:
    plan = _json(machine, "allow-only", "--dry-run", _USER)
    allowed = {each["module"] for each in plan["allowed"]}
    assert {_USER, _NEEDED} | (_loaded(machine) - {"pcspkr"}) <= allowed
    _done(_lkm(machine, "allow-only", "--yes", _USER))
    assert _loads(machine, _USER, _USER)
    assert not _loads(machine, "dummy", "dummy")
    assert not _loads(machine, "rtnl-link-dummy", "dummy")
    assert not _loads(machine, "fs-xfs", "xfs")
    _done(_lkm(machine, "allow-only", "--end"))
    assert _loads(machine, "dummy", "dummy")


def test_what_the_machine_stands_on_is_not_blocked(machine: Machine) -> None:
    refused = _lkm(machine, "block", "overlay")
    assert refused.status == 2
    assert b"this system needs overlay, for the file system at /" in refused.stderr


def test_what_is_mounted_is_not_blocked_while_it_is(machine: Machine) -> None:
    assert _loads(machine, "fs-binfmt_misc", "binfmt_misc")
    _done(machine.run(["mount", "-t", "binfmt_misc", "none", "/home"]))
    refused = _lkm(machine, "block", "binfmt_misc")
    assert refused.status == 2
    assert b"this system needs binfmt_misc, for the file system at /home" in refused.stderr
    assert "careful: this system needs binfmt_misc" in _done(_lkm(machine, "block", "--force", "binfmt_misc"))
    _done(_lkm(machine, "unblock", "binfmt_misc"))
    _done(machine.run(["umount", "/home"]))
    _done(_lkm(machine, "block", "binfmt_misc"))
    assert not _loads(machine, "fs-binfmt_misc", "binfmt_misc")


@pytest.mark.parametrize("lost", ["blacklist", "install", "softdep"])
def test_a_block_of_which_a_line_was_lost_is_mended(machine: Machine, lost: str) -> None:
    _done(_lkm(machine, "block", "dummy"))
    machine.run(["sed", "-i", f"/^{lost} /d", "/etc/modprobe.d/00-lkm-blocked.conf"])
    machine.run(["sh", "-c", "echo 'softdep dummy pre: fat' > /etc/modprobe.d/test-trap.conf"])
    told = _done(_lkm(machine, "block", "dummy"))
    assert "no name, alias, device or dependency leads to dummy any more" in told
    assert not _loads(machine, "dummy", "dummy")
    assert not _loads(machine, "rtnl-link-dummy", "dummy")


@pytest.mark.parametrize(
    ("files", "winner", "count"),
    [
        ({"test-a": "options dummy numdummies=1", "test-b": "options dummy numdummies=3"}, "test-b.conf:1", 3),
        ({"test-b": "options dummy numdummies=3\noptions dummy numdummies=2"}, "test-b.conf:2", 2),
        ({"test-a": "# a\noptions dummy numdummies=4 \\\n", "test-z": "blacklist dummy"}, "test-a.conf:2", 4),
    ],
)
def test_explain_names_the_line_that_wins(machine: Machine, files: dict[str, str], winner: str, count: int) -> None:
    for name, text in files.items():
        machine.run(["sh", "-c", f"cat > /etc/modprobe.d/{name}.conf <<'END'\n{text}\nEND"])
    (explanation,) = _json(machine, "explain", "dummy")["explanations"]
    lines = explanation["modules"][0]["configuration"]
    counting = [line for line in lines if line["effect"] == "counts" and line["line"].startswith("options")]
    assert [line["where"] for line in counting] == [f"/etc/modprobe.d/{winner}"]
    assert _loads(machine, "dummy", "dummy")
    interfaces = machine.run(["ls", "/sys/class/net"]).stdout.decode().split()
    assert len([name for name in interfaces if name.startswith("dummy")]) == count


def test_explain_tells_what_is_loaded(machine: Machine) -> None:
    assert _loads(machine, _USER, _USER)
    told = _done(_lkm(machine, "explain", _NEEDED))
    assert "  state: loaded since " in told
    assert f"used by {_USER}" in told
    assert f"{_USER} uses its symbols, which is loaded" in told
