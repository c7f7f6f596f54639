"""Whether the certificates inside of a signature hold together, and whether a keyring vouches for one of them.

Source: crypto/asymmetric_keys/pkcs7_verify.c and pkcs7_trust.c (5.10 to 7.2).
"""

import contextlib
import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import new as new_hash

from lkm.formats.cms import SignerInfo
from lkm.rules.signatures.pkcs7_algorithms import key_algorithm_of
from lkm.rules.signatures.public_key import DIGESTS, PublicKey, verify
from lkm.rules.signatures.trusted_certificate import Contradicted, find
from lkm.rules.signatures.x509_certificate import Certificate

__all__ = ["Chain", "Vouched", "identifier_of", "vouched"]

RevokedAs = Callable[[Certificate], str | None]


def identifier_of(signer: SignerInfo) -> bytes:
    """Give what a message names its signer by (``pkcs7_note_signed_info``)."""
    if signer.serial is not None:
        return signer.serial + (signer.issuer or b"")
    return signer.key_id or b""


@dataclass
class Chain:
    """A signature of a message, and the certificates inside that lead on from it.

    :param number: of the signature in the message, counted from 1
    :param lacking: as for :func:`lkm.rules.signatures.public_key.verify`
    :ivar links: the signer's certificate, and those that signed the one before
    :ivar is_rooted: the last of them signed itself
    :ivar is_unsupported: the digest, or the key's algorithm, is none that the kernel can compute
    :ivar is_revoked: one of the certificates is on the blacklist
    """

    signer: SignerInfo
    number: int
    links: list[Certificate] = field(default_factory=list)
    lacking: frozenset[str] = frozenset()
    is_rooted: bool = False
    is_unsupported: bool = False
    is_revoked: bool = False

    def check(
        self,
        content: memoryview,
        certificates: Sequence[Certificate],
        revoked_as: RevokedAs,
        log: list[str],
        edition: int,
    ) -> int:
        """Check the signature and the chain as far as the message's own certificates go (``pkcs7_verify_one``).

        :param certificates: those of the message
        :param revoked_as: gives the hash by which a certificate is on the blacklist, or None
        :param log: gets the lines that the kernel prints
        :param edition: as for :func:`lkm.formats.oid_registry.numbers`
        :returns: 0 or an errno
        """
        needs_digest = self.signer.has_signed_attributes or not self.takes_data
        if needs_digest and self.signer.digest not in DIGESTS:
            return errno.ENOPKG
        code = self._compare_digests(content, log)
        if code:
            return code
        own = self._own(certificates, log, edition)
        if own is None:
            return 0
        code = self.verify(own, content)
        return code or self._climb(own, certificates, revoked_as, log)

    @property
    def takes_data(self) -> bool:
        """Whether the algorithm computes its own digest."""
        return key_algorithm_of(self.signer.algorithm).startswith("mldsa")

    def verify(self, certificate: Certificate, content: memoryview) -> int:
        """Verify the signature itself with a certificate's key."""
        key = PublicKey(certificate.key_algorithm, certificate.public_key)
        signer = self.signer
        signed = signer.signed_attributes if signer.has_signed_attributes else content
        return verify(key, key_algorithm_of(signer.algorithm), signer.digest, signer.signature, signed, self.lacking)

    def signed_by(self, certificate: Certificate, above: Certificate) -> int:
        """Verify a certificate's own signature with the key of another."""
        key = PublicKey(above.key_algorithm, above.public_key)
        kind = (certificate.algorithm, certificate.digest)
        return verify(key, *kind, certificate.signature, certificate.signed, self.lacking)

    def _compare_digests(self, content: memoryview, log: list[str]) -> int:
        """Hold what signed attributes say of the contents against them (``pkcs7_digest``)."""
        if not self.signer.has_signed_attributes:
            return 0
        actual = new_hash(self.signer.digest.replace("-", "_"), content).digest()
        told = self.signer.message_digest
        if len(told) != len(actual):
            log.append(f"PKCS7: Sig {self.number}: Invalid digest size ({len(told)})")
            return errno.EBADMSG
        if told != actual:
            log.append(f"PKCS7: Sig {self.number}: Message digest doesn't match")
            return errno.EKEYREJECTED
        return 0

    def _own(self, certificates: Sequence[Certificate], log: list[str], edition: int) -> Certificate | None:
        """``pkcs7_find_key``."""
        for certificate in certificates:
            if certificate.identifier != identifier_of(self.signer):
                continue
            if edition == 0 and certificate.key_algorithm != key_algorithm_of(self.signer.algorithm):
                log.append(f"PKCS7: Sig {self.number}: X.509 algo and PKCS#7 sig algo don't match")
                continue
            return certificate
        return None

    def _climb(
        self, own: Certificate, certificates: Sequence[Certificate], revoked_as: RevokedAs, log: list[str]
    ) -> int:
        """``pkcs7_verify_sig_chain``."""
        self.links.append(own)
        while True:
            lowest = self.links[-1]
            if revoked_as(lowest) is not None:
                self.is_revoked = True
                return 0
            if lowest.names_itself and lowest.digest in {*DIGESTS, "none"}:
                self.is_rooted = True
                return 0
            try:
                above = self._above(lowest, certificates)
            except Contradicted:
                upper = find(certificates, lowest.authority)
                below, place = certificates.index(lowest) + 1, certificates.index(upper) + 1 if upper else 0
                log.append(f"PKCS7: Sig {self.number}: X.509 chain contains auth-skid nonmatch ({below}->{place})")
                return errno.EKEYREJECTED
            if above is None:
                return 0
            if above in self.links:
                log.append(f"PKCS7: Sig {self.number}: X.509 chain contains loop")
                return 0
            code = self.signed_by(lowest, above)
            if code:
                return code
            self.links.append(above)

    @staticmethod
    def _above(certificate: Certificate, certificates: Sequence[Certificate]) -> Certificate | None:
        """Find the one that signed another: by number and issuer, or where those are not told by key identifier."""
        if certificate.authority is None:
            return next((c for c in certificates if c.key_id and c.key_id == certificate.authority_key_id), None)
        found = next((c for c in certificates if c.identifier == certificate.authority), None)
        if found is not None and certificate.authority_key_id not in {None, found.key_id}:
            raise Contradicted
        return found


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a keyring says of a message.

    :param errno: 0 where it vouches for it
    :param certificate: the one of the keyring that was found, whether or not it fits
    """

    errno: int
    certificate: Certificate | None = None


def vouched(chains: Sequence[Chain], content: memoryview, keyring: Sequence[Certificate]) -> Vouched:
    """Hold a message against a keyring (``pkcs7_validate_trust``): one bad signature by a known key spoils all."""
    best = Vouched(errno.ENOKEY)
    verified: set[Certificate] = set()
    seen: set[Certificate] = set()
    for chain in chains:
        found = _vouched_one(chain, content, keyring, verified, seen)
        if found.errno in {0, errno.ENOKEY, errno.ENOPKG}:
            rank = {errno.ENOKEY: 0, errno.ENOPKG: 1, 0: 2}
            best = found if rank[found.errno] > rank[best.errno] else best
        else:
            return found
    return best


def _vouched_one(
    chain: Chain,
    content: memoryview,
    keyring: Sequence[Certificate],
    verified: set[Certificate],
    seen: set[Certificate],
) -> Vouched:
    """``pkcs7_validate_trust_one``."""
    if chain.is_unsupported:
        return Vouched(errno.ENOPKG)
    for place, certificate in enumerate(chain.links):
        if certificate in seen:
            return Vouched(0 if certificate in verified else errno.ENOKEY)
        seen.add(certificate)
        known = None
        with contextlib.suppress(Contradicted):
            known = find(keyring, certificate.identifier, certificate.key_id)
        if known is not None:
            code = chain.verify(known, content) if place == 0 else chain.signed_by(chain.links[place - 1], known)
            return _matched(code, known, chain.links[: place + 1], verified)
        if certificate is chain.links[-1] and chain.is_rooted:
            return Vouched(errno.ENOKEY)
    if chain.links:
        last = chain.links[-1]
        try:
            known = find(keyring, last.authority, last.authority_key_id)
        except Contradicted:
            return Vouched(errno.EKEYREJECTED)
        if known is not None:
            return _matched(chain.signed_by(last, known), known, chain.links, verified)
    known = find(keyring, identifier_of(chain.signer))
    if known is None:
        return Vouched(errno.ENOKEY)
    return _matched(chain.verify(known, content), known, (), verified)


def _matched(code: int, known: Certificate, links: Sequence[Certificate], verified: set[Certificate]) -> Vouched:
    if code:
        return Vouched(errno.EKEYREJECTED, known)
    verified.update(links)
    return Vouched(0, known)
