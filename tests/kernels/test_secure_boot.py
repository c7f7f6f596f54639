"""Secure Boot from end to end: OVMF, shim, GRUB and a stock kernel, keys of the machine's owner, MokManager.

One machine is started with a key enrolled; in it another key is asked for, at the keyboard it is enrolled, and a second
machine, with the same memory of its firmware, has it.
"""

import json
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support import guest_verbs, mok_manager
from tests.support.key_pair import KeyPair, make_key_pair
from tests.support.require import require_tool
from tests.support.secure_boot import machine_with_firmware, make_variables
from tests.truth.kernels import gathered, image_of
from tests.truth.maker import NAME, Maker

from lkm.actions.signing.signatory import open_signatory
from lkm.formats.module_signature import append
from lkm.kernels.vm.kernel import VmKernel
from lkm.kernels.vm.machine import Finished, Machine

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("firmware")]

_KERNEL = "6.1"
_KEYRINGS = (".builtin_trusted_keys", ".machine", ".platform", ".blacklist")
_OUT_OF_TREE = 1 << 12
_PASSWORD = "one time only"  # noqa: S105  of a machine that lives for a minute


@dataclass(frozen=True)
class _Said:
    """What a command of lkm left behind."""

    status: int
    output: str
    errors: str

    @property
    def plain(self) -> dict[str, Any]:
        """The one JSON object that it printed."""
        printed: dict[str, Any] = json.loads(self.output)
        return printed


@dataclass(frozen=True)
class _Home:
    """Keys, modules that they signed, and the memory of the machine's firmware: all in one directory.

    :param keys: ``owner`` is enrolled, ``maker`` is the firmware's, ``curve`` is enrolled and of no use to this
        kernel, ``stranger`` is nobody's, and ``new`` will be enrolled
    """

    directory: Path
    keys: dict[str, KeyPair] = field(default_factory=dict)

    @property
    def variables(self) -> Path:
        return self.directory / "variables.fd"

    def module(self, signer: str) -> str:
        return str(self.directory / f"{signer}.ko")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> _Home:
    for tool in ("mokutil", "keyctl"):
        require_tool(tool)
    home = _Home(tmp_path_factory.mktemp("home"))
    maker = Maker(_KERNEL, gathered(_KERNEL))
    contents = maker.module(modinfo=maker.info(intree=False))
    Path(home.module("unsigned")).write_bytes(contents)
    for name in ("owner", "maker", "curve", "stranger", "new"):
        pair = make_key_pair(home.directory, name, "p256" if name == "curve" else "rsa2048")
        home.keys[name] = pair
        message = open_signatory(str(pair.key), str(pair.certificate)).sign(contents, digest="sha256")
        Path(home.module(name)).write_bytes(append(contents, message))
    own = [home.keys[name].der for name in ("owner", "curve")]
    home.variables.write_bytes(make_variables(db=[home.keys["maker"].der], mok=own))
    return home


def _ask(machine: Machine, *commands: list[str]) -> list[_Said]:
    """Run commands of lkm in the machine."""
    script = [sys.executable, guest_verbs.__file__]
    done = machine.run(script, stdin=json.dumps(commands).encode(), timeout=240.0)
    assert (done.status, done.stderr) == (0, b"")
    return [_Said(**answer) for answer in json.loads(done.stdout)]


def _as_user(machine: Machine, *words: str, stdin: str = "") -> Finished:
    """Run one command of lkm as a user does, with what it shall read as descriptor 3."""
    command = shlex.join([sys.executable, "-m", "lkm", *words])
    return machine.run(["sh", "-c", f"{command} 3<<'END'\n{stdin}\nEND"])


def _in_keyring(machine: Machine, keyring: str) -> set[str]:
    """Give the keys of a keyring as the kernel describes them."""
    rows = machine.run(["keyctl", "list", f"%:{keyring}"]).stdout.decode().splitlines()[1:]
    return {row.split(None, 4)[4] for row in rows}


# --- a machine with an enrolled key -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def first(home: _Home) -> Iterator[Machine]:
    with machine_with_firmware(image_of(_KERNEL), home.variables) as machine:
        yield machine


@pytest.fixture(scope="module")
def said(first: Machine, home: _Home) -> dict[str, _Said]:
    """What lkm says there; the modules are put to the kernel last."""
    commands = {
        "lockdown": ["lockdown", "--json"],
        "keys": ["keys", "--json", "--no-count"],
        "mok status": ["mok", "status", "--json"],
        **{
            f"mok test {name}": ["mok", "test", "--json", str(home.keys[name].certificate)]
            for name in ("owner", "maker", "curve", "new")
        },
        "check": ["check", "--json", *(home.module(name) for name in ("unsigned", "stranger", "curve", "owner"))],
        **{f"load {name}": ["load", home.module(name)] for name in ("unsigned", "stranger", "curve", "maker")},
        "unload": ["unload", NAME],
        "load owner": ["load", home.module("owner")],
    }
    return dict(zip(commands, _ask(first, *commands.values()), strict=True))


def test_the_kernel_is_locked_down_and_lkm_says_why(first: Machine, said: dict[str, _Said]) -> None:
    assert any("Kernel is locked down from EFI Secure Boot" in line for line in first.kernel_log())
    told = said["lockdown"].plain
    assert (told["lockdown"]["mode"], told["lockdown"]["set_by"]) == ("integrity", "secure-boot")
    assert told["sig_enforce"]["value"] is True
    assert told["secure_boot"]["state"] == "on"
    security = VmKernel(first).security()
    assert (security.lockdown, security.sig_enforce) == ("integrity", True)


def test_each_keyring_holds_what_lkm_says(first: Machine, said: dict[str, _Said]) -> None:
    told = {keyring["name"]: keyring for keyring in said["keys"].plain["keyrings"]}
    for name in _KEYRINGS:
        real = _in_keyring(first, name)
        hashes = {entry for entry in real if entry.startswith("blacklist: ")}
        assert told[name]["revoked_hashes"] == len(hashes)
        assert {f"asymmetric: {key['name']}: {key['key_id']}" for key in told[name]["keys"]} == real - hashes


def test_the_enrolled_key_is_found(said: dict[str, _Said]) -> None:
    owner, maker, new = (said[f"mok test {name}"] for name in ("owner", "maker", "new"))
    assert (owner.status, owner.plain["enrolled"], owner.plain["keyring"]) == (0, True, ".machine")
    assert (maker.status, maker.plain["enrolled"], maker.plain["keyring"]) == (1, False, ".platform")
    assert (new.status, new.plain["enrolled"], new.plain["keyring"]) == (1, False, None)


def test_an_enrolled_key_that_the_kernel_does_not_take_is_told(said: dict[str, _Said]) -> None:
    curve = said["mok test curve"].plain
    assert (curve["enrolled"], curve["keyring"]) == (True, None)


def test_the_state_of_the_owners_keys_is_that_of_mokutil(first: Machine, said: dict[str, _Said]) -> None:
    status = said["mok status"].plain
    assert status["secure_boot"]["state"] == "on"
    assert first.run(["mokutil", "--sb-state"]).stdout == b"SecureBoot enabled\n"
    listed = first.run(["mokutil", "--list-enrolled"]).stdout.decode()
    subjects = {line.split("Subject:")[1].strip() for line in listed.splitlines() if "Subject:" in line}
    assert subjects == {"CN=Debian Secure Boot CA", "CN=owner", "CN=curve"}
    assert {key["subject"] for key in status["enrolled"]} == subjects
    assert status["pending"] == []


def test_a_module_signed_with_the_enrolled_key_loads_and_taints_by_its_origin_alone(
    first: Machine, said: dict[str, _Said]
) -> None:
    assert (said["load owner"].status, said["load owner"].errors) == (0, "")
    kernel = VmKernel(first)
    assert next(module.taints for module in kernel.loaded() if module.name == NAME) == "O"
    assert kernel.taint() == _OUT_OF_TREE
    kernel.unload(NAME)


def test_a_module_signed_with_the_firmwares_key_loads(said: dict[str, _Said]) -> None:
    assert said["load maker"] == _Said(0, f"{NAME}: loaded\n", "")
    assert said["unload"].status == 0


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("unsigned", "Loading of unsigned module is rejected"),
        ("stranger", "Loading of module with unavailable key is rejected"),
        ("curve", "Loading of module with unavailable key is rejected"),
    ],
)
def test_others_are_refused_and_secure_boot_is_named_as_the_reason(
    said: dict[str, _Said], name: str, line: str
) -> None:
    refused = said[f"load {name}"]
    assert refused.status == 1
    assert "Key was rejected by service (errno 129)" in refused.errors
    assert f"kernel: {line}\n" in refused.errors
    assert "Secure Boot demands that" in refused.errors


def test_lockdown_names_secure_boot_as_the_reason(first: Machine) -> None:
    told = _as_user(first, "lockdown").stdout.decode()
    assert re.search(r"^lockdown +integrity, by Secure Boot ", told, re.MULTILINE)
    assert re.search(r"^signatures +enforced: .* by Secure Boot", told, re.MULTILINE)


def test_lkm_foretells_what_becomes_of_them(said: dict[str, _Said]) -> None:
    results = said["check"].plain["results"]
    assert [result["errno"] for result in results] == [129, 129, 129, 0]
    for result, name in zip(results, ("unsigned", "stranger", "curve"), strict=False):
        assert all(f"kernel: {line}\n" in said[f"load {name}"].errors for line in result["log"])


# --- a key is enrolled ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Enrolment:
    """How a key came to be enrolled.

    :param asked: what `lkm mok enrol` left behind
    :param waiting: what `lkm mok test` said then
    :param screen: what MokManager showed
    """

    asked: Finished
    waiting: Finished
    screen: str


@pytest.fixture(scope="module")
def enrolment(first: Machine, home: _Home) -> _Enrolment:
    """Ask for the key in the first machine, which ends, and be at the keyboard when it starts anew."""
    certificate = str(home.keys["new"].certificate)
    asked = _as_user(first, "mok", "enrol", "--password-fd", "3", certificate, stdin=_PASSWORD)
    waiting = _as_user(first, "mok", "test", "--json", certificate)
    first.__exit__(None, None, None)
    return _Enrolment(asked, waiting, mok_manager.enrol(home.variables, _PASSWORD))


def test_a_request_waits_for_the_next_start(enrolment: _Enrolment) -> None:
    assert (enrolment.asked.status, enrolment.asked.stderr) == (0, b"")
    assert _PASSWORD.encode() not in enrolment.asked.stdout
    assert enrolment.waiting.status == 1
    assert json.loads(enrolment.waiting.stdout)["places"] == ["pending"]


def test_mokmanager_asks_what_lkm_said_it_would(enrolment: _Enrolment) -> None:
    told = enrolment.asked.stdout.decode()
    for question in mok_manager.SCREENS:
        assert question in enrolment.screen
        assert question in told


@pytest.fixture(scope="module")
def second(enrolment: _Enrolment, home: _Home) -> Iterator[Machine]:
    with machine_with_firmware(image_of(_KERNEL), home.variables) as machine:
        yield machine


def test_the_next_start_has_the_new_key(second: Machine, home: _Home) -> None:
    new, keys = _ask(
        second,
        ["mok", "test", "--json", str(home.keys["new"].certificate)],
        ["keys", "--json", "--no-count"],
    )
    assert (new.status, new.plain["enrolled"], new.plain["keyring"]) == (0, True, ".machine")
    machine = next(keyring for keyring in keys.plain["keyrings"] if keyring["name"] == ".machine")
    names = {key["name"] for key in machine["keys"]}
    assert names == {entry.split(": ")[1] for entry in _in_keyring(second, ".machine")}
    assert names == {"Debian Secure Boot CA", "owner", "new"}
    assert _as_user(second, "load", home.module("new")).status == 0
    assert next(module.taints for module in VmKernel(second).loaded() if module.name == NAME) == "O"
