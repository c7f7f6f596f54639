"""One signature of a PKCS#7 message as the kernel reads it, with the lines it prints on the way.

Source: crypto/asymmetric_keys/pkcs7.asn1 and pkcs7_parser.c (5.10 to 7.2).
"""

import errno
from typing import NamedTuple

from lkm.formats.ber import Ber, dotted
from lkm.formats.cms import SignerInfo
from lkm.rules.signatures.pkcs7_algorithms import digests, is_known_algorithm
from lkm.rules.signatures.pkcs7_notes import Notes, Refused

__all__ = ["AUTHENTICODE", "read_signer"]

_INTEGER, _OCTETS, _SEQUENCE, _SET = 0x02, 0x04, 0x30, 0x31
_CONTEXT = 0xA0
_KEY_ID = 0x80
AUTHENTICODE = "1.3.6.1.4.1.311.2.1.4"
"""The type of contents that signed programs have, for which other attributes are good."""
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SMIME_CAPABILITIES = "1.2.840.113549.1.9.15"
_OF_AUTHENTICODE = frozenset({"1.3.6.1.4.1.311.2.1.11", "1.3.6.1.4.1.311.2.1.12"})
_SINGLE = frozenset({_CONTENT_TYPE, _MESSAGE_DIGEST, _SMIME_CAPABILITIES, "1.2.840.113549.1.9.5", *_OF_AUTHENTICODE})


class _Identity(NamedTuple):
    """What names the signer: issuer and serial number, or a key identifier."""

    issuer: bytes | None = None
    serial: bytes | None = None
    key_id: bytes | None = None


def read_signer(ber: Ber, notes: Notes, message_version: int, content_type: str) -> SignerInfo:
    """Read a SignerInfo.

    :param ber: its elements
    :param message_version: of the SignedData
    :param content_type: what the message speaks for
    :raises FormatError: it is none
    :raises Refused: the kernel does not take it
    """
    _check_version(ber.contents(ber.take(_INTEGER)), notes, message_version)
    identity = _identity(ber, notes)
    notes.take_algorithm(ber)
    digest = digests(notes.edition).get(notes.last)
    if digest is None:
        raise notes.refuse(errno.ENOPKG, f"Unsupported digest algo: {notes.number_of(notes.last)}")
    begin = ber.place
    message_digest = _Attributes(notes, content_type).read(ber)
    has_attributes = message_digest is not None
    attributes = bytes((_SET,)) + ber.data[begin + 1 : ber.place] if has_attributes else b""
    notes.take_algorithm(ber)
    algorithm = notes.last
    if not is_known_algorithm(algorithm, notes.edition):
        raise notes.refuse(errno.ENOPKG, f"Unsupported pkey algo: {notes.number_of(algorithm)}")
    signature = ber.contents(ber.take(_OCTETS))
    for tag in (_CONTEXT + 1, _CONTEXT + 3):
        if ber.is_next(tag):
            ber.take(tag)
    ber.finish()
    return SignerInfo(
        signer="",
        issuer=identity.issuer,
        serial=identity.serial,
        key_id=identity.key_id,
        digest=digest,
        algorithm=algorithm,
        signature=signature,
        has_signed_attributes=has_attributes,
        signed_attributes=attributes,
        message_digest=message_digest or b"",
    )


def _check_version(version: bytes, notes: Notes, message_version: int) -> None:
    if version not in {b"\x01", b"\x03"}:
        raise notes.refuse(errno.EINVAL, "PKCS7: Unsupported SignerInfo version")
    if (version[0] == 1) != (message_version == 1):
        raise notes.refuse(errno.EBADMSG, "PKCS7: SignedData-SignerInfo version mismatch")


def _identity(ber: Ber, notes: Notes) -> _Identity:
    if ber.is_next(_KEY_ID):
        return _Identity(key_id=ber.contents(ber.take(_KEY_ID)))
    named = ber.inside(ber.take(_SEQUENCE))
    element = named.take(_SEQUENCE)
    notes.read_name(named.inside(element))
    found = _Identity(named.contents(element), named.contents(named.take(_INTEGER)))
    named.finish()
    return found


class _Attributes:
    """Those that are signed; modules may have none, but they are read before that is noticed."""

    def __init__(self, notes: Notes, content_type: str) -> None:
        self._notes = notes
        self._content_type = content_type
        self._seen: set[str] = set()
        self._message_digest = b""

    def read(self, ber: Ber) -> bytes | None:
        """Read them, if there are any.

        :returns: the digest of the contents that they tell; None where there are none
        """
        if ber.is_next(_CONTEXT):
            attributes = ber.inside(ber.take(_CONTEXT))
        elif ber.is_next(_CONTEXT + 2):
            explicit = ber.inside(ber.take(_CONTEXT + 2))
            attributes = explicit.inside(explicit.take(_SEQUENCE))
        else:
            return None
        for _ in attributes.several():
            attribute = attributes.inside(attributes.take(_SEQUENCE))
            self._notes.take_oid(attribute)
            values = attribute.inside(attribute.take(_SET))
            for _ in values.several():
                self._note(values)
            attribute.finish()
        if not {_CONTENT_TYPE, _MESSAGE_DIGEST} <= self._seen:
            raise self._notes.refuse(errno.EBADMSG, "PKCS7: Missing required AuthAttr")
        return self._message_digest

    def _note(self, values: Ber) -> None:
        """``pkcs7_sig_note_authenticated_attr``, for messages that are not Authenticode's."""
        kind, refuse = self._notes.last, self._notes.refuse
        if kind in self._seen and kind in _SINGLE:
            raise refuse(errno.EKEYREJECTED, "PKCS7: Repeated/multivalue AuthAttrs not permitted")
        self._seen.add(kind)
        value = values.take()
        if kind == _CONTENT_TYPE:
            self._compare_content_type(dotted(values.contents(value)))
        elif kind == _MESSAGE_DIGEST:
            if value.tag != _OCTETS:
                raise Refused(errno.EBADMSG)
            self._message_digest = values.contents(value)
        elif self._content_type != AUTHENTICODE and kind == _SMIME_CAPABILITIES:
            raise refuse(errno.EKEYREJECTED, "PKCS7: S/MIME Caps only allowed with Authenticode")
        elif self._content_type != AUTHENTICODE and kind in _OF_AUTHENTICODE:
            raise refuse(errno.EKEYREJECTED, "PKCS7: Authenticode AuthAttrs only allowed with Authenticode")

    def _compare_content_type(self, stated: str) -> None:
        if stated != self._content_type:
            whole, own = self._notes.number_of(self._content_type), self._notes.number_of(stated)
            line = f"PKCS7: Mismatch between global data type ({whole}) and sinfo 0 ({own})"
            raise self._notes.refuse(errno.EBADMSG, line)
