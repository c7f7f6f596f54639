"""CMS messages in DER, made piece by piece."""

__all__ = [
    "COMMON_NAME",
    "DATA",
    "NAME",
    "NULL",
    "ORGANIZATION",
    "RSA",
    "SERIAL",
    "SHA256",
    "SIGNED_DATA",
    "algorithm",
    "attribute",
    "issuer_and_serial",
    "message",
    "oid",
    "signer_info",
    "tlv",
]

SIGNED_DATA = "2a864886f70d010702"
DATA = "2a864886f70d010701"
RSA = "2a864886f70d010101"
SHA256 = "608648016503040201"
COMMON_NAME = "550403"
ORGANIZATION = "55040a"
SERIAL = bytes.fromhex("66f54e1566a043cc")


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def oid(value: str) -> bytes:
    return tlv(0x06, bytes.fromhex(value))


def algorithm(value: str, *parameters: bytes) -> bytes:
    return tlv(0x30, oid(value), *parameters)


def attribute(kind: str, text: bytes, tag: int = 0x0C) -> bytes:
    return tlv(0x31, tlv(0x30, oid(kind), tlv(tag, text)))


NAME = tlv(0x30, attribute(ORGANIZATION, b"Org"), attribute(COMMON_NAME, b"Build key"), attribute("550406", b"XX"))
NULL = tlv(0x05)


def issuer_and_serial(name: bytes = NAME, serial: bytes = SERIAL, serial_tag: int = 2) -> bytes:
    return tlv(0x30, name, tlv(serial_tag, serial))


def signer_info(
    *, signer: bytes | None = None, digest: bytes | None = None, attributes: bytes = b"", version: int = 1
) -> bytes:
    return tlv(
        0x30,
        tlv(0x02, bytes((version,))),
        issuer_and_serial() if signer is None else signer,
        algorithm(SHA256) if digest is None else digest,
        attributes,
        algorithm(RSA, NULL),
        tlv(0x04, b"\x5a" * 256),
    )


def message(
    *signers: bytes, content_type: str = SIGNED_DATA, content: bytes = b"", certificates: bytes = b"", version: int = 1
) -> bytes:
    signed_data = tlv(
        0x30,
        tlv(0x02, bytes((version,))),
        tlv(0x31, algorithm(SHA256)),
        tlv(0x30, oid(DATA), content),
        certificates,
        tlv(0x31, *signers),
    )
    return tlv(0x30, oid(content_type), tlv(0xA0, signed_data))
