"""Keys in a token: SoftHSM, reached by openssl."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.support.require import require_command, require_path, require_tool
from tests.support.signing_keys import certified, der_of, encoded, write_pair

from lkm.actions.signing.signatory import open_signatory
from lkm.errors import LkmError, UsageError
from lkm.formats.module_signature import append
from lkm.rules.signatures.check import check
from lkm.rules.signatures.policy import SignatureState

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("token")]

PIN = b"7531"
CONTENT = bytes(range(256)) * 40
KINDS = ("rsa", "ec")


@dataclass(frozen=True, slots=True)
class Token:
    """A token with an RSA key and one on a curve.

    :param files: for each, the same key in a file, and its certificate
    """

    configuration: Path
    library: str
    files: dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Token:
    require_tool("softhsm2-util")
    require_command("openssl", "engine", "pkcs11")
    directory = tmp_path_factory.mktemp("token")
    (directory / "tokens").mkdir()
    configuration = directory / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {directory}/tokens\nobjectstore.backend = file\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(configuration)}
    pin = PIN.decode()
    _run(environment, "--init-token", "--free", "--label", "lkm test", "--pin", pin, "--so-pin", pin)
    keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ec": ec.generate_private_key(ec.SECP384R1()),
    }
    files = {}
    for number, (name, key) in enumerate(keys.items(), 1):
        place = directory / name
        place.mkdir()
        files[name] = write_pair(place, key, certified(key))
        (place / "pkcs8").write_bytes(encoded(key))
        words = "--token", "lkm test", "--label", name, "--id", f"0{number}", "--pin", pin
        _run(environment, "--import", str(place / "pkcs8"), *words)
    return Token(configuration, str(require_path("/usr/lib/softhsm/libsofthsm2.so")), files)


def _run(environment: dict[str, str], *words: str) -> None:
    subprocess.run(["softhsm2-util", *words], check=True, capture_output=True, env=environment)


@pytest.fixture
def token(made: Token, monkeypatch: pytest.MonkeyPatch) -> Token:
    monkeypatch.setenv("SOFTHSM2_CONF", str(made.configuration))
    for name in ("PKCS11_MODULE_PATH", "PKCS11_PROVIDER_MODULE", "KBUILD_SIGN_PIN"):
        monkeypatch.delenv(name, raising=False)
    return made


def _uri(name: str) -> str:
    return f"pkcs11:token=lkm%20test;object={name}"


@pytest.mark.parametrize("digest", ["sha256", "sha512", "sha3-384", "sha1"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_token_signs_as_the_file_does(kind: str, digest: str, token: Token) -> None:
    key, certificate = token.files[kind]
    signatory = open_signatory(_uri(kind), certificate, pass_phrase=lambda: PIN, pkcs11_module=token.library)
    signature = signatory.sign(memoryview(CONTENT), digest=digest, by_key_id=True)
    der = der_of(signatory.certificate)
    assert check(append(CONTENT, signature), [der], edition=2).state is SignatureState.TRUSTED
    if kind == "rsa":
        assert signature == open_signatory(key, certificate).sign(CONTENT, digest=digest, by_key_id=True)
    assert PIN not in repr(signatory).encode()


def test_the_pin_from_the_environment_and_from_a_file(
    token: Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = token.files["ec"][1]
    pin = tmp_path / "pin"
    pin.write_bytes(PIN)
    monkeypatch.setenv("PKCS11_MODULE_PATH", token.library)
    for uri in (f"{_uri('ec')};pin-source=file:{pin}", f"{_uri('ec')}?pin-source=file:{pin}"):
        assert open_signatory(uri, certificate).sign(CONTENT, digest="sha384")
    monkeypatch.setenv("KBUILD_SIGN_PIN", PIN.decode())
    assert open_signatory(_uri("ec"), certificate).sign(CONTENT, digest="sha384")


def test_the_pin_is_in_no_argument_and_no_environment(
    token: Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = require_tool("openssl")
    seen = tmp_path / "seen"
    wrapper = tmp_path / "openssl"
    wrapper.write_text(f'#!/bin/sh\ntr "\\0" "\\n" < /proc/$$/cmdline >> {seen}\nenv >> {seen}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    certificate = token.files["rsa"][1]
    signatory = open_signatory(_uri("rsa"), certificate, pass_phrase=lambda: PIN, pkcs11_module=token.library)
    assert signatory.sign(CONTENT, digest="sha256")
    text = seen.read_bytes()
    assert b"pkeyutl" in text
    assert PIN not in text


@pytest.mark.parametrize(
    ("uri", "pin", "what"),
    [
        (_uri("rsa"), b"0000", "the PIN is wrong"),
        (_uri("nope"), PIN, "there is no such private key"),
        ("pkcs11:token=nope;object=rsa", PIN, "there is no such token"),
        ("pkcs11:nope", PIN, "this is no PKCS#11 URI"),
        (_uri("ec"), PIN, "the certificate is not the one of the key"),
        (f"{_uri('rsa')};pin-value=7531", PIN, "a PIN in the URI"),
        (f"{_uri('rsa')}?PIN-VALUE=7531", PIN, "a PIN in the URI"),
        (_uri("rsa"), b"1" * 1000, "this is no PIN"),
        (_uri("rsa"), b"75\n31", "this is no PIN"),
        (f"{_uri('rsa')};pin-source=file:/nope", PIN, "pin-source can't be read"),
    ],
)
def test_refusals(uri: str, pin: bytes, what: str, token: Token) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        open_signatory(uri, token.files["rsa"][1], pass_phrase=lambda: pin, pkcs11_module=token.library)
    assert caught.value.hint
    assert "7531" not in str(caught.value)


def test_a_library_that_is_none(token: Token) -> None:
    with pytest.raises(LkmError, match="PKCS#11 library can't be loaded") as caught:
        open_signatory(_uri("rsa"), token.files["rsa"][1], pass_phrase=lambda: PIN, pkcs11_module="/nope.so")
    assert "PKCS11_MODULE_PATH" in str(caught.value.hint)


def test_no_openssl(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nope")
    with pytest.raises(LkmError, match="openssl is not installed"):
        open_signatory(_uri("rsa"), token.files["rsa"][1], pass_phrase=lambda: PIN)
