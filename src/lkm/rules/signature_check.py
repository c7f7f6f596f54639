"""Checking a module's signature against the certificates that a kernel trusts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lkm.errors import FormatError
from lkm.formats.cms import SignerInfo
from lkm.formats.module_signature import KeyIdType, ModuleSignature, read
from lkm.rules import pkcs7_message
from lkm.rules.pkcs7_algorithms import RSA
from lkm.rules.signature_policy import SignatureState
from lkm.rules.trusted_certificate import TrustedCertificate, read_certificate

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

__all__ = ["UNSIGNED", "SignatureFinding", "check"]

# What every kernel can compute; others depend on its configuration, and on what it can load meanwhile.
_DIGESTS = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"})


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """What checking gave.

    :param log: the lines that the kernel prints for it
    :param digest: which the first signer names; empty where it does not come to that
    """

    state: SignatureState
    log: tuple[str, ...] = ()
    digest: str = field(default="", compare=False)


UNSIGNED = SignatureFinding(SignatureState.UNSIGNED)


def check(contents: bytes, certificates: Sequence[bytes], *, edition: int = 1) -> SignatureFinding:
    """Check as the kernel does (kernel/module/signing.c ``mod_verify_sig``, kernel/module_signature.c, 6.1).

    :param contents: the unpacked module file
    :param certificates: the trusted certificates, DER
    :param edition: of the kernel's registry of object identifiers, as in :class:`lkm.system.kernel_traits.KernelTraits`
    """
    try:
        trailer = read(contents)
    except FormatError:
        return SignatureFinding(SignatureState.MALFORMED)
    if trailer is None:
        return UNSIGNED
    return _bad_trailer(trailer) or _verified(contents, trailer, certificates, edition)


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
    contents: bytes, trailer: ModuleSignature, certificates: Sequence[bytes], edition: int
) -> SignatureFinding:
    """``verify_pkcs7_signature`` (certs/system_keyring.c, crypto/asymmetric_keys/pkcs7_verify.c, 6.1)."""
    message = pkcs7_message.parse(trailer.signature(contents), edition)
    refusal = _refused_message(message)
    if refusal is not None:
        return SignatureFinding(refusal, tuple(message.log))
    content = memoryview(contents)[: trailer.content_size]
    states = [_signer_state(signer, content, message.certificates, certificates) for signer in message.signers]
    digest = message.signers[0].digest
    # One bad signature by a known key is worse than a good one beside it (pkcs7_validate_trust).
    for state in (SignatureState.REJECTED, SignatureState.TRUSTED, SignatureState.UNSUPPORTED):
        if state in states:
            return SignatureFinding(state, tuple(message.log), digest)
    return SignatureFinding(SignatureState.UNKNOWN_KEY, tuple(message.log), digest)


def _refused_message(message: pkcs7_message.Message) -> SignatureState | None:
    """Refuse a message that can't be read, or is none for a module (``pkcs7_verify``)."""
    if message.errno:
        return SignatureState(message.errno)
    if message.has_content:
        message.log += ["PKCS7: Data already supplied", "PKCS#7 signature with non-detached data"]
        return SignatureState.MALFORMED
    if message.content_type != pkcs7_message.DATA:
        message.log.append("PKCS7: Invalid module sig (not pkcs7-data)")
        return SignatureState.REJECTED
    if any(signer.has_signed_attributes for signer in message.signers):
        message.log.append("PKCS7: Invalid module sig (has authattrs)")
        return SignatureState.REJECTED
    return None


def _signer_state(
    signer: SignerInfo, content: memoryview, included: Sequence[bytes], certificates: Sequence[bytes]
) -> SignatureState:
    if signer.digest not in _DIGESTS:
        return SignatureState.UNSUPPORTED
    own = _named(signer, included)
    if own is not None and _signature_state(signer, content, own) is SignatureState.REJECTED:
        return SignatureState.REJECTED  # pkcs7_verify_one, whoever is trusted
    trusted = _named(signer, certificates)
    return SignatureState.UNKNOWN_KEY if trusted is None else _signature_state(signer, content, trusted)


def _named(signer: SignerInfo, certificates: Sequence[bytes]) -> TrustedCertificate | None:
    """Find the certificate that a signature names."""
    for der in certificates:
        certificate = read_certificate(der)
        if certificate is not None and certificate.is_named_by(signer):
            return certificate
    return None


def _signature_state(signer: SignerInfo, content: memoryview, trusted: TrustedCertificate) -> SignatureState:
    """Verify with the key that the signature names; whatever goes wrong then, the module is rejected."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415  dear

    key = trusted.key
    try:
        if signer.algorithm == RSA:
            return _rsa_state(signer, content, key)
        return _curve_state(signer, content, key)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return SignatureState.REJECTED


def _rsa_state(signer: SignerInfo, content: memoryview, key: object) -> SignatureState:
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415  as above

    if not isinstance(key, rsa.RSAPublicKey):
        return SignatureState.REJECTED
    # Any buffer will do, whatever the stubs say, and a copy of each module of a tree is dear.
    key.verify(signer.signature, content, padding.PKCS1v15(), _digest(signer.digest))  # type: ignore[arg-type]
    return SignatureState.TRUSTED


def _curve_state(signer: SignerInfo, content: memoryview, key: object) -> SignatureState:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  as above

    if not isinstance(key, ec.EllipticCurvePublicKey):
        return SignatureState.REJECTED
    key.verify(signer.signature, content, ec.ECDSA(_digest(signer.digest)))
    return SignatureState.TRUSTED


@lru_cache(maxsize=16)
def _digest(name: str) -> "HashAlgorithm":
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  as above

    algorithm: HashAlgorithm = getattr(hashes, name.upper().replace("-", "_"))()
    return algorithm
