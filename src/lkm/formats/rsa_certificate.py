"""The one form of certificate that signers of modules have, told apart without a decoder of ASN.1.

X.509 version 3, an RSA key, names of texts, and no extensions but those that a kernel's build gives its own key
(certs/default_x509.genkey) and certificate authorities theirs. Whatever differs is for a library.
"""

from typing import NamedTuple

from lkm.formats.plain_der import INTEGER, OCTETS, OID, RSA_ENCRYPTION, SEQUENCE, Elements, OtherForm, name_parts

__all__ = ["RsaCertificate", "read"]

_BITS, _BOOLEAN, _UTC_TIME, _GENERALIZED_TIME, _EXTENSIONS = 0x03, 0x01, 0x17, 0x18, 0xA3
_VERSION_3 = b"\xa0\x03\x02\x01\x02"
_WITH_RSA = bytes.fromhex("06092a864886f70d0101")  # the last byte of the identifier tells the digest
_SHA1, _SHA2 = 5, range(11, 15)
_NULL = b"\x05\0"
_KEY_ID = b"\x55\x1d\x0e"
# keyUsage, basicConstraints, authorityKeyIdentifier, extKeyUsage
_OTHERS = frozenset({b"\x55\x1d\x0f", b"\x55\x1d\x13", b"\x55\x1d\x23", b"\x55\x1d\x25"})


class RsaCertificate(NamedTuple):
    """What a signature is held against.

    :param issuer: the issuer's Name in DER, with its header
    :param serial: the serial number
    :param key_id: the subject key identifier, or None
    :param modulus: of the public key
    :param exponent: of the public key
    """

    issuer: bytes
    serial: int
    key_id: bytes | None
    modulus: int
    exponent: int


def read(der: bytes) -> RsaCertificate | None:
    """Read a certificate of this form.

    :returns: None for any other
    """
    try:
        outermost = Elements(der)
        certificate = outermost.enter(SEQUENCE)
        outermost.end()
        signed = certificate.enter(SEQUENCE)
        _signature_algorithm(certificate)
        certificate.take(_BITS)
        certificate.end()
        return _signed_part(signed)
    except OtherForm:
        return None


def _signed_part(elements: Elements) -> RsaCertificate:
    elements.expect(_VERSION_3)
    serial = _number(elements)
    _signature_algorithm(elements)
    issuer = _name(elements)
    _validity(elements.enter(SEQUENCE))
    _name(elements)
    modulus, exponent = _key(elements.enter(SEQUENCE))
    key_id = _extensions(elements.enter(_EXTENSIONS)) if elements.rest else None
    elements.end()
    return RsaCertificate(issuer, serial, key_id, modulus, exponent)


def _number(elements: Elements) -> int:
    """Take a number above zero, as short as DER wants it."""
    octets = elements.take(INTEGER)
    if not octets or octets[0] >= 0x80 or octets == b"\0" or (len(octets) > 1 and octets[:2] < b"\0\x80"):
        raise OtherForm
    return int.from_bytes(octets)


def _signature_algorithm(elements: Elements) -> None:
    algorithm = elements.take(SEQUENCE)
    kind = algorithm[len(_WITH_RSA) : -len(_NULL)]
    known = len(kind) == 1 and (kind[0] == _SHA1 or kind[0] in _SHA2)
    if not (known and algorithm.startswith(_WITH_RSA) and algorithm.endswith(_NULL)):
        raise OtherForm


def _name(elements: Elements) -> bytes:
    """Take a Name, which must not be empty, and give it with its header."""
    before = elements.rest
    name_parts(elements.enter(SEQUENCE))
    return before[: len(before) - len(elements.rest)]


def _validity(elements: Elements) -> None:
    for _ in range(2):
        is_short = elements.rest[:1] == bytes((_UTC_TIME,))
        time = elements.take(_UTC_TIME if is_short else _GENERALIZED_TIME)
        if len(time) != (13 if is_short else 15) or not time[:-1].isdigit() or not time.endswith(b"Z"):
            raise OtherForm
    elements.end()


def _key(elements: Elements) -> tuple[int, int]:
    if elements.take(SEQUENCE) != RSA_ENCRYPTION:
        raise OtherForm
    bits = elements.take(_BITS)
    elements.end()
    if bits[:1] != b"\0":
        raise OtherForm
    outer = Elements(bits[1:])
    numbers = outer.enter(SEQUENCE)
    outer.end()
    modulus, exponent = _number(numbers), _number(numbers)
    numbers.end()
    return modulus, exponent


def _extensions(explicit: Elements) -> bytes | None:
    """Give the subject key identifier."""
    several = explicit.enter(SEQUENCE)
    explicit.end()
    found: dict[bytes, bytes] = {}
    while several.rest:
        extension = several.enter(SEQUENCE)
        identifier = extension.take(OID)
        if identifier in found or identifier not in _OTHERS | {_KEY_ID}:
            raise OtherForm
        if extension.rest[:1] == bytes((_BOOLEAN,)):
            extension.expect(b"\x01\x01\xff")
        found[identifier] = extension.take(OCTETS)
        extension.end()
    if _KEY_ID not in found:
        return None
    value = Elements(found[_KEY_ID])
    key_id = value.take(OCTETS)
    value.end()
    return key_id
