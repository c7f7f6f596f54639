"""What the running kernel shows of its keyrings."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lkm.errors import Unreadable
from lkm.system.kernel_keyrings import read_kernel_keyrings
from lkm.system.root import Root
from lkm.system.trust_store import Keyring

LISTING = """\
00000001 I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 1
00000002 I------     1 perm 1f0f0000     0     0 keyring   .secondary_trusted_keys: 2
00000003 I------     1 perm 1f0b0000     0     0 keyring   .machine: 2
00000004 I------     1 perm 0f0b0000     0     0 keyring   .blacklist: empty
00000005 I------     1 perm 1f3f0000     0     0 keyring   _ses: 1
00000011 I------     1 perm 1f030000     0     0 asymmetri Build key: 11: X509.rsa 11 []
00000031 I------     1 perm 1f010000     0     0 asymmetri Owner's: 31: X509.rsa 31 []
00000032 IR-----     1 perm 1f010000     0     0 asymmetri Revoked: 32: X509.rsa 32 []
00000041 I------     1 perm 09090000     0     0 blacklist tbs:aa
"""
MEMBERS = {"1": "17\n", "2": "1 3\n", "3": "49 50 999999"}


def root_with(tmp_path: Path, listing: str) -> Root:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/keys").write_text(listing)
    return Root(str(tmp_path))


def rlist(command: Sequence[str]) -> str:
    assert command[:2] == ("keyctl", "rlist")
    return MEMBERS[command[2]]


def test_who_is_in_which_keyring(tmp_path: Path) -> None:
    found = read_kernel_keyrings(root_with(tmp_path, LISTING), rlist)
    assert found.present == {Keyring.BUILTIN, Keyring.SECONDARY, Keyring.MACHINE, Keyring.BLACKLIST}
    names = {ring.value: [key.description.split(":")[0] for key in keys] for ring, keys in found.keys.items()}
    assert names == {
        ".builtin_trusted_keys": ["Build key"],
        ".secondary_trusted_keys": [],
        ".machine": ["Owner's"],
        ".blacklist": [],
    }
    assert found.revoked_hashes == {"tbs:aa"}
    assert found.problems == ()


def test_keyctl_is_missing_or_refused(tmp_path: Path) -> None:
    def refused(command: Sequence[str]) -> str:
        if command[2] == "1":
            raise Unreadable("keyctl_read_alloc: Permission denied")
        raise Unreadable("keyctl is not installed", hint="install keyutils")

    found = read_kernel_keyrings(root_with(tmp_path, LISTING), refused)
    assert found.keys == {Keyring.BLACKLIST: ()}
    assert found.problems == (
        "which keys are in .builtin_trusted_keys can't be seen: keyctl_read_alloc: Permission denied",
        "which keys are in .secondary_trusted_keys, .machine can't be seen: keyctl is not installed (install keyutils)",
    )


@pytest.mark.parametrize("listing", ["", LISTING.splitlines()[4]])
def test_nothing_may_be_viewed(tmp_path: Path, listing: str) -> None:
    found = read_kernel_keyrings(root_with(tmp_path, listing), rlist)
    assert found.problems == ("the kernel's keyrings can't be seen: root alone may view them",)


def test_a_kernel_without_keys(tmp_path: Path) -> None:
    found = read_kernel_keyrings(Root(str(tmp_path)), rlist)
    assert found.problems == (f"{tmp_path}/proc/keys: no such file or directory: the kernel's keyrings can't be seen",)


def test_no_listing(tmp_path: Path) -> None:
    found = read_kernel_keyrings(root_with(tmp_path, "wibble"), rlist)
    assert found.problems[0].startswith(f"{tmp_path}/proc/keys: is no line of /proc/keys")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere", "keyctl is not installed (install keyutils to see which keyring holds which key)"),
        ("bin", "keyctl: nobody is here"),
    ],
)
def test_keyctl_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, reason: str) -> None:
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin/keyctl"
    tool.write_text("#!/bin/sh\necho 'keyctl: nobody is here' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / path))
    found = read_kernel_keyrings(root_with(tmp_path, LISTING))
    rings = ".builtin_trusted_keys, .secondary_trusted_keys, .machine"
    assert found.problems == (f"which keys are in {rings} can't be seen: {reason}",)


def test_keyctl_as_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin/keyctl"
    tool.write_text("#!/bin/sh\necho 17 49\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = read_kernel_keyrings(root_with(tmp_path, LISTING))
    assert [key.serial for key in found.keys[Keyring.MACHINE]] == [17, 49]
