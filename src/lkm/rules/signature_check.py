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


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """What checking gave.

    :param log: the lines that the kernel prints for it
    """

    state: SignatureState
    log: tuple[str, ...] = ()


UNSIGNED = SignatureFinding(SignatureState.UNSIGNED)


def check(contents: bytes, certificates: Sequence[bytes]) -> SignatureFinding:
    """Check as the kernel does (kernel/module/signing.c ``mod_verify_sig``, kernel/module_signature.c, 6.1).

    :param contents: the unpacked module file
    :param certificates: the trusted certificates, DER
    """
    try:
        trailer = read(contents)
        if trailer is None:
            return UNSIGNED
        return _bad_trailer(trailer) or SignatureFinding(_verified(contents, trailer, certificates))
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


def _verified(contents: bytes, trailer: ModuleSignature, certificates: Sequence[bytes]) -> SignatureState:
    message = cms.parse(trailer.signature(contents))
    if message.has_content:
        return SignatureState.MALFORMED
    if any(signer.has_signed_attributes for signer in message.signers):
        return SignatureState.REJECTED
    content = memoryview(contents)[: trailer.content_size]
    states = [_signer_state(signer, content, certificates) for signer in message.signers]
    for state in (SignatureState.TRUSTED, SignatureState.REJECTED, SignatureState.UNSUPPORTED):
        if state in states:
            return state
    return SignatureState.UNKNOWN_KEY


def _signer_state(signer: cms.SignerInfo, content: memoryview, certificates: Sequence[bytes]) -> SignatureState:
    from cryptography import x509  # noqa: PLC0415  dear, and only signed modules need it
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa  # noqa: PLC0415

    digest = getattr(hashes, signer.digest.upper().replace("-", "_"), None)
    if digest is None:
        return SignatureState.UNSUPPORTED
    for der in certificates:
        try:
            certificate = x509.load_der_x509_certificate(der)
            if not _names(signer, certificate):
                continue
            key = certificate.public_key()
            if isinstance(key, rsa.RSAPublicKey) and signer.algorithm == _RSA:
                key.verify(signer.signature, bytes(content), padding.PKCS1v15(), digest())
            elif isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signer.signature, bytes(content), ec.ECDSA(digest()))
            else:
                return SignatureState.UNSUPPORTED
        except InvalidSignature:
            return SignatureState.REJECTED
        except (UnsupportedAlgorithm, ValueError):
            continue
        return SignatureState.TRUSTED
    return SignatureState.UNKNOWN_KEY


def _names(signer: cms.SignerInfo, certificate: "x509.Certificate") -> bool:
    """Tell whether a signature names this certificate: by issuer and serial number, or by subject key identifier."""
    if signer.serial is not None:
        serial = int.from_bytes(signer.serial, "big", signed=True)
        issuer = signer.issuer
        return serial == certificate.serial_number and (issuer is None or issuer in certificate.issuer.public_bytes())
    return signer.key_id is not None and signer.key_id == _key_id(certificate)


def _key_id(certificate: "x509.Certificate") -> bytes | None:
    from cryptography import x509  # noqa: PLC0415  dear, and only signed modules need it

    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return None
