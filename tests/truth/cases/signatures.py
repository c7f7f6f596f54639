"""Signatures: the trailer's fields, the message's, and who signed."""

from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import pkcs7
from tests.truth.case import Case, one
from tests.truth.maker import Maker

from lkm.formats.module_signature import MARKER, append

__all__ = ["cases"]

_OPTIONS = pkcs7.PKCS7Options
_DETACHED = (_OPTIONS.DetachedSignature, _OPTIONS.Binary)
_FIELDS = {"algo": 0, "hash": 1, "id_type": 2, "signer_len": 3, "key_id_len": 4, "padding": 5, "last padding": 7}
_SHA256 = bytes.fromhex("0609608648016503040201")
_RSA = bytes.fromhex("06092a864886f70d010101")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")


def cases() -> Iterator[Case]:
    yield one("signature/by a stranger", lambda maker: maker.rsa.signed(maker.module()))
    yield one("signature/by a stranger's curve", lambda maker: maker.elliptic.signed(maker.module()))
    yield one("signature/by a stranger, flag 1", lambda maker: maker.rsa.signed(maker.module()), flags=1)
    yield one("signature/by a stranger, flag 2", lambda maker: maker.rsa.signed(maker.module()), flags=2)
    yield one("signature/by a stranger, sha512", lambda m: _signed(m, digest=hashes.SHA512()))
    yield one("signature/by a stranger, rubbish inside", lambda maker: maker.rsa.signed(b"rubbish" * 20))
    yield one("signature/attributes", lambda m: _signed(m, options=(*_DETACHED, _OPTIONS.NoCapabilities)))
    yield one("signature/contents inside", lambda m: _signed(m, options=(_OPTIONS.Binary, _OPTIONS.NoAttributes)))
    yield one("signature/certificate inside", lambda m: _signed(m, options=(*_DETACHED, _OPTIONS.NoAttributes)))
    yield one("signature/more behind the message", lambda m: _changed(m, lambda der: der + b"more"))
    yield one("signature/cut message", lambda m: _changed(m, lambda der: der[:-1]))
    yield one("signature/twice", lambda maker: maker.rsa.signed(maker.rsa.signed(maker.module())))
    yield one("signature/bytes behind the marker", lambda maker: maker.rsa.signed(maker.module()) + b"\n")
    yield one("signature/broken marker", lambda maker: maker.rsa.signed(maker.module())[:-1] + b" ")
    for name, der in (
        ("rubbish", b"\x30\x03abc"), ("nothing", b""), ("a zero", b"\0"), ("zeros", bytes(64)),
        ("a long length", b"\x30\x84"),
        ("indefinite length", b"\x30\x80\0\0"), ("null", b"\x05\0"), ("text", b"-----BEGIN PKCS7-----"),
        ("empty sequence", b"\x30\0"), ("another content", bytes.fromhex("300b06092a864886f70d010701")),
    ):  # fmt: skip
        yield one(f"signature/message: {name}", lambda maker, der: append(maker.module(), der), given=(der,))
    for field, place in _FIELDS.items():
        for value in (0, 1, 2, 3, 255) if field == "id_type" else (1, 255):

            def with_field(maker: Maker, place: int = place, value: int = value) -> bytes:
                signed = maker.rsa.signed(maker.module())
                at = len(signed) - len(MARKER) - 12 + place
                return signed[:at] + bytes((value,)) + signed[at + 1 :]

            yield one(f"trailer/{field}={value}", with_field)
    for length in (0, 1, 100_000_000, 0xFFFFFFFF, -1, -2):
        yield one(f"trailer/sig_len={length}", _with_length, given=(length,))
    yield one("trailer/marker alone", lambda _: MARKER)
    yield one("trailer/a byte and the marker", lambda _: b"x" + MARKER)
    for size in (5, 11, 12, 13):
        yield one(f"trailer/{size} bytes and the marker", lambda _, size: bytes(size) + MARKER, given=(size,))
    yield one("trailer/of a header alone", lambda maker: maker.module()[:64] + MARKER)
    for number in (2, 3, 4, 7, 8, 9, 10, 11, 99):
        new = _SHA256[:-1] + bytes((number,))
        yield one(
            f"message/digest {number}", lambda m, new: _changed(m, lambda der: der.replace(_SHA256, new)), given=(new,)
        )
    for what, old, new in (
        ("the signer's digest", _SHA256, _SHA256[:-1] + b"\x63"), ("algorithm", _RSA, _RSA[:-1] + b"\x05"),
        ("rsaEncryption with digest", _RSA, _RSA[:-1] + b"\x0b"), ("PSS", _RSA, _RSA[:-1] + b"\x0a"),
        ("content type", _SIGNED_DATA, _SIGNED_DATA[:-1] + b"\x03"), ("inner type", _DATA, _DATA[:-1] + b"\x09"),
    ):  # fmt: skip
        last = what == "the signer's digest"
        yield one(
            f"message/{what}",
            lambda m, old, new, last: _changed(m, lambda der: _replaced(der, old, new, last=last)),
            given=(
                old,
                new,
                last,
            ),
        )
    for version in (0, 2, 3, 5):
        yield one(
            f"message/version {version}",
            lambda m, version: _changed(m, lambda der: _versioned(der, version)),
            given=(version,),
        )
    yield one("message/signature bytes changed", lambda m: _changed(m, lambda der: der[:-1] + bytes((der[-1] ^ 1,))))
    yield one("message/by key identifier", lambda m: _changed(m, _with_key_id))


def _signed(
    maker: Maker,
    *,
    digest: hashes.SHA256 | hashes.SHA512 | None = None,
    options: tuple[pkcs7.PKCS7Options, ...] = (*_DETACHED, _OPTIONS.NoAttributes, _OPTIONS.NoCerts),
) -> bytes:
    contents = maker.module()
    return append(contents, maker.rsa.message(contents, digest=digest, options=options))


def _changed(maker: Maker, change: Callable[[bytes], bytes]) -> bytes:
    contents = maker.module()
    return append(contents, change(maker.rsa.message(contents)))


def _with_length(maker: Maker, length: int) -> bytes:
    """Lie about the signature's length; -1 is as long as all before the trailer, -2 a byte less."""
    signed = maker.rsa.signed(maker.module())
    at = len(signed) - len(MARKER) - 4
    told = {-1: at - 8, -2: at - 9}.get(length, length)
    return signed[:at] + told.to_bytes(4, "big") + signed[at + 4 :]


def _replaced(der: bytes, old: bytes, new: bytes, *, last: bool) -> bytes:
    assert old in der
    at = der.rindex(old) if last else der.index(old)
    return der[:at] + new + der[at + len(old) :]


def _versioned(der: bytes, version: int) -> bytes:
    at = der.index(_SIGNED_DATA) + len(_SIGNED_DATA)
    at = der.index(b"\x02\x01\x01", at)
    return der[: at + 2] + bytes((version,)) + der[at + 3 :]


def _with_key_id(der: bytes) -> bytes:
    """Name the signer by a key identifier of 20 bytes; lengths are two-byte ones in all the sequences around it."""
    signer = der.rindex(b"\x02\x01\x01\x30")  # its version, then issuer and serial number
    length = der[signer + 4]
    rest = der[signer + 5 + length :]
    inner = b"\x02\x01\x03\x80\x14" + bytes(20) + rest
    sequence = der.rindex(b"\x30\x82", 0, signer)
    infos = der.rindex(b"\x31\x82", 0, sequence)
    head = der[:infos]
    wrapped = b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
    wrapped = b"\x31\x82" + len(wrapped).to_bytes(2, "big") + wrapped
    # SEQUENCE { OID signedData, [0] { SEQUENCE { … infos } } }
    body_start = head.index(_SIGNED_DATA) + len(_SIGNED_DATA)
    content = head[body_start + 8 :] + wrapped
    sequence_of_content = b"\x30\x82" + len(content).to_bytes(2, "big") + content
    explicit = b"\xa0\x82" + len(sequence_of_content).to_bytes(2, "big") + sequence_of_content
    whole = _SIGNED_DATA + explicit
    return b"\x30\x82" + len(whole).to_bytes(2, "big") + whole
