"""What status and lockdown say of a real kernel, while an administrator makes it stricter."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import guest_verbs
from tests.support.require import require_path
from tests.support.schema import check_schema

from lkm.formats.module_signature import read
from lkm.kernels.vm.images import Image
from lkm.kernels.vm.machine import Machine

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

_CMDLINE = "module_blacklist=floppy modules_load=no-such-module"


@pytest.fixture(scope="module")
def strict(image: Image) -> Iterator[Machine]:
    with Machine(image.kernel, image.modules, cmdline=_CMDLINE, boot_timeout=150.0) as running:
        yield running


@pytest.fixture(scope="module")
def unsigned(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module of the kernel's own without its signature."""
    contents = require_path(image.modules / "kernel/drivers/net/dummy.ko").read_bytes()
    trailer = read(contents)
    path = tmp_path_factory.mktemp("modules") / "dummy.ko"
    path.write_bytes(contents if trailer is None else contents[: trailer.content_size])
    return path


def _ask(machine: Machine, *verbs: str) -> dict[str, dict[str, Any]]:
    words = json.dumps([[verb, "--json"] for verb in verbs]).encode()
    done = machine.run([sys.executable, guest_verbs.__file__], stdin=words, timeout=240.0)
    answers = {verb: json.loads(said["output"]) for verb, said in zip(verbs, json.loads(done.stdout), strict=True)}
    for verb, answer in answers.items():
        check_schema(answer, verb)
    return answers


def _do(machine: Machine, script: str) -> None:
    done = machine.run(["sh", "-c", script])
    assert done.status == 0, done


def test_what_an_administrator_should_see(strict: Machine, unsigned: Path) -> None:
    _do(strict, f"/sbin/insmod {unsigned} && mkdir -p /etc/modules-load.d && echo vfat > /etc/modules-load.d/x.conf")
    told = _ask(strict, "status", "lockdown")
    status, lockdown = told["status"], told["lockdown"]
    attention = {found["id"]: found for found in status["attention"]}
    facts = {fact["name"]: fact["value"] for fact in status["facts"]}
    assert status["running"]
    assert "dummy" in attention["unsigned-loaded"]["text"]
    assert "vfat" in attention["wanted-not-loaded"]["text"]
    assert "no-such-module" in attention["wanted-unknown"]["text"]
    assert facts["block_list"]["module_blacklist"] == ["floppy"]
    assert facts["taint"] == int(strict.run(["cat", "/proc/sys/kernel/tainted"]).stdout)
    assert facts["modules"]["loaded"] == len(strict.run(["cat", "/proc/modules"]).stdout.splitlines())
    assert (lockdown["lockdown"]["mode"], lockdown["sig_enforce"]["value"]) == ("none", False)
    here = next(row for row in lockdown["table"] if row["here"])
    assert here["outcomes"]["unsigned"] == {"loads": True, "errno": 0, "errno_name": "", "taints": "E", "log": ""}


def test_what_was_made_stricter_and_by_whom(strict: Machine, unsigned: Path) -> None:
    _do(strict, "/sbin/rmmod dummy; echo integrity > /sys/kernel/security/lockdown")
    told = _ask(strict, "lockdown")["lockdown"]
    assert (told["lockdown"]["mode"], told["lockdown"]["set_by"]) == ("integrity", "securityfs")
    assert told["lockdown"]["told_by_kernel"]
    here = next(row for row in told["table"] if row["here"])
    refused = strict.run(["/sbin/insmod", str(unsigned)])
    assert "Operation not permitted" in refused.stderr.decode()
    assert here["outcomes"]["unsigned"]["errno_name"] == "EPERM"
    _do(strict, "echo 1 > /sys/module/module/parameters/sig_enforce && echo 1 > /proc/sys/kernel/modules_disabled")
    told = _ask(strict, "lockdown")["lockdown"]
    assert told["sig_enforce"]["value"]
    assert told["sig_enforce"]["by"].startswith("a policy, or somebody")
    assert told["modules_disabled"] == {"value": True, "by": "the sysctl kernel.modules_disabled"}
    here = next(row for row in told["table"] if row["here"])
    assert here["outcomes"]["unsigned"]["errno_name"] == "EKEYREJECTED"
