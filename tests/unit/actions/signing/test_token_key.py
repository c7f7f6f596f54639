"""Keys in tokens: what openssl is asked, by a made-up one; real tokens are in tests/peers."""

import resource
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from tests.support.signing_keys import certified, write_pair

from lkm.actions.signing import token_key
from lkm.actions.signing.signatory import open_signatory
from lkm.actions.signing.token_key import TokenKey, check_uri, open_token_key, wants_pin
from lkm.errors import LkmError, UsageError

URI = "pkcs11:token=work;object=modules"
_KNOWN_BY = {"provider": "list", "engine": "engine", "neither": "nothing"}


def _made_up(directory: Path, monkeypatch: pytest.MonkeyPatch, known_by: str, answer: str) -> Path:
    """Put an openssl first in PATH that has one way to tokens, notes what it is asked, and answers."""
    noted = directory / "noted"
    program = directory / "openssl"
    program.write_text(
        "#!/bin/sh\n"
        f'printf "%s\\n" "$*" >> {noted}\n'
        'case "$1" in\n'
        f"  {_KNOWN_BY[known_by]}) exit 0 ;;\n"
        "  list | engine) exit 1 ;;\n"
        "esac\n"
        f'case "$*" in *fd:*) read -r pin < /dev/fd/"${{*##*fd:}}"; printf "pin %s\\n" "$pin" >> {noted} ;; esac\n'
        f"{answer}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return noted


def test_the_provider_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = _made_up(tmp_path, monkeypatch, "provider", 'printf "%s" "$PKCS11_PROVIDER_MODULE"')
    key, public = open_token_key(URI, b"1234", "/some/library.so")
    assert public == b"/some/library.so"
    assert key.sign_hash("sha3-256", b"hash") == public
    asked = noted.read_text().splitlines()
    by = "-provider pkcs11 -provider default"
    assert asked[0] == f"list -providers {by}"
    assert asked[1].startswith(f"pkey {by} -in {URI} -pubout -outform DER -passin fd:")
    assert asked[3].startswith(f"pkeyutl -sign {by} -inkey {URI} -pkeyopt digest:sha3-256 -passin fd:")
    assert asked[2] == asked[4] == "pin 1234"


def test_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = _made_up(tmp_path, monkeypatch, "engine", "cat; printf public")
    key, public = open_token_key(URI, None, None)
    assert public == b"public"
    assert key.sign_hash("sha256", b"hash") == b"hashpublic"
    asked = noted.read_text().splitlines()
    assert asked[2] == f"pkey -engine pkcs11 -inform engine -in {URI} -pubout -outform DER"
    assert asked[3] == f"pkeyutl -sign -engine pkcs11 -keyform engine -inkey {URI} -pkeyopt digest:sha256"


def test_no_way_to_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _made_up(tmp_path, monkeypatch, "neither", "exit 1")
    with pytest.raises(LkmError, match="openssl has no way to tokens here") as caught:
        open_token_key(URI, None, None)
    assert "libengine-pkcs11-openssl" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ("echo 'x:error:1:PKCS#11 module:ERR_CKR_error:PIN incorrect:p' >&2; exit 1", "the PIN is wrong"),
        ("echo 'PIN locked' >&2; exit 1", "locked itself"),
        ("echo 'error:9:something new' >&2; exit 1", "openssl could not use the key: error:9:something new"),
        ("echo 'no line of errors' >&2; exit 1", "openssl could not use the key: no line of errors"),
        ("exit 0", "openssl could not use the key"),
        ("kill -SEGV $$", "openssl could not use the key"),
        ("printf '\\377' >&2; exit 1", "openssl could not use the key"),
    ],
)
def test_failures(answer: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _made_up(tmp_path, monkeypatch, "engine", answer)
    with pytest.raises(LkmError, match=what) as caught:
        open_token_key(URI, b"1234", None)
    assert (caught.value.where, bool(caught.value.hint)) == (URI, True)


def test_a_token_that_signs_with_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    file, certificate = write_pair(tmp_path, key, certified(key))
    der = tmp_path / "public.der"
    _made_up(tmp_path, monkeypatch, "engine", f'case "$1" in pkey) cat {der} ;; *) echo rubbish ;; esac')
    from lkm.actions.signing.file_key import public_half  # noqa: PLC0415  for this test only

    der.write_bytes(public_half(key))
    signatory = open_signatory(URI, certificate, pass_phrase=lambda: b"1234")
    with pytest.raises(UsageError, match="do not fit the certificate") as caught:
        signatory.sign(b"contents", digest="sha256")
    assert caught.value.where == URI
    assert file


def test_ml_dsa_in_a_token(tmp_path: Path) -> None:
    key = mldsa.MLDSA44PrivateKey.generate()
    signatory = open_signatory(*write_pair(tmp_path, key, certified(key)))
    from dataclasses import replace  # noqa: PLC0415  for this test only

    in_token = replace(signatory, key=TokenKey(URI, None, None, ()))
    with pytest.raises(UsageError, match="ML-DSA key in a token"):
        in_token.sign(b"contents", digest="sha512")


def test_a_token_wants_a_certificate_and_no_pin_in_its_uri(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs its certificate in a file"):
        open_signatory(URI)
    key = ec.generate_private_key(ec.SECP256R1())
    _, certificate = write_pair(tmp_path, key, certified(key))
    with pytest.raises(UsageError, match="a PIN in the URI") as caught:
        open_signatory(f"{URI}?Pin-Value=4711", certificate)
    assert "4711" not in str(caught.value)


def test_uris() -> None:
    check_uri(URI)
    assert wants_pin(URI)
    assert not wants_pin(f"{URI}?pin-source=file:/etc/pin")


def test_no_core_dump_holds_the_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    _made_up(tmp_path, monkeypatch, "engine", "ulimit -c")
    assert open_token_key(URI, b"1234", None)[1] == b"0\n"
    assert resource.getrlimit(resource.RLIMIT_CORE) == before


def test_an_openssl_that_can_not_be_run_or_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "openssl").write_text("no program")
    (tmp_path / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LkmError, match="openssl can't be run: exec format error"):
        open_token_key(URI, None, None)
    monkeypatch.setattr(token_key, "_PATIENCE", 0.1)
    _made_up(tmp_path, monkeypatch, "engine", "exec sleep 5")
    with pytest.raises(LkmError, match="did not answer within") as caught:
        open_token_key(URI, None, None)
    assert "plugged in" in str(caught.value.hint)


def test_a_pin_is_not_shown() -> None:
    assert "1234" not in repr(TokenKey(URI, b"1234", None, ()))
