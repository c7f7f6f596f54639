"""Checking a module's signature against the certificates that a kernel trusts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.errors import FormatError
from lkm.formats import cms
from lkm.formats.module_signature import KeyIdType, ModuleSignature, read
from lkm.rules.signature_policy import SignatureState

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["UNSIGNED", "SignatureFinding", "check"]

_RSA = "1.2.840.113549.1.1.1"
_ECDSA = ("1.2.840.10045.4.1", "1.2.840.10045.4.3.")  # ecdsa-with-SHA1; the others end in the digest's number
_DIGESTS = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sm3"})


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """What checking gave.

    :param log: the lines that the kernel prints for it
    """

    state: SignatureState
    log: tuple[str, ...] = ()


UNSIGNED = SignatureFinding(SignatureState.UNSIGNED)


def check(contents: bytes, certificates: Sequence[bytes], *, sha3: bool = False) -> SignatureFinding:
    """Check as the kernel does (kernel/module/signing.c ``mod_verify_sig``, kernel/module_signature.c, 6.1).

    :param contents: the unpacked module file
    :param certificates: the trusted certificates, DER
    :param sha3: the kernel knows SHA-3
    """
    try:
        trailer = read(contents)
        if trailer is None:
            return UNSIGNED
        return _bad_trailer(trailer) or _verified(contents, trailer, certificates, sha3=sha3)
    except FormatError:
        return SignatureFinding(SignatureState.MALFORMED)


def _bad_trailer(trailer: ModuleSignature) -> SignatureFinding | None:
    """``mod_check_sig``."""
    if trailer.sig_len >= trailer.offset:
        return SignatureFinding(SignatureState.MALFORMED)
    if trailer.id_type != KeyIdType.PKCS7:
        line = "module: not signed with expected PKCS#7 message"
        return SignatureFinding(SignatureState.UNSUPPORTED, (line,))
    if trailer.algo or trailer.hash or trailer.signer_len or trailer.key_id_len or any(trailer.padding):
        line = "module: PKCS#7 signature info has unexpected non-zero params"
        return SignatureFinding(SignatureState.MALFORMED, (line,))
    return None


def _verified(
    contents: bytes, trailer: ModuleSignature, certificates: Sequence[bytes], *, sha3: bool
) -> SignatureFinding:
    """``verify_pkcs7_signature`` (certs/system_keyring.c, crypto/asymmetric_keys/pkcs7_verify.c, 6.1)."""
    message = cms.parse(_first_element(trailer.signature(contents)))
    if message.has_content:
        lines = ("PKCS7: Data already supplied", "PKCS#7 signature with non-detached data")
        return SignatureFinding(SignatureState.MALFORMED, lines)
    if any(signer.has_signed_attributes for signer in message.signers):
        return SignatureFinding(SignatureState.REJECTED, ("PKCS7: Invalid module sig (has authattrs)",))
    content = bytes(memoryview(contents)[: trailer.content_size])
    states = [_signer_state(signer, content, certificates, sha3=sha3) for signer in message.signers]
    # One bad signature by a known key is worse than a good one beside it (pkcs7_validate_trust).
    for state in (SignatureState.REJECTED, SignatureState.TRUSTED, SignatureState.UNSUPPORTED):
        if state in states:
            return SignatureFinding(state)
    return SignatureFinding(SignatureState.UNKNOWN_KEY)


def _first_element(der: bytes) -> bytes:
    """Leave away what stands behind the message: the kernel's parser stops at its end (lib/asn1_decoder.c)."""
    if len(der) < 2 or der[1] < 0x80:
        return der[: 2 + der[1]] if len(der) > 1 else der
    size = der[1] & 0x7F
    return der[: 2 + size + int.from_bytes(der[2 : 2 + size], "big")]


def _signer_state(
    signer: cms.SignerInfo, content: bytes, certificates: Sequence[bytes], *, sha3: bool
) -> SignatureState:
    known = signer.digest in _DIGESTS or (sha3 and signer.digest.startswith("sha3-"))
    if not known or not (signer.algorithm == _RSA or signer.algorithm.startswith(_ECDSA)):
        return SignatureState.UNSUPPORTED
    for der in certificates:
        certificate = _certificate(der)
        if certificate is not None and _names(signer, certificate):
            return _signature_state(signer, content, certificate)
    return SignatureState.UNKNOWN_KEY


def _certificate(der: bytes) -> "x509.Certificate | None":
    from cryptography import x509  # noqa: PLC0415  dear, and only signed modules need it

    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None  # what only looks like a certificate in the kernel image


def _signature_state(signer: cms.SignerInfo, content: bytes, certificate: "x509.Certificate") -> SignatureState:
    """Verify with the key that the signature names; whatever goes wrong then, the module is rejected."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa  # noqa: PLC0415

    digest = getattr(hashes, signer.digest.upper().replace("-", "_"))()
    try:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and signer.algorithm == _RSA:
            key.verify(signer.signature, content, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and signer.algorithm != _RSA:
            key.verify(signer.signature, content, ec.ECDSA(digest))
        else:
            return SignatureState.REJECTED
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return SignatureState.REJECTED
    return SignatureState.TRUSTED


def _names(signer: cms.SignerInfo, certificate: "x509.Certificate") -> bool:
    """Tell whether a signature names this certificate: by issuer and serial number, or by subject key identifier."""
    if signer.serial is not None:
        serial = int.from_bytes(signer.serial, "big", signed=True)
        issuer = signer.issuer
        same_issuer = issuer is None or certificate.issuer.public_bytes().endswith(issuer)
        return serial == certificate.serial_number and same_issuer
    return signer.key_id is not None and signer.key_id == _key_id(certificate)


def _key_id(certificate: "x509.Certificate") -> bytes | None:
    from cryptography import x509  # noqa: PLC0415  dear, and only signed modules need it

    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return None
