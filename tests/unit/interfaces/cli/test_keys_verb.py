"""lkm keys: list, show and new, as text and as JSON."""

import json
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.efi_files import REQUESTED, lists_of, write_variable
from tests.support.schema import check_schema
from tests.support.signed_sample import RELEASE, SignedSample, make_signed_sample
from tests.support.signing import Signer

from lkm.formats.certificate import CertificateFacts, describe

Lkm = Callable[..., Any]


@pytest.fixture(scope="module")
def signed(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> SignedSample:
    """The sample with keys, for reading only."""
    root = tmp_path_factory.mktemp("signed") / "root"
    return make_signed_sample(Path(shutil.copytree(sample, root, symlinks=True)))


@pytest.fixture
def keys(lkm: Lkm, signed: SignedSample) -> Lkm:
    """Run ``lkm keys`` there."""

    def run(*words: str) -> Any:
        return lkm("--root", str(signed.root), "keys", *words)

    return run


def facts_of(signer: Signer) -> CertificateFacts:
    facts = describe(signer.der)
    assert facts is not None
    return facts


@pytest.mark.parametrize("words", [(), ("list",)])
def test_list(keys: Lkm, signed: SignedSample, words: tuple[str, ...]) -> None:
    outcome = keys(*words)
    assert (outcome.status, outcome.err) == (0, "")
    build, owner, maker = (facts_of(who).fingerprint[:12] for who in (signed.build, signed.owner, signed.maker))
    good = "modules signed by these keys are taken as signed"
    assert outcome.out.splitlines() == [
        f"kernel {RELEASE}, as it would start here",
        "Secure Boot: on",
        "",
        f".builtin_trusted_keys: {good}",
        "FINGERPRINT   KEY       UNTIL       MODULES  SUBJECT",
        f"{build}  RSA 2048  2125-12-08        2  Build key",
        "",
        f".machine: {good}",
        "FINGERPRINT   KEY       UNTIL       MODULES  SUBJECT",
        f"{owner}  RSA 2048  2125-12-08        1  Owner's key",
        "",
        f".platform: {good}, as this distribution patched the kernel",
        "FINGERPRINT   KEY       UNTIL       MODULES  SUBJECT",
        f"{maker}  RSA 2048  2125-12-08        0  Maker's key",
        "",
        "lists of the firmware and of shim",
        "LIST       FINGERPRINT   UNTIL       SUBJECT",
        f"db         {maker}  2125-12-08  Maker's key (in .platform)",
        f"MokListRT  {owner}  2125-12-08  Owner's key (in .machine)",
        "db: trusted by the firmware",
        "MokListRT: trusted by shim: of the machine's owner and shim's maker",
        "",
        "1 module here is signed by 'Stranger', whose key is in no keyring that is known",
    ]


def test_list_as_json(keys: Lkm, signed: SignedSample) -> None:
    answer = json.loads(keys("--json").out)
    check_schema(answer, "keys")
    assert [ring["name"] for ring in answer["keyrings"]] == [".builtin_trusted_keys", ".machine", ".platform"]
    assert answer["keyrings"][1]["keys"][0]["fingerprint"] == facts_of(signed.owner).fingerprint
    assert answer["modules"] == {
        "total": 4,
        "unsigned": 0,
        "unreadable": 0,
        "by_unknown_keys": [{"signer": "Stranger", "modules": 1}],
    }


def test_what_waits_for_mokmanager(keys: Lkm, tmp_path: Path) -> None:
    write_variable(tmp_path, "SecureBoot", b"\x01")
    write_variable(tmp_path, "SetupMode", b"\x01")
    write_variable(tmp_path, "MokNew", lists_of([Signer("Waiting").der]), REQUESTED)
    outcome = keys("--no-count", "--efivars", str(tmp_path))
    lines = outcome.out.splitlines()
    assert lines[1:3] == [
        "Secure Boot: off, as the firmware is in setup mode",
        "waiting for MokManager at the next start: enrol keys",
    ]
    assert lines[-1] == "MokNew: wait for the next start: MokManager will ask whether to enrol keys"
    answer = json.loads(keys("--efivars", str(tmp_path), "--json").out)
    check_schema(answer, "keys")
    assert answer["secure_boot"]["requests"] == ["MokNew"]


@pytest.mark.parametrize(
    ("secure_boot", "others", "line"),
    [
        (b"\0", {}, "Secure Boot: off"),
        (b"", {}, "Secure Boot: not known"),
        (b"\x01", {"MokSBStateRT": b"\x01"}, "Secure Boot: off for the kernel, as shim was told not to validate"),
    ],
)
def test_secure_boot_in_words(
    keys: Lkm, tmp_path: Path, secure_boot: bytes, others: dict[str, bytes], line: str
) -> None:
    for name, data in {"SecureBoot": secure_boot, **others}.items():
        write_variable(tmp_path, name, data)
    assert keys("--no-count", "--efivars", str(tmp_path)).out.splitlines()[1] == line


def test_no_firmware_and_no_image(lkm: Lkm, sample: Path) -> None:
    lines = lkm("--root", str(sample), "keys").out.splitlines()
    assert lines[1] == "Secure Boot: none, as no UEFI firmware is there"
    assert lines[4] == "not known"
    assert lines[-2].startswith("4 modules here are signed by 'Sample kernel build key', whose key is in no keyring")
    assert lines[-1].startswith("note: the keys in the kernel image are not known")


def test_on_a_narrow_terminal(keys: Lkm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkm.interfaces.cli.output.terminal_width", lambda _: 80)
    assert max(map(len, keys().out.splitlines())) <= 80
    assert max(map(len, keys("show", "machine").out.splitlines())) <= 80


def test_show(keys: Lkm, signed: SignedSample) -> None:
    outcome = keys("show", "machine", facts_of(signed.build).fingerprint[:8])
    facts = facts_of(signed.owner)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.split("\n\n")[0].splitlines() == [
        "Owner's key",
        "  in:          .machine",
        "  subject:     CN=Owner's key",
        "  issuer:      itself",
        f"  serial:      {facts.serial:x}",
        "  key id:      none",
        "  valid:       2026-01-01 00:00 to 2125-12-08 00:00 UTC",
        "  key:         RSA 2048, certified with sha256",
        "  purposes:    any",
        f"  fingerprint: {facts.fingerprint} (SHA-256)",
        f"  read from:   {signed.root}/sys/firmware/efi/mok-variables/MokListRT",
        "  modules:     1 module here is signed with it",
    ]
    assert "Build key" in outcome.out


def test_show_an_empty_keyring(keys: Lkm) -> None:
    outcome = keys("show", ".blacklist")
    assert (outcome.status, outcome.out, outcome.err) == (0, ".blacklist: no certificates are there\n", "")


def test_show_as_json(keys: Lkm, signed: SignedSample, tmp_path: Path) -> None:
    path = tmp_path / "stranger.der"
    path.write_bytes(signed.stranger.der)
    answer = json.loads(keys("show", "--json", "db", str(path)).out)
    check_schema(answer, "keys-show")
    assert [(key["in"], key["name"], key["modules"]) for key in answer["keys"]] == [
        ("db", "Maker's key", 0),
        (None, "Stranger", 1),
    ]


def test_options_stand_before_the_action_and_behind_it(keys: Lkm, signed: SignedSample, tmp_path: Path) -> None:
    path = tmp_path / "stranger.der"
    path.write_bytes(signed.stranger.der)
    before = keys("--trust", str(path), "show", "machine").out
    assert before == keys("show", "machine", "--trust", str(path)).out
    assert "  note:        given by --trust" in before


def test_certificates_on_both_sides_of_the_action_count(keys: Lkm, signed: SignedSample, tmp_path: Path) -> None:
    one, other = tmp_path / "one.der", tmp_path / "other.der"
    one.write_bytes(signed.stranger.der)
    other.write_bytes(Signer("Other").der)
    out = keys("--trust", str(one), "show", "--trust", str(other), "machine").out
    assert ("Stranger\n" in out, "Other\n" in out) == (True, True)


def test_a_saved_profile(keys: Lkm, lkm: Lkm, signed: SignedSample, tmp_path: Path) -> None:
    path = str(tmp_path / "kernel.profile")
    assert lkm("--root", str(signed.root), "profile", "save", path).status == 0
    (tmp_path / "empty").mkdir()
    outcome = lkm("--root", str(tmp_path / "empty"), "keys", "--profile", path)
    assert facts_of(signed.build).fingerprint[:12] in outcome.out
    assert "modules are not counted" in outcome.out


def test_refusals(keys: Lkm, tmp_path: Path) -> None:
    for words, status, told in (
        (("show", "wibble"), 1, "lkm: 'wibble' is no keyring, no number of a key, and no file\n"),
        (("show", "abcdef012"), 1, "lkm: no key here has the number abcdef012\n"),
        (("show", "./gone"), 2, "lkm: ./gone: no such file or directory\n"),
        (("--efivars", ""), 2, "lkm: --efivars: names no directory\n"),
        (("--efivars", str(tmp_path)), 2, f"lkm: {tmp_path}: holds no EFI variable\n"),
        (("--trust", "/etc/hostname"), 2, "lkm: /etc/hostname: holds no certificate"),
        (("--profile", f"{tmp_path}/gone"), 2, f"lkm: {tmp_path}/gone: no such file or directory\n"),
    ):
        outcome = keys(*words)
        assert (outcome.status, outcome.out) == (status, "")
        assert (outcome.err + "\n").startswith(told)


# --- new --------------------------------------------------------------------------------------------------------------


def test_new_and_shown(keys: Lkm, tmp_path: Path) -> None:
    base = str(tmp_path / "mine")
    outcome = keys("new", base, "--kind", "ec-p256", "--name", "Mine", "--unencrypted")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{base}.key: the private key, not encrypted: guard it\n")
    assert f"lkm sign --key {base}.key --certificate {base}.pem FILE.ko" in outcome.out
    assert (tmp_path / "mine.key").stat().st_mode & 0o777 == 0o600
    shown = keys("show", f"{base}.pem").out
    assert "  purposes:    digitalSignature, codeSigning, moduleSigningOnly\n" in shown
    assert "  note:        in no keyring and no list here\n" in shown
    assert keys("new", base, "--unencrypted").err.startswith(f"lkm: {base}.key: is there already\n")


def test_the_next_commands_can_be_pasted(keys: Lkm, tmp_path: Path) -> None:
    base = str(tmp_path / "a key's")
    out = keys("new", base, "--kind", "ec-p256", "--unencrypted").out
    sign, enrol = (shlex.split(line.partition(":")[2]) for line in out.splitlines()[-2:])
    assert sign == ["lkm", "sign", "--key", f"{base}.key", "--certificate", f"{base}.pem", "FILE.ko"]
    assert enrol == ["lkm", "mok", "enrol", f"{base}.der"]
    made = shlex.split(keys("new", f"{base}/x").err.partition("make it: ")[2])
    assert made == ["mkdir", "-m", "700", base]


def test_new_with_a_pass_phrase(keys: Lkm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "open sesame")
    base = str(tmp_path / "mine")
    words = ("new", base, "--kind", "ec-p384", "--ca", "--for-programs", "--days", "30", "--json")
    answer = json.loads(keys(*words, "--pass-phrase-env", "WORD").out)
    check_schema(answer, "keys-new")
    assert (answer["encrypted"], answer["certificate_der"]) == (True, f"{base}.der")
    assert b"ENCRYPTED" in (tmp_path / "mine.key").read_bytes()
    facts = describe((tmp_path / "mine.der").read_bytes())
    assert facts is not None
    assert facts.usages == ("digitalSignature", "keyCertSign", "codeSigning")
    assert (facts.is_ca, (facts.not_after - facts.not_before).days) == (True, 30)


def test_pass_phrases_that_differ(keys: Lkm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter((b"one", b"two"))
    monkeypatch.setattr(sys.modules["lkm.interfaces.cli.keys_verb"], "asking", lambda *_: lambda: next(typed))
    outcome = keys("new", str(tmp_path / "mine"), "--kind", "ec-p256")
    assert (outcome.status, list(tmp_path.iterdir())) == (2, [])
    assert outcome.err.startswith("lkm: the pass phrases differ\n")


@pytest.mark.parametrize("words", [("new",), ("show",), ("wibble",), ("new", "x", "--kind", "rsa-1024")])
def test_wrong_words(keys: Lkm, words: tuple[str, ...]) -> None:
    outcome = keys(*words)
    assert (outcome.status, outcome.out) == (2, "")
    assert "lkm keys" in outcome.err
