"""What diagnose and taint make of a real kernel's lines and of the real tools' texts."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.require import require_path
from tests.support.schema import check_schema

from lkm.formats.module_signature import read
from lkm.kernels.vm.images import Image
from lkm.kernels.vm.machine import Machine

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

_CONFIGURATION = "# first\\noptions loop max_loop=banana\\ninstall vfat /bin/false\\n"


_CALLS = """
import contextlib, io, json, sys
from lkm.interfaces.cli.main import main
answers = []
for words in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as told:
        main(words)
    answers.append(json.loads(told.getvalue()))
json.dump(answers, sys.stdout)
"""


def _without_signature(image: Image, name: str, directory: Path) -> Path:
    """Copy a module of the kernel's own without its signature."""
    contents = require_path(image.modules / f"kernel/drivers/net/{name}.ko").read_bytes()
    trailer = read(contents)
    path = directory / f"{name}.ko"
    path.write_bytes(contents if trailer is None else contents[: trailer.content_size])
    return path


def _do(machine: Machine, command: str) -> str:
    done = machine.run(["sh", "-c", command])
    assert done.status == 0, done
    return done.stdout.decode("utf-8", "replace")


def _ask(machine: Machine, calls: list[tuple[str, ...]]) -> list[Any]:
    """Call verbs in the machine, all in one process: starting Python takes long there."""
    words = json.dumps([[verb, "--json", *rest] for verb, *rest in calls]).encode()
    done = machine.run([sys.executable, "-c", _CALLS], stdin=words, timeout=240.0)
    answers: list[Any] = json.loads(done.stdout)
    for (verb, *_), answer in zip(calls, answers, strict=True):
        check_schema(answer, verb)
    return answers


def test_real_failures_are_diagnosed_to_the_line_and_taints_have_an_owner(image: Image, tmp_path: Path) -> None:
    loaded, removed = (_without_signature(image, name, tmp_path) for name in ("dummy", "nlmon"))
    expected = {
        "modprobe loop": ("bad-parameter", "/etc/modprobe.d/own.conf:2 sets it: options loop max_loop=banana"),
        "modprobe vfat": ("install-command", "/etc/modprobe.d/own.conf:3 says so: install vfat /bin/false"),
        "modprobe floppy": ("kernel-blacklist", "the kernel command line says so: module_blacklist=floppy"),
        "modprobe vfatt": ("not-found", "like it is vfat"),
        f"head -c 4000 {loaded} > /tmp/cut.ko; insmod /tmp/cut.ko": ("truncated", ""),
        "rmmod nosuch": ("not-loaded", ""),
    }
    with Machine(image.kernel, image.modules, cmdline="module_blacklist=floppy", boot_timeout=150.0) as machine:
        _do(machine, f"mkdir -p /etc/modprobe.d; printf '{_CONFIGURATION}' > /etc/modprobe.d/own.conf")
        texts = [_do(machine, f"dmesg -C; {command} 2>&1 && exit 99; dmesg") for command in expected]
        _do(machine, f"insmod {loaded} && insmod {removed} && rmmod {removed.stem}")
        shown = _do(machine, "cat /sys/module/dummy/taint /proc/sys/kernel/tainted").split()
        calls = [("diagnose", "-e", text) for text in texts]
        *answers, live, taint = _ask(machine, [*calls, ("diagnose", "--live", "--all"), ("taint",)])
    for (cause, detail), answer in zip(expected.values(), answers, strict=True):
        assert answer["causes"][0]["id"] == cause, answer
        assert any(detail in told for told in answer["causes"][0]["details"]) or not detail, answer
    assert {"bad-parameter", "kernel-blacklist", "truncated"} <= {found["id"] for found in live["causes"]}
    assert shown == ["E", str(taint["mask"])]
    flag = next(flag for flag in taint["flags"] if flag["letter"] == "E")
    assert "module verification failed" in flag["log"][0]
    assert {"module": "dummy", "letters": ["E"], "loaded": True} in taint["modules"]
