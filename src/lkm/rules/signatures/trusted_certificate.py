"""Certificates in a kernel's keyrings, taken apart once: every signed module of a tree is held against the same few."""

import errno
from collections.abc import Iterable
from functools import lru_cache

from lkm.errors import FormatError
from lkm.rules.signatures.public_key import PublicKey, verify
from lkm.rules.signatures.x509_certificate import Certificate, CertificateRefused, parse

__all__ = ["NEWEST_EDITION", "Contradicted", "as_kept", "find", "self_check"]

NEWEST_EDITION = 3


@lru_cache(maxsize=256)
def as_kept(der: bytes, edition: int = NEWEST_EDITION, lacking: frozenset[str] = frozenset()) -> Certificate | None:
    """Read a certificate as a kernel does that is to keep it in a keyring (``x509_key_preparse``).

    :param der: the certificate, or what only looks like one in a kernel image
    :param edition: as for :func:`lkm.formats.oid_registry.numbers`
    :param lacking: as for :func:`lkm.rules.signatures.public_key.verify`
    :returns: None for what the kernel can't use
    """
    try:
        certificate = parse(der, edition)
    except (CertificateRefused, FormatError):
        return None
    code = self_check(certificate, lacking)
    return certificate if code in {0, errno.ENOPKG} else None


@lru_cache(maxsize=256)
def self_check(certificate: Certificate, lacking: frozenset[str] = frozenset()) -> int:
    """Check a certificate's own signature where it says that its own key made it (``x509_check_for_self_signed``).

    :returns: 0; ENOPKG where nobody can tell, which the kernel takes as well; else the errno that ends it
    """
    if certificate.names_itself is None:
        return errno.EKEYREJECTED
    if not certificate.names_itself:
        return 0
    key = PublicKey(certificate.key_algorithm, certificate.public_key)
    code = verify(key, certificate.algorithm, certificate.digest, certificate.signature, certificate.signed, lacking)
    # What the kernel could check and nobody here can is given the benefit of the doubt.
    return 0 if key.loaded is None and code != errno.ENOENT else code


class Contradicted(Exception):
    """The keyring has a certificate of the number and issuer that are sought, with another key identifier."""


def find(keyring: Iterable[Certificate], wanted: bytes | None, key_id: bytes | None = None) -> Certificate | None:
    """Find a certificate in a keyring (crypto/asymmetric_keys/asymmetric_type.c ``find_asymmetric_key``).

    :param wanted: serial number and issuer, or a key identifier where a message names its signer so
    :param key_id: which it must have too; where ``wanted`` is None, which it must have
    :raises Contradicted: the first that fits one does not fit the other
    """
    sought = key_id if wanted is None else wanted
    if sought is None:
        return None
    for certificate in keyring:
        if sought in (certificate.identifier, certificate.key_id):
            if wanted is not None and key_id is not None and key_id != certificate.key_id:
                raise Contradicted
            return certificate
    return None
