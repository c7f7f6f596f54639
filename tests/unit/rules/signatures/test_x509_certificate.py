"""Certificates as the kernel reads them."""

import datetime as dt
import errno

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.x509.oid import ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.signing import Signer
from tests.truth.cases.inside import certificate, key

from lkm.errors import FormatError
from lkm.rules.signatures.trusted_certificate import Contradicted, as_kept, find, self_check
from lkm.rules.signatures.x509_certificate import Certificate, CertificateRefused, parse

EDITIONS = range(4)
LATEST = 3
PLAIN = Signer(use_rsa=True)
CURVE = Signer("A curve")
WHOLE = certificate(1, own_id=b"own", issuer_id=b"own", issuer_serial=1 << 158)


def _refusal(der: bytes, edition: int = LATEST) -> tuple[int, tuple[str, ...]]:
    with pytest.raises((CertificateRefused, FormatError)) as caught:
        parse(der, edition)
    error = caught.value
    return (error.errno, error.log) if isinstance(error, CertificateRefused) else (errno.EBADMSG, ())


@pytest.mark.parametrize("edition", EDITIONS)
def test_what_is_kept(edition: int) -> None:
    read = parse(WHOLE, edition)
    library = x509.load_der_x509_certificate(WHOLE)
    assert int.from_bytes(read.serial) == library.serial_number
    assert library.issuer.public_bytes().endswith(read.issuer)
    assert read.subject == read.issuer
    assert read.signed == library.tbs_certificate_bytes
    assert read.signature == library.signature
    assert read.public_key == library.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert (read.algorithm, read.digest, read.key_algorithm) == ("rsa", "sha256", "rsa")
    assert (read.key_id, read.authority_key_id, read.authority) == (b"own", b"own", read.identifier)
    assert read.names_itself is True
    assert self_check(read) == 0


def test_curves_by_version() -> None:
    assert _refusal(CURVE.der, 0) == (errno.ENOPKG, ())
    read = parse(CURVE.der, 1)
    assert (read.algorithm, read.key_algorithm) == ("ecdsa", "ecdsa-nist-p256")
    assert self_check(read) == 0
    assert self_check(read, frozenset({"ecdsa"})) == errno.ENOENT
    large = certificate("p521")
    assert _refusal(large, 1) == (errno.ENOPKG, ())
    assert parse(large, 2).key_algorithm == "ecdsa-nist-p521"


def test_other_kinds_of_keys() -> None:
    assert [_refusal(certificate("ed25519"), edition) for edition in EDITIONS] == [(errno.ENOPKG, ())] * 4
    made = _of_ml_dsa()
    assert _refusal(made, 2) == (errno.ENOPKG, ())
    read = parse(made, LATEST)
    assert (read.algorithm, read.digest, read.key_algorithm) == ("mldsa65", "none", "mldsa65")
    assert self_check(read) == 0
    assert self_check(read, frozenset({"mldsa"})) == errno.ENOENT


def _of_ml_dsa() -> bytes:
    own = mldsa.MLDSA65PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A lattice")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(own.public_key())
    dated = builder.serial_number(7).not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=9))
    return dated.sign(own, None).public_bytes(serialization.Encoding.DER)


def test_two_signature_algorithms() -> None:
    old = bytes.fromhex("2a864886f70d01010b")
    at = PLAIN.der.rindex(old) + len(old) - 1
    other = PLAIN.der[:at] + b"\x0c" + PLAIN.der[at + 1 :]
    line = "X.509: signatureAlgorithm (16) differs from tbsCertificate.signature (15)"
    assert _refusal(other, 1) == (errno.EINVAL, (line,))
    line = "X.509: Got cert with pkey (9) and sig (10) algorithm OIDs"
    assert _refusal(other, 0) == (errno.EINVAL, (line,))


@pytest.mark.parametrize(
    ("oid", "value", "refused_since"),
    [
        ("2.5.29.14", "0403414243", None),
        ("2.5.29.14", "040441424344", None),
        ("2.5.29.14", "04024142", None),
        ("2.5.29.14", "0402414243", 0),
        ("2.5.29.14", "0c0141", 0),
        ("2.5.29.14", "04", 0),
        ("2.5.29.15", "03020780", None),
        ("2.5.29.15", "030207", 2),
        ("2.5.29.15", "04020780", 2),
        ("2.5.29.15", "03020880", 2),
        ("2.5.29.19", "3000", None),
        ("2.5.29.19", "30030101ff", None),
        ("2.5.29.19", "3003020105", 2),
        ("2.5.29.19", "3001", 2),
        ("2.5.29.19", "30", 2),
        ("2.5.29.35", "3005800341424300", None),
        ("2.5.29.35", "30058003414243", None),
        ("2.5.29.99", "00", None),
    ],
)
def test_extensions(oid: str, value: str, refused_since: int | None) -> None:
    der = _extended(oid, bytes.fromhex(value))
    for edition in EDITIONS:
        if refused_since is None or edition < refused_since:
            assert parse(der, edition).der == der
        else:
            assert _refusal(der, edition) == (errno.EBADMSG, ())


def _extended(oid: str, value: bytes) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A stranger")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key(1).public_key())
    dated = builder.serial_number(7).not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=9))
    odd = x509.UnrecognizedExtension(ObjectIdentifier(oid), value)
    signing = key(1)
    assert not isinstance(signing, ec.EllipticCurvePrivateKey)
    made = dated.add_extension(odd, critical=False).sign(signing, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    ("old", "new", "is_taken"),
    [
        (b"260101000000Z", b"261301000000Z", False),
        (b"260101000000Z", b"260230000000Z", False),
        (b"260101000000Z", b"280229000000Z", True),
        (b"260101000000Z", b"260101240060Z", True),
        (b"260101000000Z", b"260101250000Z", False),
        (b"260101000000Z", b"260101000000X", False),
        (b"260101000000Z", b"6901010000 0Z", False),
        (b"260101000000Z", b"690101000000Z", False),
    ],
)
def test_times(old: bytes, new: bytes, is_taken: bool) -> None:  # noqa: FBT001  a column
    der = certificate(1)
    assert old in der
    changed = der.replace(old, new, 1)
    if is_taken:
        assert parse(changed, LATEST).der == changed
    else:
        assert _refusal(changed) == (errno.EBADMSG, ())


# --- who signed it ----------------------------------------------------------------------------------------------------


def test_who_says_that_it_signed_itself() -> None:
    assert parse(certificate(1), 1).names_itself is True
    assert parse(certificate(1, issuer="The root", signed_by=2), 1).names_itself is False
    assert parse(certificate(1, own_id=b"one", issuer_id=b"two"), 1).names_itself is False
    assert parse(certificate(1, own_id=b"one", issuer_id=b"one"), 1).names_itself is True
    contradiction = parse(certificate(1, own_id=b"one", issuer_id=b"one", issuer_serial=5), 1)
    assert contradiction.names_itself is None
    assert self_check(contradiction) == errno.EKEYREJECTED


def test_a_keyring_takes_no_bad_certificates() -> None:
    assert as_kept(PLAIN.der) is not None
    assert as_kept(PLAIN.der[:-1] + bytes((PLAIN.der[-1] ^ 1,))) is None
    assert as_kept(b"none") is None
    assert as_kept(certificate("ed25519")) is None
    assert as_kept(CURVE.der, lacking=frozenset({"ecdsa"})) is None


def test_finding() -> None:
    read = parse(WHOLE, 1)
    keyring = [parse(PLAIN.der, 1), read]
    assert find(keyring, read.identifier) is read
    assert find(keyring, read.identifier, b"own") is read
    assert find(keyring, b"own") is read
    assert find(keyring, None, b"own") is read
    assert find(keyring, None) is None
    assert find(keyring, b"other") is None
    with pytest.raises(Contradicted):
        find(keyring, read.identifier, b"other")


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255), cut=st.integers(0, len(WHOLE)))
def test_hostile(place: int, value: int, cut: int) -> None:
    changed = WHOLE[:place] + bytes((value,)) + WHOLE[place + 1 :]
    for der in (changed, WHOLE[:cut], changed[:cut], WHOLE[cut:]):
        found = _outcome(der)
        assert (
            found in {errno.EBADMSG, errno.ENOPKG, errno.EINVAL} if isinstance(found, int) else self_check(found) >= 0
        )


def _outcome(der: bytes) -> Certificate | int:
    try:
        return parse(der, LATEST)
    except CertificateRefused as refused:
        return refused.errno
    except FormatError:
        return errno.EBADMSG
