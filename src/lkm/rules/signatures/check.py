"""Checking a module's signature against the certificates that a kernel trusts."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import new as new_hash

from lkm.errors import FormatError
from lkm.formats.module_signature import KeyIdType, ModuleSignature, read
from lkm.rules.signatures import pkcs7_message
from lkm.rules.signatures.pkcs7_algorithms import key_algorithm_of
from lkm.rules.signatures.pkcs7_trust import Chain, Vouched, vouched
from lkm.rules.signatures.policy import SignatureState
from lkm.rules.signatures.public_key import ML_DSA
from lkm.rules.signatures.trust import Trust
from lkm.rules.signatures.x509_certificate import Certificate

__all__ = ["UNSIGNED", "WAIVED_ATTRIBUTES", "SignatureFinding", "check", "check_by"]

WAIVED_ATTRIBUTES = "PKCS7: Waived invalid module sig (has authattrs)"
"""Printed once per boot."""


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """What checking gave.

    :param log: the lines that the kernel prints for it
    :param digest: which the first signer names; empty where it does not come to that
    :param certificate: the trusted certificate that the signature names, DER, also where it does not fit
    :param by_platform: that one is in ``.platform``
    :param is_revoked: the certificate, or the module itself, is on the blacklist
    """

    state: SignatureState
    log: tuple[str, ...] = ()
    digest: str = field(default="", compare=False)
    certificate: bytes | None = field(default=None, compare=False, repr=False)
    by_platform: bool = field(default=False, compare=False)
    is_revoked: bool = field(default=False, compare=False)


UNSIGNED = SignatureFinding(SignatureState.UNSIGNED)


def check(contents: bytes, certificates: Sequence[bytes], *, edition: int = 1) -> SignatureFinding:
    """Check against certificates alone, as a kernel does that asks one keyring and revokes nothing.

    :param contents: the unpacked module file
    :param certificates: the trusted certificates, DER
    :param edition: of the kernel's registry of object identifiers, as in :class:`lkm.system.kernel_traits.KernelTraits`
    """
    return check_by(contents, Trust(tuple(certificates), edition=edition))


def check_by(contents: bytes, trust: Trust) -> SignatureFinding:
    """Check as the kernel does (kernel/module/signing.c ``mod_verify_sig``, kernel/module_signature.c, 5.10 to 7.2).

    :param contents: the unpacked module file
    """
    try:
        trailer = read(contents)
    except FormatError:
        return SignatureFinding(SignatureState.MALFORMED)
    if trailer is None:
        return UNSIGNED
    return _bad_trailer(trailer) or _by_keyrings(contents, trailer, trust)


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


def _by_keyrings(contents: bytes, trailer: ModuleSignature, trust: Trust) -> SignatureFinding:
    """Ask the keyrings one after the other; each time the message is read anew, and what it says is said again."""
    check = _Check(contents, trailer, trust)
    finding = check.against(trust.keyring, trust.revokes_all)
    if finding.state is SignatureState.UNKNOWN_KEY and trust.platform is not None:
        finding = check.against(trust.platform_keyring, True, by_platform=True)  # noqa: FBT003  as above
    if finding.state is SignatureState.TRUSTED and trust.revokes_modules and trust.revoked_hashes:
        return _unless_revoked(finding, contents, trust.revoked_hashes)
    return finding


def _unless_revoked(finding: SignatureFinding, contents: bytes, revoked: frozenset[str]) -> SignatureFinding:
    """``mod_is_hash_blacklisted``: the hash of the whole file, signature and all."""
    number = new_hash("sha256", contents).hexdigest()
    if f"bin:{number}" not in revoked:
        return finding
    log = (*finding.log, f"Module hash {number} is blacklisted")
    return SignatureFinding(
        SignatureState.REJECTED, log, finding.digest, finding.certificate, finding.by_platform, is_revoked=True
    )


class _Check:
    """``verify_pkcs7_signature`` for one module (certs/system_keyring.c, crypto/asymmetric_keys/pkcs7_verify.c)."""

    def __init__(self, contents: bytes, trailer: ModuleSignature, trust: Trust) -> None:
        self._trust = trust
        self._content = memoryview(contents)[: trailer.content_size]
        self._der = trailer.signature(contents)
        self._log: list[str] = []

    def against(
        self,
        keyring: Sequence[Certificate],
        looks_for_revoked: bool,  # noqa: FBT001  a trait
        *,
        by_platform: bool = False,
    ) -> SignatureFinding:
        """Hold the message against a keyring."""
        trust = self._trust
        message = pkcs7_message.parse(self._der, trust.edition, lacking=trust.lacking, revoked_as=trust.revoked_as)
        refusal = _refused_message(message, waives_attributes=trust.waives_attributes)
        if refusal is not None:
            return self._finding(message, refusal)
        chains = [Chain(signer, number, lacking=trust.lacking) for number, signer in enumerate(message.signers, 1)]
        code = _checked(chains, self._content, message, trust)
        if code:
            return self._finding(message, SignatureState.of_errno(code))
        if looks_for_revoked and trust.blacklist and not vouched(chains, self._content, trust.blacklist).errno:
            return self._finding(message, SignatureState.REJECTED, is_revoked=True)
        found = vouched(chains, self._content, keyring)
        return self._finding(message, SignatureState.of_errno(found.errno), found, by_platform=by_platform)

    def _finding(
        self,
        message: pkcs7_message.Message,
        state: SignatureState,
        found: Vouched | None = None,
        *,
        by_platform: bool = False,
        is_revoked: bool = False,
    ) -> SignatureFinding:
        self._log += message.log
        certificate = found.certificate if found else None
        return SignatureFinding(
            state,
            tuple(self._log),
            message.signers[0].digest if message.signers and not message.errno else "",
            certificate.der if certificate else None,
            by_platform,
            is_revoked,
        )


def _checked(chains: Sequence[Chain], content: memoryview, message: pkcs7_message.Message, trust: Trust) -> int:
    """``pkcs7_verify``: what the message itself tells."""
    code = errno.ENOPKG
    for chain in chains:
        found = chain.check(content, message.certificates, trust.revoked_as, message.log, trust.edition)
        if chain.is_revoked:
            code = errno.EKEYREJECTED if code == errno.ENOPKG else code
        elif found == errno.ENOPKG:
            chain.is_unsupported = True
        elif found:
            return found
        else:
            code = 0
    return code


def _refused_message(message: pkcs7_message.Message, *, waives_attributes: bool) -> SignatureState | None:
    """Refuse a message that can't be read, or is none for a module (``pkcs7_verify``)."""
    if message.errno:
        return SignatureState.of_errno(message.errno)
    if message.has_content:
        message.log += ["PKCS7: Data already supplied", "PKCS#7 signature with non-detached data"]
        return SignatureState.MALFORMED
    if message.content_type != pkcs7_message.DATA:
        message.log.append("PKCS7: Invalid module sig (not pkcs7-data)")
        return SignatureState.REJECTED
    if any(signer.has_signed_attributes for signer in message.signers):
        if waives_attributes and all(key_algorithm_of(s.algorithm).startswith(ML_DSA) for s in message.signers):
            message.log.append(WAIVED_ATTRIBUTES)
            return None
        message.log.append("PKCS7: Invalid module sig (has authattrs)")
        return SignatureState.REJECTED
    return None
