"""A PKCS#7 message as the kernel reads it, with the lines it prints on the way.

Source: crypto/asymmetric_keys/pkcs7.asn1 and pkcs7_parser.c (5.10 to 7.2).
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from lkm.errors import FormatError
from lkm.formats import cms_sign_file
from lkm.formats.ber import Ber, Element, dotted
from lkm.formats.cms import SignerInfo
from lkm.formats.oid_registry import numbers
from lkm.rules.pkcs7_algorithms import digests, is_known_algorithm
from lkm.rules.trusted_certificate import self_check
from lkm.rules.x509_certificate import Certificate, CertificateRefused
from lkm.rules.x509_certificate import parse as parse_certificate

__all__ = ["DATA", "Message", "parse"]

_LONGEST = 65535  # lib/asn1_decoder.c
_SHOWN_OID = 49  # pkcs7_note_OID prints into 50 bytes

_INTEGER, _OCTETS, _OID, _SEQUENCE, _SET = 0x02, 0x04, 0x06, 0x30, 0x31
_CONTEXT = 0xA0
_KEY_ID = 0x80
_SIGNED_DATA = "1.2.840.113549.1.7.2"
DATA = "1.2.840.113549.1.7.1"
"""What a module's message speaks for: any bytes."""
_AUTHENTICODE = "1.3.6.1.4.1.311.2.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SMIME_CAPABILITIES = "1.2.840.113549.1.9.15"
_OF_AUTHENTICODE = frozenset({"1.3.6.1.4.1.311.2.1.11", "1.3.6.1.4.1.311.2.1.12"})
_SINGLE = frozenset({_CONTENT_TYPE, _MESSAGE_DIGEST, _SMIME_CAPABILITIES, "1.2.840.113549.1.9.5", *_OF_AUTHENTICODE})


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
    :param lacking: as for :func:`lkm.rules.public_key.verify`
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
    except _Refused as refused:
        reader.message.errno = refused.errno
    return reader.message


@lru_cache(maxsize=16)
def _says_nothing_new(issuer: bytes, edition: int) -> bool:
    """Tell whether a kernel reads an issuer's name without a word, as it reads the rest of what sign-file writes."""
    reader = _Reader(edition)
    try:
        reader.name(Ber(issuer))
    except FormatError:
        return False
    return not reader.message.log


class _Refused(Exception):
    """An action of the grammar says no; it never leaves this file."""

    def __init__(self, code: int) -> None:
        self.errno = code


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
        self._numbers = numbers(edition)
        self._last = ""
        self._version = 0
        self._message_digest = b""

    # --- what is said -------------------------------------------------------------------------------------------------

    def _refuse(self, code: int, line: str) -> _Refused:
        self.message.log.append(line)
        return _Refused(code)

    def _note_oid(self, ber: Ber) -> Element:
        """``pkcs7_note_OID``."""
        element = ber.take(_OID)
        self._look_up(ber, element)
        return element

    def _look_up(self, ber: Ber, element: Element) -> None:
        self._last = dotted(ber.contents(element))
        if self._last not in self._numbers:
            self.message.log.append(f"PKCS7: Unknown OID: [{element.start}] {self._last[:_SHOWN_OID]}")

    def _number(self) -> int:
        return self._numbers.get(self._last, len(self._numbers))

    # --- the message --------------------------------------------------------------------------------------------------

    def read(self, ber: Ber) -> None:
        """Read a message."""
        outer = ber.inside(ber.take(_SEQUENCE))
        self._note_oid(outer)
        if self._last != _SIGNED_DATA:
            raise self._refuse(errno.EINVAL, "PKCS7: Only support pkcs7_signedData type")
        if outer.is_next(_CONTEXT):
            explicit = outer.inside(outer.take(_CONTEXT))
            self._signed_data(explicit.inside(explicit.take(_SEQUENCE)))
            explicit.finish()
        outer.finish()
        attributes = {signer.has_signed_attributes for signer in self.message.signers}
        if len(attributes) != 1:
            raise self._refuse(errno.EINVAL, "PKCS7: Inconsistently supplied authAttrs")

    def _signed_data(self, ber: Ber) -> None:
        version = ber.contents(ber.take(_INTEGER))
        if version not in {b"\x01", b"\x03"}:
            raise self._refuse(errno.EINVAL, "PKCS7: Unsupported SignedData version")
        self._version = version[0]
        algorithms = self._set_or_sequence(ber)
        for _ in algorithms.several():
            self._algorithm(algorithms)
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
            self._signer(signers.inside(signers.take(_SEQUENCE)))
        ber.finish()

    @staticmethod
    def _set_or_sequence(ber: Ber) -> Ber:
        return ber.inside(ber.take(_SET if ber.is_next(_SET) else _SEQUENCE))

    def _algorithm(self, ber: Ber) -> None:
        parts = ber.inside(ber.take(_SEQUENCE))
        self._note_oid(parts)
        if not parts.at_end:
            parts.take()
        parts.finish()

    def _content(self, ber: Ber) -> None:
        self._look_up(ber, self._note_oid(ber))  # the grammar names the action twice
        if ber.is_next(_CONTEXT):
            explicit = ber.inside(ber.take(_CONTEXT))
            explicit.take()
            explicit.finish()
            self.message.has_content = True
        ber.finish()
        if self._last not in {DATA, _AUTHENTICODE}:
            raise self._refuse(errno.EINVAL, f"PKCS7: Unsupported data type {self._number()}")
        self.message.content_type = self._last

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
            raise _Refused(code)
        return certificate

    # --- a signer -----------------------------------------------------------------------------------------------------

    def _signer(self, ber: Ber) -> None:
        self._signer_version(ber.contents(ber.take(_INTEGER)))
        issuer: bytes | None = None
        serial: bytes | None = None
        key_id: bytes | None = None
        if ber.is_next(_KEY_ID):
            key_id = ber.contents(ber.take(_KEY_ID))
        else:
            named = ber.inside(ber.take(_SEQUENCE))
            element = named.take(_SEQUENCE)
            self.name(named.inside(element))
            issuer, serial = named.contents(element), named.contents(named.take(_INTEGER))
            named.finish()
        self._algorithm(ber)
        digest = digests(self._edition).get(self._last)
        if digest is None:
            raise self._refuse(errno.ENOPKG, f"Unsupported digest algo: {self._number()}")
        begin = ber.place
        has_attributes = self._attributes(ber)
        attributes = bytes((_SET,)) + ber.data[begin + 1 : ber.place] if has_attributes else b""
        self._algorithm(ber)
        algorithm = self._last
        if not is_known_algorithm(algorithm, self._edition):
            raise self._refuse(errno.ENOPKG, f"Unsupported pkey algo: {self._number()}")
        signature = ber.contents(ber.take(_OCTETS))
        for tag in (_CONTEXT + 1, _CONTEXT + 3):
            if ber.is_next(tag):
                ber.take(tag)
        ber.finish()
        self.message.signers.append(
            SignerInfo(
                signer="",
                issuer=issuer,
                serial=serial,
                key_id=key_id,
                digest=digest,
                algorithm=algorithm,
                signature=signature,
                has_signed_attributes=has_attributes,
                signed_attributes=attributes,
                message_digest=self._message_digest,
            )
        )

    def _signer_version(self, version: bytes) -> None:
        if version not in {b"\x01", b"\x03"}:
            raise self._refuse(errno.EINVAL, "PKCS7: Unsupported SignerInfo version")
        if (version[0] == 1) != (self._version == 1):
            raise self._refuse(errno.EBADMSG, "PKCS7: SignedData-SignerInfo version mismatch")

    def name(self, ber: Ber) -> None:
        """Read the parts of a name, of which only the kinds count."""
        for _ in ber.several():
            part = ber.inside(ber.take(_SET))
            for _ in part.several():
                assertion = part.inside(part.take(_SEQUENCE))
                self._note_oid(assertion)
                assertion.take()
                assertion.finish()

    def _attributes(self, ber: Ber) -> bool:
        """Read the attributes that are signed; modules may have none, but they are read before that is noticed."""
        if ber.is_next(_CONTEXT):
            attributes = ber.inside(ber.take(_CONTEXT))
        elif ber.is_next(_CONTEXT + 2):
            explicit = ber.inside(ber.take(_CONTEXT + 2))
            attributes = explicit.inside(explicit.take(_SEQUENCE))
        else:
            return False
        seen: set[str] = set()
        for _ in attributes.several():
            attribute = attributes.inside(attributes.take(_SEQUENCE))
            self._note_oid(attribute)
            values = attribute.inside(attribute.take(_SET))
            for _ in values.several():
                self._attribute(values, seen)
            attribute.finish()
        if not {_CONTENT_TYPE, _MESSAGE_DIGEST} <= seen:
            raise self._refuse(errno.EBADMSG, "PKCS7: Missing required AuthAttr")
        return True

    def _attribute(self, values: Ber, seen: set[str]) -> None:
        """``pkcs7_sig_note_authenticated_attr``, for messages that are not Authenticode's."""
        kind = self._last
        if kind in seen and kind in _SINGLE:
            raise self._refuse(errno.EKEYREJECTED, "PKCS7: Repeated/multivalue AuthAttrs not permitted")
        seen.add(kind)
        value = values.take()
        if kind == _CONTENT_TYPE:
            self._same_content_type(dotted(values.contents(value)))
        elif kind == _MESSAGE_DIGEST:
            if value.tag != _OCTETS:
                raise _Refused(errno.EBADMSG)
            self._message_digest = values.contents(value)
        elif self.message.content_type != _AUTHENTICODE and kind == _SMIME_CAPABILITIES:
            raise self._refuse(errno.EKEYREJECTED, "PKCS7: S/MIME Caps only allowed with Authenticode")
        elif self.message.content_type != _AUTHENTICODE and kind in _OF_AUTHENTICODE:
            raise self._refuse(errno.EKEYREJECTED, "PKCS7: Authenticode AuthAttrs only allowed with Authenticode")

    def _same_content_type(self, stated: str) -> None:
        if stated != self.message.content_type:
            known, unknown = self._numbers, len(self._numbers)
            whole, own = known[self.message.content_type], known.get(stated, unknown)
            line = f"PKCS7: Mismatch between global data type ({whole}) and sinfo 0 ({own})"
            raise self._refuse(errno.EBADMSG, line)
