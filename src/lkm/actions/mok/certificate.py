"""A certificate that is to be a machine owner's key, and whether a kernel can use it."""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime

from lkm.errors import FormatError, LkmError, UsageError
from lkm.formats.certificate import CertificateFacts, describe

__all__ = ["MokCertificate", "read_mok_certificate"]


@dataclass(frozen=True, slots=True)
class MokCertificate:
    """A certificate.

    :param path: of the host, as the user named it
    :param der: all of it
    :param is_der: the file holds just that
    :param notes: what to know of it, sentences
    """

    path: str
    der: bytes
    is_der: bool
    facts: CertificateFacts
    notes: tuple[str, ...]

    @property
    def sha1(self) -> str:
        """The fingerprint that MokManager shows: 20 pairs of digits."""
        return hashlib.sha1(self.der, usedforsecurity=False).digest().hex(" ")


def read_mok_certificate(path: str) -> MokCertificate:
    """Read a certificate, PEM or DER, and see that kernels can verify modules with its key.

    :param path: of the host
    :raises Unreadable: it can't be read
    :raises FormatError: it holds no certificate
    :raises UsageError: it holds several, or no kernel can use it
    """
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415  dear

    from lkm.actions.certificate_files import read_certificates  # noqa: PLC0415  (as above)
    from lkm.rules.signatures.signing_key import algorithm_of, oddities  # noqa: PLC0415

    if not path:
        raise UsageError("the path of the certificate is empty")
    whole = os.path.abspath(path)  # noqa: PTH100  pathlib is dear at start-up
    try:
        found = read_certificates(whole)
    except LkmError as error:
        error.where = path
        raise
    if len(found) > 1:
        raise UsageError(
            f"holds {len(found)} certificates, where one should be", where=path, hint="put each into a file of its own"
        )
    try:
        algorithm_of(found[0])
    except UsageError as error:
        error.where = path
        raise
    der = found[0].public_bytes(Encoding.DER)
    facts = describe(der)
    if facts is None:
        raise FormatError("is no certificate that can be read", where=path)
    return MokCertificate(path, der, _holds_just(whole, der), facts, oddities(facts, datetime.now(UTC)))


def _holds_just(path: str, der: bytes) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(len(der) + 1) == der
    except OSError:
        return False
