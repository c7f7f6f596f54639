"""Who signs: keys and certificates that fit each other, and what is made with them."""

import contextlib
import datetime as dt
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.signing_keys import BEGIN, certified, der_of, encoded, key_usage, write_pair

from lkm.actions.signing.file_key import FileKey
from lkm.actions.signing.file_key import encoded as pkcs8
from lkm.actions.signing.signatory import Signatory, open_signatory
from lkm.errors import KeyMismatch, LkmError, UsageError
from lkm.formats.cms import parse
from lkm.formats.cms_writer import DIGESTS, KeyAlgorithm
from lkm.formats.module_signature import append
from lkm.rules.signatures.check import check
from lkm.rules.signatures.policy import SignatureState

CONTENTS = bytes(range(256)) * 10
KEY = ec.generate_private_key(ec.SECP256R1())
CERTIFICATE = certified(KEY)
DSA_BITS = 1024  # the fewest, and so the quickest


@cache
def _rsa(number: int = 0) -> rsa.RSAPrivateKey:
    del number  # another key for each
    return rsa.generate_private_key(65537, 2048)


def _opened(directory: Path, key: CertificateIssuerPrivateKeyTypes) -> Signatory:
    return open_signatory(*write_pair(directory, key, certified(key)))


@pytest.mark.parametrize("by_key_id", [False, True])
@pytest.mark.parametrize("digest", DIGESTS)
def test_kernels_accept_what_is_signed(digest: str, by_key_id: bool, tmp_path: Path) -> None:  # noqa: FBT001  a parameter
    for key in (KEY, _rsa()):
        signatory = _opened(tmp_path, key)
        signed = append(CONTENTS, signatory.sign(CONTENTS, digest=digest, by_key_id=by_key_id))
        assert check(signed, [der_of(signatory.certificate)], edition=2).state is SignatureState.TRUSTED
        assert check(b"x" + signed[1:], [der_of(signatory.certificate)], edition=2).state is SignatureState.REJECTED


@pytest.mark.parametrize("kind", [mldsa.MLDSA44PrivateKey, mldsa.MLDSA65PrivateKey, mldsa.MLDSA87PrivateKey])
def test_ml_dsa_signs_the_contents_without_attributes(
    kind: type[mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey], tmp_path: Path
) -> None:
    key = kind.generate()
    signatory = _opened(tmp_path, key)
    message = signatory.sign(memoryview(CONTENTS), digest="sha512")
    signer = parse(message).signers[0]
    assert not signer.has_signed_attributes
    key.public_key().verify(signer.signature, CONTENTS)
    signed, trusted = append(CONTENTS, message), [der_of(signatory.certificate)]
    states = [check(signed, trusted, edition=edition).state for edition in (2, 3)]
    assert states == [SignatureState.UNSUPPORTED, SignatureState.TRUSTED]
    assert signatory.remarks == ("kernels before 7.0 can't verify with an ML-DSA key",)


def test_any_buffer_can_be_signed(tmp_path: Path) -> None:
    signatory = _opened(tmp_path, _rsa())
    of_bytes = signatory.sign(CONTENTS, digest="sha256")
    assert signatory.sign(memoryview(CONTENTS), digest="sha256") == of_bytes
    assert signatory.sign(bytearray(CONTENTS), digest="sha256") == of_bytes
    assert signatory.sign(b"", digest="sha256") != of_bytes


def test_a_signatory_goes_to_worker_processes(tmp_path: Path) -> None:
    signatory = _opened(tmp_path, _rsa())
    other = pickle.loads(pickle.dumps(signatory))  # noqa: S301  our own
    assert other == signatory
    assert other.sign(CONTENTS, digest="sha256") == signatory.sign(CONTENTS, digest="sha256")


def test_a_signatory_shows_no_secret(tmp_path: Path) -> None:
    signatory = _opened(tmp_path, KEY)
    assert repr(pkcs8(KEY))[10:40] not in repr(signatory)
    assert "key=FileKey()" in repr(signatory)


def test_other_digests(tmp_path: Path) -> None:
    signatory = _opened(tmp_path, KEY)
    for digest in ("md5", "sha3-224", "", "SHA256", "nope"):
        with pytest.raises(UsageError, match="no kernel verifies signatures over"):
            signatory.sign(CONTENTS, digest=digest)


def test_a_certificate_without_key_identifier(tmp_path: Path) -> None:
    pair = write_pair(tmp_path, KEY, certified(KEY, with_key_id=False))
    signatory = open_signatory(*pair)
    assert signatory.sign(CONTENTS, digest="sha256")
    with pytest.raises(UsageError, match="no subject key identifier") as caught:
        signatory.sign(CONTENTS, digest="sha256", by_key_id=True)
    assert "-k" in str(caught.value.hint)


# --- which certificate ------------------------------------------------------------------------------------------------


def test_the_certificate_that_fits_is_taken(tmp_path: Path) -> None:
    other = certified(ec.generate_private_key(ec.SECP256R1()))
    key, path = write_pair(tmp_path, KEY, CERTIFICATE)
    Path(path).write_bytes(other.public_bytes(Encoding.PEM) + CERTIFICATE.public_bytes(Encoding.PEM))
    assert open_signatory(key, path).certificate == CERTIFICATE


def test_a_certificate_beside_the_key(tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(encoded(KEY) + CERTIFICATE.public_bytes(Encoding.PEM))
    assert open_signatory(str(both)).certificate == CERTIFICATE
    both.write_bytes(pkcs12.serialize_key_and_certificates(b"n", KEY, CERTIFICATE, None, NoEncryption()))
    assert open_signatory(str(both)).certificate == CERTIFICATE
    assert open_signatory(str(both), None).algorithm is KeyAlgorithm.ECDSA


def test_no_certificate(tmp_path: Path) -> None:
    key, _ = write_pair(tmp_path, KEY, CERTIFICATE)
    bare = pkcs12.serialize_key_and_certificates(b"n", KEY, None, None, NoEncryption())
    for data in (encoded(KEY), encoded(KEY, pass_phrase=b"not asked for"), encoded(KEY, encoding=Encoding.DER), bare):
        Path(key).write_bytes(data)
        with pytest.raises(UsageError, match="the key's file holds no certificate") as caught:
            open_signatory(key)
        assert caught.value.where == key
        assert "its certificate" in str(caught.value.hint)


@pytest.mark.parametrize("other", [lambda: ec.generate_private_key(ec.SECP256R1()), _rsa])
def test_a_certificate_of_another_key(other: Callable[[], CertificateIssuerPrivateKeyTypes], tmp_path: Path) -> None:
    key, path = write_pair(tmp_path, KEY, certified(other()))
    with pytest.raises(KeyMismatch, match=f"the certificate is not the one of the key {key}") as caught:
        open_signatory(key, path)
    assert caught.value.where == path


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (ed25519.Ed25519PrivateKey.generate, "no kernel can verify modules with Ed25519"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "the curve secp256k1"),
        (lambda: dsa.generate_private_key(DSA_BITS), "DSA"),
    ],
)
def test_keys_that_no_kernel_knows(
    make: Callable[[], CertificateIssuerPrivateKeyTypes], what: str, tmp_path: Path
) -> None:
    key = make()
    issuer = KEY if isinstance(key, dsa.DSAPrivateKey) else None
    pair = write_pair(tmp_path, key, certified(key, issuer=issuer))
    with pytest.raises(UsageError, match=what) as caught:
        open_signatory(*pair)
    assert caught.value.where == pair[1]


def test_odd_certificates_are_told_and_taken(tmp_path: Path) -> None:
    ca = [x509.BasicConstraints(ca=True, path_length=None), key_usage("key_cert_sign")]
    certificate = certified(KEY, extensions=ca, end=BEGIN + dt.timedelta(days=1))
    signatory = open_signatory(*write_pair(tmp_path, KEY, certificate))
    expired, authority = signatory.remarks
    assert "expired on 2026-01-02" in expired
    assert "a CA's" in authority
    signed = append(CONTENTS, signatory.sign(CONTENTS, digest="sha256"))
    assert check(signed, [der_of(certificate)]).state is SignatureState.TRUSTED


@given(place=st.integers(0, len(der_of(CERTIFICATE)) - 1), byte=st.integers(0, 255), by_key_id=st.booleans())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_certificate_with_one_byte_changed(place: int, byte: int, by_key_id: bool, tmp_path: Path) -> None:  # noqa: FBT001  a parameter
    key, path = write_pair(tmp_path, KEY, CERTIFICATE)
    changed = bytearray(der_of(CERTIFICATE))
    changed[place] = byte
    Path(path).write_bytes(changed)
    with contextlib.suppress(LkmError):
        assert open_signatory(key, path).sign(CONTENTS, digest="sha256", by_key_id=by_key_id)


# --- pass phrases and damaged keys ------------------------------------------------------------------------------------


def test_pass_phrases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, path = write_pair(tmp_path, KEY, CERTIFICATE)
    Path(key).write_bytes(encoded(KEY, pass_phrase=b"open it"))
    monkeypatch.delenv("KBUILD_SIGN_PIN", raising=False)
    with pytest.raises(UsageError, match="needs a pass phrase") as caught:
        open_signatory(key, path)
    assert "KBUILD_SIGN_PIN" in str(caught.value.hint)
    assert open_signatory(key, path, pass_phrase=lambda: b"open it").certificate == CERTIFICATE
    monkeypatch.setenv("KBUILD_SIGN_PIN", "open it")
    assert open_signatory(key, path).certificate == CERTIFICATE
    with pytest.raises(UsageError, match="does not open the key"):
        open_signatory(key, path, pass_phrase=lambda: b"another")


def test_a_key_whose_numbers_do_not_fit_each_other_signs_nothing() -> None:
    own = _rsa().private_numbers()
    parts = own.p, own.q, own.d ^ 2, own.dmp1 ^ 2, own.dmq1 ^ 2, own.iqmp, own.public_numbers
    mixed = rsa.RSAPrivateNumbers(*parts).private_key(unsafe_skip_rsa_key_validation=True)
    signatory = Signatory(der_of(certified(_rsa())), KeyAlgorithm.RSA, FileKey(pkcs8(mixed)), "mixed.key")
    with pytest.raises(KeyMismatch, match="do not fit the certificate") as caught:
        signatory.sign(CONTENTS, digest="sha256")
    assert caught.value.where == "mixed.key"


def test_a_key_of_another_kind_signs_nothing() -> None:
    other = Signatory(der_of(certified(_rsa())), KeyAlgorithm.RSA, FileKey(pkcs8(KEY)), "other.key")
    with pytest.raises(KeyMismatch, match="do not fit the certificate"):
        other.sign(CONTENTS, digest="sha256")
    ml_dsa = Signatory(der_of(CERTIFICATE), KeyAlgorithm.ML_DSA_44, FileKey(pkcs8(KEY)), "other.key")
    with pytest.raises(UsageError, match="nothing can be signed with"):
        ml_dsa.sign(CONTENTS, digest="sha256")
