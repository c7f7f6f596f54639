"""Keys and certificates out of files of all forms."""

import contextlib
import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.signing_keys import certified, der_of, encoded

from lkm.actions.certificate_files import read_certificates
from lkm.actions.signing.file_key import public_half
from lkm.actions.signing.key_files import read_key_file
from lkm.errors import FormatError, LkmError, Unreadable, UsageError

PASS_PHRASE = b"a pass phrase"
KEY = ec.generate_private_key(ec.SECP256R1())
CERTIFICATE = certified(KEY)
PEM = CERTIFICATE.public_bytes(Encoding.PEM)
OTHER = certified(ec.generate_private_key(ec.SECP256R1()), serial=7)


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _never() -> bytes:
    raise AssertionError("nobody should be asked")


def _pkcs12(pass_phrase: bytes | None, *others: x509.Certificate) -> bytes:
    encryption = NoEncryption() if pass_phrase is None else BestAvailableEncryption(pass_phrase)
    return pkcs12.serialize_key_and_certificates(b"name", KEY, CERTIFICATE, list(others), encryption)


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], str]:
    def put(data: bytes) -> str:
        path = tmp_path / "file"
        path.write_bytes(data)
        return str(path)

    return put


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_plain_keys(encoding: Encoding, form: PrivateFormat, put: Callable[[bytes], str]) -> None:
    for key in (KEY, _rsa()):
        found = read_key_file(put(encoded(key, encoding=encoding, form=form)), _never)
        assert (public_half(found.key), found.certificates) == (public_half(key), ())


@pytest.mark.parametrize(
    "data",
    [
        encoded(KEY, pass_phrase=PASS_PHRASE),
        encoded(KEY, encoding=Encoding.DER, pass_phrase=PASS_PHRASE),
        encoded(KEY, form=PrivateFormat.TraditionalOpenSSL, pass_phrase=PASS_PHRASE),
        _pkcs12(PASS_PHRASE),
    ],
    ids=["PEM", "DER", "traditional", "PKCS#12"],
)
def test_encrypted_keys(data: bytes, put: Callable[[bytes], str]) -> None:
    path = put(data)
    asked: list[bytes] = []

    def answer(phrase: bytes) -> bytes:
        asked.append(phrase)
        return phrase

    assert public_half(read_key_file(path, partial(answer, PASS_PHRASE)).key) == public_half(KEY)
    assert asked == [PASS_PHRASE]
    for wrong in (b"another", b"", b"\xff\0"):
        with pytest.raises(UsageError, match="the pass phrase does not open the key") as caught:
            read_key_file(path, partial(answer, wrong))
        assert (caught.value.where, "openssl pk" in str(caught.value.hint)) == (path, True)
    assert len(asked) == 4


def test_certificates_beside_the_key(put: Callable[[bytes], str]) -> None:
    pem = encoded(KEY)
    for data in (pem + PEM, PEM + pem, b"# a comment\n" + PEM.replace(b"\n", b"\r\n") + b"\n\n" + pem):
        found = read_key_file(put(data), _never)
        assert found.certificates == (CERTIFICATE,)
    assert read_key_file(put(pem + OTHER.public_bytes(Encoding.PEM) + PEM), _never).certificates == (OTHER, CERTIFICATE)


def test_pkcs12(put: Callable[[bytes], str]) -> None:
    for phrase in (None, PASS_PHRASE):
        found = read_key_file(put(_pkcs12(phrase, OTHER)), lambda: PASS_PHRASE)
        assert found.certificates == (CERTIFICATE, OTHER)
    assert read_key_file(put(_pkcs12(None)), _never).certificates == (CERTIFICATE,)


def test_pkcs12_without_a_key(put: Callable[[bytes], str]) -> None:
    data = pkcs12.serialize_key_and_certificates(b"name", None, CERTIFICATE, None, NoEncryption())
    with pytest.raises(FormatError, match="holds no private key"):
        read_key_file(put(data), _never)


@pytest.mark.parametrize(
    ("data", "what", "hint"),
    [
        (b"", "holds no private key that can be read", "openssl pkey"),
        (b"nonsense", "holds no private key that can be read", "openssl pkey"),
        (PEM, "holds no private key", "it holds a certificate"),
        (der_of(CERTIFICATE), "holds no private key", "it holds a certificate"),
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me@here\n", "holds no private key", "it holds a public key"),
        (
            KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "holds no private key",
            "it holds a public key",
        ),
        (encoded(KEY, form=PrivateFormat.OpenSSH), "a key of OpenSSH", "ssh-keygen -p"),
        (encoded(KEY)[:-10], "holds no private key", "PEM, DER or PKCS#12"),
        (encoded(KEY)[:40] + encoded(KEY)[50:], "holds no private key that can be read", "openssl pkey"),
        (encoded(KEY) + PEM[:100] + b"\n-----END CERTIFICATE-----\n", "holds no certificate that can be read", "X.509"),
        (b"-----BEGIN -----\n-----END -----\n", "holds no private key", "PEM, DER or PKCS#12"),
    ],
)
def test_files_that_hold_no_key(data: bytes, what: str, hint: str, put: Callable[[bytes], str]) -> None:
    path = put(data)
    with pytest.raises(FormatError, match=what) as caught:
        read_key_file(path, _never)
    assert caught.value.where == path
    assert hint in str(caught.value.hint)


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes((1 << 20) + 1))
    for path in (tmp_path / "none", tmp_path, large):
        for read in (lambda path: read_key_file(path, _never), read_certificates):
            with pytest.raises(Unreadable) as caught:
                read(str(path))
            assert caught.value.where == str(path)


def test_a_pipe() -> None:
    for data in (encoded(KEY), encoded(KEY) + PEM):
        read, write = os.pipe()
        os.write(write, data)
        os.close(write)
        assert public_half(read_key_file(f"/dev/fd/{read}", _never).key) == public_half(KEY)
        os.close(read)


def test_a_path_that_can_not_be() -> None:
    with pytest.raises(Unreadable, match="NUL"):
        read_certificates("a\0b")


def test_certificates(put: Callable[[bytes], str]) -> None:
    assert read_certificates(put(PEM)) == (CERTIFICATE,)
    assert read_certificates(put(der_of(CERTIFICATE))) == (CERTIFICATE,)
    assert read_certificates(put(PEM.replace(b"CERTIFICATE", b"X509 CERTIFICATE"))) == (CERTIFICATE,)
    assert read_certificates(put(PEM + encoded(KEY) + OTHER.public_bytes(Encoding.PEM))) == (CERTIFICATE, OTHER)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "holds no certificate that can be read"),
        (encoded(KEY), "holds no certificate"),
        (_pkcs12(None), "a PKCS#12 file"),
        (der_of(CERTIFICATE) + b"\0", "holds no certificate that can be read"),
        (PEM.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"), "holds no certificate"),
    ],
)
def test_files_that_hold_no_certificate(data: bytes, what: str, put: Callable[[bytes], str]) -> None:
    with pytest.raises(FormatError, match=what) as caught:
        read_certificates(put(data))
    assert caught.value.hint


def test_many_beginnings_take_no_time(put: Callable[[bytes], str]) -> None:
    with pytest.raises(FormatError, match="holds no private key"):
        read_key_file(put(b"-----BEGIN PRIVATE KEY-----\n" * 30_000), _never)


_STARTS = (encoded(KEY), encoded(KEY, encoding=Encoding.DER), _pkcs12(None), PEM + encoded(KEY), der_of(CERTIFICATE))


@given(start=st.sampled_from(_STARTS), place=st.integers(0, 1500), patch=st.binary(max_size=3))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_are_errors_of_ours(start: bytes, place: int, patch: bytes, put: Callable[[bytes], str]) -> None:
    path = put(start[:place] + patch + start[place + len(patch) :])
    with contextlib.suppress(LkmError):
        assert read_key_file(path, lambda: b"phrase")
    with contextlib.suppress(LkmError):
        assert read_certificates(path)
