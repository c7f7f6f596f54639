"""An X.509 certificate as the kernel reads it: those in its keyrings, and those inside of signatures.

Source: crypto/asymmetric_keys/x509.asn1, x509_akid.asn1 and x509_cert_parser.c (5.10 to 7.2).
"""

import errno
from dataclasses import dataclass

from lkm.formats.ber import Ber, Element, dotted
from lkm.formats.oid_registry import numbers
from lkm.rules.signatures import x509_algorithms
from lkm.rules.signatures.x509_time import is_time

__all__ = ["Certificate", "CertificateRefused", "parse"]

_BOOLEAN, _INTEGER, _BITS, _OCTETS, _OID, _SEQUENCE, _SET = 0x01, 0x02, 0x03, 0x04, 0x06, 0x30, 0x31
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_CONTEXT = 0xA0
_VERSION, _EXTENSIONS, _UNIQUE_IDS = _CONTEXT, _CONTEXT + 3, (0x81, 0x82)
_KEY_ID, _KEY_USAGE, _AUTHORITY, _CONSTRAINTS = "2.5.29.14", "2.5.29.15", "2.5.29.35", "2.5.29.19"
_DIRECTORY_NAME = 4


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the kernel keeps of a certificate.

    :param der: all of it
    :param serial: the serial number's bytes as they stand
    :param issuer: the issuer's Name without its header
    :param subject: the subject's Name without its header
    :param key_id: the subject key identifier, or None
    :param authority: serial number and issuer of the certificate that signed this one, as :attr:`identifier`, or None
    :param authority_key_id: the subject key identifier of that one, or None
    :param signed: what the certificate's own signature speaks for
    :param digest: of that signature; ``none`` where the algorithm needs none
    :param algorithm: of that signature: ``rsa``, ``ecdsa``, ``mldsa65`` …
    :param signature: that signature
    :param key_algorithm: of the key: ``rsa``, ``ecdsa-nist-p256``, ``mldsa65`` …
    :param public_key: SubjectPublicKeyInfo in DER
    """

    der: bytes
    serial: bytes
    issuer: bytes
    subject: bytes
    key_id: bytes | None
    authority: bytes | None
    authority_key_id: bytes | None
    signed: bytes
    digest: str
    algorithm: str
    signature: bytes
    key_algorithm: str
    public_key: bytes

    @property
    def identifier(self) -> bytes:
        """Serial number and issuer, by which signatures name it (``asymmetric_key_generate_id``)."""
        return self.serial + self.issuer

    @property
    def names_itself(self) -> bool | None:
        """Whether it says that its own key signed it (``x509_check_for_self_signed``); None for a contradiction."""
        if self.subject != self.issuer:
            return False
        if self.authority is None and self.authority_key_id is None:
            return True
        by_key = self.key_id is not None and self.key_id == self.authority_key_id
        by_number = self.identifier == self.authority
        if not (by_key or by_number):
            return False
        stated = self.authority is not None and self.authority_key_id is not None
        return None if stated and by_key != by_number else True


class CertificateRefused(Exception):
    """The kernel can't use a certificate; for those who read one.

    :ivar errno: what the kernel's parser answers
    :ivar log: the lines that it prints
    """

    def __init__(self, code: int, *log: str) -> None:
        self.errno = code
        self.log = log


def parse(der: bytes, edition: int) -> Certificate:
    """Read a certificate (``x509_cert_parse`` but for the check of a certificate's own signature).

    :param der: the certificate; what stands behind it is left alone
    :param edition: of the kernel's registry of object identifiers, as for :func:`lkm.formats.oid_registry.numbers`
    :raises CertificateRefused: the kernel would not take it
    :raises FormatError: likewise, with EBADMSG and without a word
    """
    return _Reader(der, edition).read()


class _Reader:
    """The grammar's rules with their actions."""

    def __init__(self, der: bytes, edition: int) -> None:
        self._der = der
        self._edition = edition
        self._key_id: bytes | None = None
        self._authority: bytes | None = None
        self._authority_key_id: bytes | None = None

    def read(self) -> Certificate:
        """Read the certificate."""
        outer = Ber(self._der)
        whole = outer.inside(outer.take(_SEQUENCE))
        begin = whole.place
        part = whole.inside(whole.take(_SEQUENCE))
        signed = self._der[begin : whole.place]
        if part.is_next(_VERSION):
            version = part.inside(part.take(_VERSION))
            version.take(_INTEGER)
            version.finish()
        serial = part.contents(part.take(_INTEGER))
        stated, _ = self._algorithm(part)
        kind = self._signature_kind(stated)
        issuer = self._name(part)
        self._validity(part.inside(part.take(_SEQUENCE)))
        subject = self._name(part)
        begin = part.place
        key_algorithm = self._key(part.inside(part.take(_SEQUENCE)))
        public_key = self._der[begin : part.place]
        self._rest(part)
        again, _ = self._algorithm(whole)
        bits = whole.contents(whole.take(_BITS))
        whole.finish()
        self._compare(stated, again)
        return Certificate(
            der=self._der,
            serial=serial,
            issuer=issuer,
            subject=subject,
            key_id=self._key_id,
            authority=self._authority,
            authority_key_id=self._authority_key_id,
            signed=signed,
            digest=kind.digest,
            algorithm=kind.algorithm,
            signature=_whole_bytes(bits),
            key_algorithm=key_algorithm,
            public_key=public_key,
        )

    def _algorithm(self, ber: Ber) -> tuple[str, bytes]:
        """Read an AlgorithmIdentifier: (object identifier, its parameters)."""
        parts = ber.inside(ber.take(_SEQUENCE))
        oid = dotted(parts.contents(parts.take(_OID)))
        begin = parts.place
        if not parts.at_end:
            parts.take()
        parts.finish()
        return oid, self._der[begin : parts.place]

    def _signature_kind(self, oid: str) -> x509_algorithms.SignatureKind:
        """``x509_note_sig_algo``, up to 5.10 ``x509_note_pkey_algo``."""
        kind = x509_algorithms.signature_kind(oid, self._edition)
        if kind is None:
            raise CertificateRefused(errno.ENOPKG)
        return kind

    def _compare(self, stated: str, again: str) -> None:
        """``x509_note_signature``."""
        if stated == again:
            return
        known = numbers(self._edition)
        inner, outer = known.get(stated, len(known)), known.get(again, len(known))
        line = f"signatureAlgorithm ({outer}) differs from tbsCertificate.signature ({inner})"
        if self._edition == 0:
            line = f"Got cert with pkey ({inner}) and sig ({outer}) algorithm OIDs"
        raise CertificateRefused(errno.EINVAL, f"X.509: {line}")

    def _name(self, ber: Ber) -> bytes:
        element = ber.take(_SEQUENCE)
        parts = ber.inside(element)
        for _ in parts.several():
            assertions = parts.inside(parts.take(_SET))
            for _ in assertions.several():
                assertion = assertions.inside(assertions.take(_SEQUENCE))
                assertion.take(_OID)
                assertion.take()
                assertion.finish()
        return ber.contents(element)

    @staticmethod
    def _validity(ber: Ber) -> None:
        """``x509_decode_time``; nobody looks at the times later, for the clock may be wrong."""
        for _ in range(2):
            is_short = ber.is_next(_UTC_TIME)
            text = ber.contents(ber.take(_UTC_TIME if is_short else _GENERALIZED_TIME))
            if not is_time(text, is_short=is_short):
                raise CertificateRefused(errno.EBADMSG)
        ber.finish()

    def _key(self, ber: Ber) -> str:
        """``x509_extract_key_data``."""
        oid, parameters = self._algorithm(ber)
        bits = ber.contents(ber.take(_BITS))
        ber.finish()
        found = x509_algorithms.key_algorithm(oid, _curve(parameters), self._edition)
        if found is None:
            raise CertificateRefused(errno.ENOPKG)
        _whole_bytes(bits)
        return found

    def _rest(self, ber: Ber) -> None:
        for tag in _UNIQUE_IDS:
            if ber.is_next(tag):
                ber.take(tag)
        if ber.is_next(_EXTENSIONS):
            explicit = ber.inside(ber.take(_EXTENSIONS))
            several = explicit.inside(explicit.take(_SEQUENCE))
            explicit.finish()
            for _ in several.several():
                self._extension(several.inside(several.take(_SEQUENCE)))
        ber.finish()

    def _extension(self, ber: Ber) -> None:
        """``x509_process_extension``."""
        oid = dotted(ber.contents(ber.take(_OID)))
        if ber.is_next(_BOOLEAN):
            ber.take(_BOOLEAN)
        element = ber.take(_OCTETS)
        value = ber.contents(element)
        ber.finish()
        if oid == _KEY_ID:
            if self._key_id is not None or len(value) < 3 or value[0] != _OCTETS or value[1] != len(value) - 2:
                raise CertificateRefused(errno.EBADMSG)
            self._key_id = value[2:]
        elif oid == _AUTHORITY:
            self._note_authority(element)
        elif self._edition > 1 and not _is_sound(oid, value):
            raise CertificateRefused(errno.EBADMSG)

    def _note_authority(self, element: Element) -> None:
        """Read an AuthorityKeyIdentifier (x509_akid.asn1)."""
        ber = Ber(self._der[: element.end])
        ber.place = element.start
        issuer: bytes | None = None
        parts = ber.inside(ber.take(_SEQUENCE))
        if parts.is_next(0x80):
            self._authority_key_id = parts.contents(parts.take(0x80))
        if parts.is_next(_CONTEXT + 1):
            names = parts.inside(parts.take(_CONTEXT + 1))
            for _ in names.several():
                if names.is_next(_CONTEXT + _DIRECTORY_NAME):
                    explicit = names.inside(names.take(_CONTEXT + _DIRECTORY_NAME))
                    issuer = self._name(explicit)
                    explicit.finish()
                else:
                    names.take()
        if parts.is_next(0x82):
            serial = parts.contents(parts.take(0x82))
            if issuer is not None:
                self._authority = serial + issuer
        parts.finish()


def _whole_bytes(bits: bytes) -> bytes:
    if bits[:1] != b"\0":
        raise CertificateRefused(errno.EBADMSG)
    return bits[1:]


def _curve(parameters: bytes) -> str:
    """``parse_OID`` (lib/oid_registry.c)."""
    if len(parameters) < 2 or parameters[0] != _OID or parameters[1] != len(parameters) - 2:
        return ""
    return dotted(parameters[2:])


def _is_sound(oid: str, value: bytes) -> bool:
    """Look at key usage and basic constraints, as kernels do since 6.4 or so."""
    if oid == _KEY_USAGE:
        return len(value) >= 4 and value[0] == _BITS and value[2] < 8
    if oid == _CONSTRAINTS:
        if len(value) < 2 or value[0] != _SEQUENCE or value[1] != len(value) - 2:
            return False
        return value[1] == 0 or value[2:5] == b"\x01\x01\xff"
    return True
