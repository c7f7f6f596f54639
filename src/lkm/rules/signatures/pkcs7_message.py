"""A PKCS#7 message as the kernel reads it, with the lines it prints on the way.

Source: crypto/asymmetric_keys/pkcs7.asn1 and pkcs7_parser.c (5.10 to 7.2).
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from lkm.errors import FormatError
from lkm.formats import cms_sign_file
from lkm.formats.ber import Ber
from lkm.formats.cms import SignerInfo
from lkm.rules.signatures.pkcs7_notes import Notes, Refused
from lkm.rules.signatures.pkcs7_signer import AUTHENTICODE, read_signer
from lkm.rules.signatures.trusted_certificate import self_check
from lkm.rules.signatures.x509_certificate import Certificate, CertificateRefused
from lkm.rules.signatures.x509_certificate import parse as parse_certificate

__all__ = ["DATA", "Message", "parse"]

_LONGEST = 65535  # lib/asn1_decoder.c

_INTEGER, _SEQUENCE, _SET = 0x02, 0x30, 0x31
_CONTEXT = 0xA0
_SIGNED_DATA = "1.2.840.113549.1.7.2"
DATA = "1.2.840.113549.1.7.1"
"""What a module's message speaks for: any bytes."""


@dataclass
class Message:
    """What came of reading a message.

    :ivar errno: 0 where it could be read
    :ivar log: the lines that the kernel prints
    :ivar certificates: those inside, as far as the kernel can use them
    """

    errno: int = 0
    log: list[str] = field(default_factory=list)
    signers: list[SignerInfo] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    has_content: bool = False
    content_type: str = DATA


def parse(
    der: bytes,
    edition: int,
    *,
    lacking: frozenset[str] = frozenset(),
    revoked_as: Callable[[Certificate], str | None] | None = None,
) -> Message:
    """Read a message (``pkcs7_parse_message``). What stands behind it is left alone.

    :param edition: of the kernel's registry of object identifiers, as for :func:`lkm.formats.oid_registry.numbers`
    :param lacking: as for :func:`lkm.rules.signatures.public_key.verify`
    :param revoked_as: gives the hash by which a certificate is on the kernel's blacklist, or None
    """
    usual = cms_sign_file.read(der)
    if usual is not None and usual.issuer is not None and _says_nothing_new(usual.issuer, edition):
        return Message(signers=[usual])
    reader = _Reader(edition, lacking=lacking, revoked_as=revoked_as)
    if len(der) > _LONGEST:
        reader.message.errno = errno.EMSGSIZE
        return reader.message
    try:
        reader.read(Ber(der))
    except FormatError:
        reader.message.errno = errno.EBADMSG
    except CertificateRefused as refused:
        reader.message.log += refused.log
        reader.message.errno = refused.errno
    except Refused as refused:
        reader.message.errno = refused.errno
    return reader.message


@lru_cache(maxsize=16)
def _says_nothing_new(issuer: bytes, edition: int) -> bool:
    """Tell whether a kernel reads an issuer's name without a word, as it reads the rest of what sign-file writes."""
    log: list[str] = []
    try:
        Notes(edition, log).read_name(Ber(issuer))
    except FormatError:
        return False
    return not log


class _Reader:
    """The grammar's rules with their actions."""

    def __init__(
        self,
        edition: int,
        *,
        lacking: frozenset[str] = frozenset(),
        revoked_as: Callable[[Certificate], str | None] | None = None,
    ) -> None:
        self.message = Message()
        self._edition = edition
        self._lacking = lacking
        self._revoked_as = revoked_as
        self._notes = Notes(edition, self.message.log)
        self._version = 0

    def read(self, ber: Ber) -> None:
        """Read a message."""
        outer = ber.inside(ber.take(_SEQUENCE))
        self._notes.take_oid(outer)
        if self._notes.last != _SIGNED_DATA:
            raise self._notes.refuse(errno.EINVAL, "PKCS7: Only support pkcs7_signedData type")
        if outer.is_next(_CONTEXT):
            explicit = outer.inside(outer.take(_CONTEXT))
            self._signed_data(explicit.inside(explicit.take(_SEQUENCE)))
            explicit.finish()
        outer.finish()
        attributes = {signer.has_signed_attributes for signer in self.message.signers}
        if len(attributes) != 1:
            raise self._notes.refuse(errno.EINVAL, "PKCS7: Inconsistently supplied authAttrs")

    def _signed_data(self, ber: Ber) -> None:
        version = ber.contents(ber.take(_INTEGER))
        if version not in {b"\x01", b"\x03"}:
            raise self._notes.refuse(errno.EINVAL, "PKCS7: Unsupported SignedData version")
        self._version = version[0]
        algorithms = self._set_or_sequence(ber)
        for _ in algorithms.several():
            self._notes.take_algorithm(algorithms)
        self._content(ber.inside(ber.take(_SEQUENCE)))
        for several in self._choice(ber, (_CONTEXT, _CONTEXT + 2)):
            while not several.at_end:  # of a choice there may be none
                self.message.certificates.append(self._certificate(several))
        for several in self._choice(ber, (_CONTEXT + 1, _CONTEXT + 3)):
            for _ in several.several():
                revoking = several.inside(several.take(_SEQUENCE))
                for _ in revoking.several():
                    self._certificate(revoking)  # read as if it were one, and forgotten
        signers = self._set_or_sequence(ber)
        for _ in signers.several():
            signer = signers.inside(signers.take(_SEQUENCE))
            self.message.signers.append(read_signer(signer, self._notes, self._version, self.message.content_type))
        ber.finish()

    @staticmethod
    def _set_or_sequence(ber: Ber) -> Ber:
        return ber.inside(ber.take(_SET if ber.is_next(_SET) else _SEQUENCE))

    def _content(self, ber: Ber) -> None:
        self._notes.look_up(ber, self._notes.take_oid(ber))  # the grammar names the action twice
        if ber.is_next(_CONTEXT):
            explicit = ber.inside(ber.take(_CONTEXT))
            explicit.take()
            explicit.finish()
            self.message.has_content = True
        ber.finish()
        if self._notes.last not in {DATA, AUTHENTICODE}:
            raise self._notes.refuse(
                errno.EINVAL, f"PKCS7: Unsupported data type {self._notes.number_of(self._notes.last)}"
            )
        self.message.content_type = self._notes.last

    @staticmethod
    def _choice(ber: Ber, tags: tuple[int, int]) -> tuple[Ber, ...]:
        """Enter what may be there under one of two tags."""
        tag = next((tag for tag in tags if ber.is_next(tag)), None)
        return () if tag is None else (ber.inside(ber.take(tag)),)

    def _certificate(self, ber: Ber) -> Certificate:
        """``pkcs7_extract_cert`` and ``x509_cert_parse``."""
        begin = ber.place
        if ber.take().tag != _SEQUENCE:
            raise FormatError("no certificate", offset=begin)
        certificate = parse_certificate(ber.data[begin : ber.place], self._edition)
        number = self._revoked_as(certificate) if self._revoked_as else None
        if number is not None:
            self.message.log.append(f"X.509: Cert {number} is blacklisted")
        code = self_check(certificate, self._lacking)
        if code not in {0, errno.ENOPKG}:
            raise Refused(code)
        return certificate
