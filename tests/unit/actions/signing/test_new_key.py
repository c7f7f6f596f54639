"""New keys: what is in the certificate, the files, and what is refused."""

import datetime as dt
import errno
import inspect
import os
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests.support.require import require_tool

from lkm.actions.signing import new_key as module
from lkm.actions.signing.new_key import DEFAULT_DAYS, KeyKind, default_name, new_key
from lkm.actions.signing.signatory import open_signatory
from lkm.errors import LkmError, PrivilegeMissing, UsageError
from lkm.formats.certificate import describe
from lkm.formats.module_signature import append
from lkm.rules.signatures.check import check
from lkm.rules.signatures.policy import SignatureState
from lkm.system.atomic import write_atomically

PASS_PHRASE = b"open it"
OTHERS = (KeyKind.P256, KeyKind.P384, KeyKind.RSA_2048)


@pytest.mark.parametrize("kind", OTHERS)
def test_a_new_key_signs_modules(kind: KeyKind, tmp_path: Path) -> None:
    made = new_key(str(tmp_path / "new"), pass_phrase=lambda: PASS_PHRASE, kind=kind)
    signatory = open_signatory(made.key, made.certificate_der, pass_phrase=lambda: PASS_PHRASE)
    for by_key_id in (False, True):
        signed = append(b"contents", signatory.sign(b"contents", digest="sha512", by_key_id=by_key_id))
        assert check(signed, [made.der]).state is SignatureState.TRUSTED
    assert signatory.remarks == ()


@pytest.mark.parametrize("kind", [KeyKind.ML_DSA_44, KeyKind.ML_DSA_65, KeyKind.ML_DSA_87])
def test_a_new_ml_dsa_key(kind: KeyKind, tmp_path: Path) -> None:
    made = new_key(str(tmp_path / "new"), pass_phrase=None, kind=kind)
    assert open_signatory(made.key, made.certificate).algorithm.value.lower() == kind.value
    assert "7.0" in made.note


@pytest.mark.parametrize(("kind", "size"), [(KeyKind.RSA_3072, 3072), (KeyKind.RSA_4096, 4096)])
def test_sizes(kind: KeyKind, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._generated
    asked: list[KeyKind] = []

    def quick(kind: KeyKind) -> object:
        asked.append(kind)
        return real(KeyKind.P256)

    monkeypatch.setattr(module, "_generated", quick)
    new_key(str(tmp_path / "new"), pass_phrase=None, kind=kind)
    assert [kind.value for kind in asked] == [f"rsa-{size}"]


def test_files(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = new_key(str(tmp_path / "new"), pass_phrase=lambda: PASS_PHRASE, kind=KeyKind.P256)
    finally:
        os.umask(old)
    names = {"new.key": 0o600, "new.pem": 0o644, "new.der": 0o644}
    assert {path.name: path.stat().st_mode & 0o7777 for path in tmp_path.iterdir()} == names
    assert [Path(path).name for path in (made.key, made.certificate, made.certificate_der)] == list(names)
    assert Path(made.key).read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert Path(made.certificate_der).read_bytes() == made.der
    pem = x509.load_pem_x509_certificate(Path(made.certificate).read_bytes())
    assert pem.public_bytes(serialization.Encoding.DER) == made.der


def test_a_key_that_is_not_encrypted(tmp_path: Path) -> None:
    made = new_key(str(tmp_path / "new"), pass_phrase=None, kind=KeyKind.P256)
    assert Path(made.key).read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert Path(made.key).stat().st_mode & 0o7777 == 0o600


def test_the_certificate(tmp_path: Path) -> None:
    made = new_key(str(tmp_path / "new"), pass_phrase=None, kind=KeyKind.P384, name="Müller's modules", days=10)
    facts = describe(made.der)
    assert facts is not None
    assert (facts.subject, facts.issuer) == ("CN=Müller's modules",) * 2
    assert facts.usages == ("digitalSignature", "codeSigning", "moduleSigningOnly")
    assert (facts.is_ca, facts.signed_with) == (False, "sha384")
    assert facts.not_after - facts.not_before == dt.timedelta(days=10)
    certificate = x509.load_der_x509_certificate(made.der)
    authority = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert authority.key_identifier == facts.key_id
    assert len(facts.key_id or b"") == 20
    certificate.verify_directly_issued_by(certificate)


def test_defaults(tmp_path: Path) -> None:
    facts = describe(new_key(str(tmp_path / "new"), pass_phrase=None, kind=KeyKind.P256).der)
    assert facts is not None
    assert facts.subject == f"CN={default_name()}"
    assert (facts.not_after - facts.not_before).days == DEFAULT_DAYS
    assert inspect.signature(new_key).parameters["kind"].default is KeyKind.RSA_4096


def test_a_certificate_authority_and_a_key_for_programs(tmp_path: Path) -> None:
    authority = describe(new_key(str(tmp_path / "ca"), pass_phrase=None, kind=KeyKind.P256, is_ca=True).der)
    assert authority is not None
    assert authority.is_ca
    assert {"keyCertSign", "digitalSignature"} <= set(authority.usages)
    programs = describe(new_key(str(tmp_path / "p"), pass_phrase=None, kind=KeyKind.P256, modules_only=False).der)
    assert programs is not None
    assert programs.usages == ("digitalSignature", "codeSigning")


@pytest.mark.peer
def test_openssl_likes_it(tmp_path: Path) -> None:
    made = new_key(str(tmp_path / "new"), pass_phrase=lambda: PASS_PHRASE, kind=KeyKind.P256)
    openssl = require_tool("openssl")
    own = [openssl, "verify", "-x509_strict", "-CAfile", made.certificate, made.certificate]
    assert subprocess.run(own, capture_output=True, check=False).returncode == 0
    key = [openssl, "pkey", "-in", made.key, "-passin", "env:PHRASE", "-noout"]
    environment = {**os.environ, "PHRASE": PASS_PHRASE.decode()}
    assert subprocess.run(key, capture_output=True, check=False, env=environment).returncode == 0


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".key", ".pem", ".der"])
def test_nothing_is_replaced(ending: str, tmp_path: Path) -> None:
    there = tmp_path / f"new{ending}"
    there.symlink_to("/nope")
    with pytest.raises(UsageError, match="is there already") as caught:
        new_key(str(tmp_path / "new"), pass_phrase=None, kind=KeyKind.P256)
    assert caught.value.where == str(there)
    assert list(tmp_path.iterdir()) == [there]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        *[({"days": days}, "is valid for 1 to") for days in (0, -1, 10**9, 10**30)],
        *[
            ({"name": name}, "1 to 64 printable characters")
            for name in ("", " ", "x" * 65, "ä" * 33, "a\nb", "\x1b[0m", "\udc80")
        ],
        *[({"pass_phrase": partial(bytes, phrase)}, "has 4 to 1023 bytes") for phrase in (b"", b"abc", b"x" * 1024)],
    ],
)
def test_what_is_out_of_range(options: dict[str, Any], what: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=what):
        new_key(str(tmp_path / "new"), **{"pass_phrase": None, "kind": KeyKind.P256, **options})
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_asked_for_what_can_not_be(tmp_path: Path) -> None:
    def never() -> bytes:
        raise AssertionError("nobody should be asked")

    (tmp_path / "new.der").touch()
    cases: tuple[tuple[str, dict[str, Any]], ...] = (("new", {}), ("x", {"days": 0}), ("x", {"name": ""}))
    for name, options in cases:
        with pytest.raises(UsageError):
            new_key(str(tmp_path / name), pass_phrase=never, **options)


@pytest.mark.parametrize("base", ["", "/", "/nope/new"])
def test_no_place(base: str) -> None:
    with pytest.raises(UsageError) as caught:
        new_key(base, pass_phrase=None, kind=KeyKind.P256)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("failure", "raised", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), LkmError, "can't be written: no space left on device"),
        (OSError(errno.EACCES, "Permission denied"), PrivilegeMissing, "can't be written: permission denied"),
        (OSError(errno.EEXIST, "File exists"), UsageError, "is there already"),
        (KeyboardInterrupt(), KeyboardInterrupt, ""),
    ],
)
def test_a_failure_leaves_nothing(
    failure: BaseException,
    raised: type[BaseException],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(path: str, data: bytes, *, mode: int, may_replace: bool) -> None:
        if path.endswith(".der"):
            raise failure
        write_atomically(path, data, mode=mode, may_replace=may_replace)

    monkeypatch.setattr(module, "write_atomically", fail)
    with pytest.raises(raised) as error:
        new_key(str(tmp_path / "new"), pass_phrase=None, kind=KeyKind.P256)
    assert type(error.value) is raised
    assert str(error.value) == (f"{tmp_path}/new.der: {told}" if told else "")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_came_into_being_meanwhile_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(kind: KeyKind) -> object:
        (tmp_path / "new.pem").write_text("another's")
        return make(kind)

    make = module._generated
    monkeypatch.setattr(module, "_generated", other)
    with pytest.raises(UsageError, match="is there already"):
        new_key(str(tmp_path / "new"), pass_phrase=None, kind=KeyKind.P256)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("new.pem", "another's")]
