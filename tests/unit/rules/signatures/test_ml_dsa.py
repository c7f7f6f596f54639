"""Signatures by ML-DSA, which may have signed attributes where the kernel waives its rule against them."""

import datetime as dt
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import mldsa
from tests.support.der import DATA, algorithm, oid, tlv
from tests.support.loader import NEWEST, answer, configured, recipe
from tests.support.signing import Signer
from tests.truth.cases.inside import message

from lkm.formats.module_signature import append
from lkm.formats.module_writer import write
from lkm.rules.loading.state import KernelState
from lkm.rules.signatures.check import WAIVED_ATTRIBUTES, SignatureFinding, check_by
from lkm.rules.signatures.policy import SignatureState
from lkm.rules.signatures.trust import Trust

MODULE = b"the bytes of a module " * 40
SHA512, ML_DSA_65 = "608648016503040203", "608648016503040312"
CONTENT_TYPE, MESSAGE_DIGEST = "2a864886f70d010903", "2a864886f70d010904"
KEY = mldsa.MLDSA65PrivateKey.generate()
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A lattice")])


def _certificate() -> bytes:
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(KEY.public_key())
    dated = builder.serial_number(7).not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=9))
    return dated.sign(KEY, None).public_bytes(serialization.Encoding.DER)


CERTIFICATE = _certificate()
TRUST = Trust((CERTIFICATE,), edition=3)
WAIVING = Trust((CERTIFICATE,), edition=3, waives_attributes=True)


def _attribute(kind: str, value: bytes) -> bytes:
    return tlv(0x30, oid(kind), tlv(0x31, value))


def _signed(contents: bytes = MODULE, *, digest: bytes | None = None, with_attributes: bool = True) -> bytes:
    """Sign contents.

    :param digest: what the attributes tell, if it is not that of the contents
    """
    told = hashlib.sha512(contents).digest() if digest is None else digest
    attributes = _attribute(CONTENT_TYPE, oid(DATA)) + _attribute(MESSAGE_DIGEST, tlv(0x04, told))
    value = KEY.sign(tlv(0x31, attributes) if with_attributes else contents)
    info = tlv(
        0x30,
        tlv(0x02, b"\x01"),
        tlv(0x30, NAME.public_bytes(), tlv(0x02, b"\x07")),
        algorithm(SHA512),
        tlv(0xA0, attributes) if with_attributes else b"",
        algorithm(ML_DSA_65),
        tlv(0x04, value),
    )
    return append(contents, message([info]))


def test_without_attributes() -> None:
    assert check_by(_signed(with_attributes=False), TRUST) == SignatureFinding(SignatureState.TRUSTED)


def test_attributes_are_refused_unless_they_are_waived() -> None:
    line = "PKCS7: Invalid module sig (has authattrs)"
    assert check_by(_signed(), TRUST) == SignatureFinding(SignatureState.REJECTED, (line,))
    assert check_by(_signed(), WAIVING) == SignatureFinding(SignatureState.TRUSTED, (WAIVED_ATTRIBUTES,))


def test_only_those_of_ml_dsa_are_waived() -> None:
    from cryptography.hazmat.primitives.serialization import pkcs7  # noqa: PLC0415  for this test only

    own = Signer(use_rsa=True)
    options = (pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCapabilities)
    contents = append(MODULE, own.message(MODULE, options=options))
    waiving = Trust((own.der,), edition=3, waives_attributes=True)
    assert check_by(contents, waiving).state is SignatureState.REJECTED


@pytest.mark.parametrize(
    ("digest", "state", "line"),
    [
        (bytes(64), SignatureState.REJECTED, "PKCS7: Sig 1: Message digest doesn't match"),
        (bytes(32), SignatureState.MALFORMED, "PKCS7: Sig 1: Invalid digest size (32)"),
    ],
)
def test_what_the_attributes_tell_of_the_contents(digest: bytes, state: SignatureState, line: str) -> None:
    assert check_by(_signed(digest=digest), WAIVING) == SignatureFinding(state, (WAIVED_ATTRIBUTES, line))


def test_the_waiver_is_told_once() -> None:
    profile = configured(NEWEST, PKCS7_WAIVE_AUTHATTRS_REJECTION_FOR_MLDSA=True)
    first = answer(
        _signed(write(recipe())), profile=profile, state=KernelState(certificates=(CERTIFICATE,)), signature=None
    )
    assert WAIVED_ATTRIBUTES in first.log
    second = answer(_signed(write(recipe())), profile=profile, state=first.state, signature=None)
    assert WAIVED_ATTRIBUTES not in second.log
