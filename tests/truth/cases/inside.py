"""Certificates inside of signatures, and signatures with several signers."""

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier
from tests.support.der import DATA, NULL, RSA, SHA256, SIGNED_DATA, algorithm, oid, tlv
from tests.truth.case import Case, one
from tests.truth.maker import Maker

from lkm.formats.module_signature import append

__all__ = ["cases", "certificate", "key", "message", "signer_info"]

_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_ODD = ObjectIdentifier("1.2.3.4.5.6.7")
_DISTANT = 365 * 20


def cases() -> Iterator[Case]:
    for what, spoil in (("content changed", b"x"), ("good", b"")):
        yield one(f"inside/certificate, {what}", lambda m, spoil: _with(m, spoil=spoil), given=(spoil,))
    yield one("inside/another key under the name", lambda m: _with(m, inside=[_plain(2)], opened_by=2))
    yield one("inside/somebody else's", lambda m: _with(m, inside=[_plain(2, "B stranger")]))
    yield one("inside/twice", lambda m: _with(m, inside=[_plain(1), _plain(1)]))
    yield one("inside/cut", lambda m: _with(m, inside=[_plain(1)[:-1]]))
    yield one("inside/empty sequence", lambda m: _with(m, inside=[b"\x30\0"]))
    yield one("inside/number", lambda m: _with(m, inside=[b"\x02\x01\x05"]))
    yield one("inside/own signature bad", lambda m: _with(m, inside=[_spoilt()]))
    yield one("inside/signed by another", lambda m: _with(m, inside=[certificate(1, signed_by=2)]))
    yield one("inside/other algorithm outside", lambda m: _with(m, inside=[_other_algorithm()]))
    yield one("inside/of a curve", lambda m: _with(m, inside=[_plain("p256", "B stranger")]))
    yield one("inside/of P-521", lambda m: _with(m, inside=[_plain("p521", "B stranger")]))
    yield one("inside/of Ed25519", lambda m: _with(m, inside=[_plain("ed25519", "B stranger")]))
    yield one("inside/sha512", lambda m: _with(m, inside=[certificate(1, use_sha512=True)]))
    yield one("inside/chain", lambda m: _with(m, inside=[_leaf(), _root()]))
    yield one("inside/chain, root first", lambda m: _with(m, inside=[_root(), _leaf()]))
    yield one("inside/chain without root", lambda m: _with(m, inside=[_leaf()]))
    yield one("inside/chain, root's key another", lambda m: _with(m, inside=[_leaf(), _root(_stranger_to(_leaf()))]))
    yield one(
        "inside/chain, identifier another",
        lambda m: _with(m, inside=[_leaf(names_number=True), _root(key_id=b"x" * 20)]),
    )
    yield one(
        "inside/chain in a loop",
        lambda m: _with(m, inside=[_leaf(), _leaf(key_number=2, names=b"1" * 20, own=b"2" * 20)]),
    )
    yield one("inside/no CA by an odd word", lambda m: _with(m, inside=[_constrained()]))
    yield one("inside/revoked list", lambda m: _with(m, crls=[tlv(0x30, _plain(1))]))
    yield one("inside/revoked list of rubbish", lambda m: _with(m, crls=[tlv(0x30, b"\x30\x01a")]))
    yield one("inside/curve signs for rsa", lambda m: _with(m, inside=[_plain("p256")]))
    yield one("inside/odd name", lambda m: _with(m, inside=[], odd=True))
    yield one("inside/odd name, certificate", lambda m: _with(m, odd=True))
    yield one("inside/by key identifier", lambda m: _with(m, key_id=b"k" * 20))
    yield one("inside/two signers", lambda m: _twice(m, b"", b""))
    yield one("inside/two signers, the first wrong", lambda m: _twice(m, b"x", b""))
    yield one("inside/two signers, the second wrong", lambda m: _twice(m, b"", b"x"))
    yield one("inside/empty list of certificates", lambda m: _with(m, inside=[b""]))
    yield one("inside/empty list of revocations", lambda m: _with(m, crls=[b""]))
    yield one("inside/empty revocation", lambda m: _with(m, crls=[b"\x30\0"]))
    yield one("inside/empty list of digests", lambda m: _with(m, digests=()))
    yield one("inside/empty name", lambda m: _with(m, inside=[], common=""))
    yield one("inside/empty name, certificate", lambda m: _with(m, common=""))
    yield one("inside/no signer", lambda m: append(m.module(), message([], [_plain(1)])))


@cache
def key(number: int | str) -> _Key:
    """Make a key, once for each number."""
    match number:
        case "p256":
            return ec.generate_private_key(ec.SECP256R1())
        case "p521":
            return ec.generate_private_key(ec.SECP521R1())
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def _name(common: str, *, odd: bool = False) -> x509.Name:
    if not common:
        return x509.Name([])
    more = [x509.NameAttribute(_ODD, "odd")] if odd else []
    return x509.Name([*more, x509.NameAttribute(NameOID.COMMON_NAME, common)])


@cache
def certificate(  # noqa: PLR0913  the parts of a certificate
    number: int | str = 1,
    common: str = "A stranger",
    *,
    issuer: str | None = None,
    signed_by: int | str | None = None,
    use_sha512: bool = False,
    serial: int = 1 << 158,
    own_id: bytes | None = None,
    issuer_id: bytes | None = None,
    issuer_serial: int | None = None,
    odd: bool = False,
) -> bytes:
    """Make a certificate, DER."""
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    own = key(number)
    signing = own if signed_by is None else key(signed_by)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common, odd=odd))
        .issuer_name(_name(issuer or common, odd=odd))
        .public_key(own.public_key())
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=_DISTANT))
    )
    if own_id is not None:
        builder = builder.add_extension(x509.SubjectKeyIdentifier(own_id), critical=False)
    if issuer_id is not None or issuer_serial is not None:
        names = [x509.DirectoryName(_name(issuer or common))] if issuer_serial is not None else None
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(issuer_id, names, issuer_serial), critical=False)
    if isinstance(signing, ed25519.Ed25519PrivateKey):
        return builder.sign(signing, None).public_bytes(serialization.Encoding.DER)
    made = builder.sign(signing, hashes.SHA512() if use_sha512 else hashes.SHA256())
    if signed_by is not None and issuer is None and not _opens_to_nothing(made.signature, number):
        return certificate(number, common, signed_by=signed_by, serial=serial + 1)
    return made.public_bytes(serialization.Encoding.DER)


def _opens_to_nothing(signature: bytes, number: int | str) -> bool:
    """Whether what a key makes of another's signature is refused at its first byte, as nearly always."""
    public = key(number).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    numbers = public.public_numbers()
    value = int.from_bytes(signature)
    return value >= numbers.n or pow(value, numbers.e, numbers.n).to_bytes(len(signature))[0] != 0


def _spoilt() -> bytes:
    """Make a certificate with another signature than its own."""
    der = _plain(1)
    spoilt = (der[:-1] + bytes((der[-1] ^ change,)) for change in range(1, 256))
    return next(each for each in spoilt if _opens_to_nothing(each[-256:], 1))


def _plain(number: int | str, common: str = "A stranger") -> bytes:
    return certificate(number, common)


def _leaf(
    *, names_number: bool = False, key_number: int = 1, names: bytes = b"2" * 20, own: bytes = b"1" * 20
) -> bytes:
    return certificate(
        key_number,
        "A stranger" if key_number == 1 else "The root",
        issuer="The root" if key_number == 1 else "A stranger",
        signed_by=3 - key_number,
        own_id=own,
        issuer_id=names,
        issuer_serial=(1 << 158) + 2 if names_number else None,
    )


def _stranger_to(der: bytes) -> int:
    """Give the number of a key that did not sign a certificate."""
    return next(number for number in range(3, 20) if _opens_to_nothing(der[-256:], number))


def _root(number: int = 2, key_id: bytes = b"2" * 20) -> bytes:
    return certificate(number, "The root", own_id=key_id, serial=(1 << 158) + 2)


def _constrained() -> bytes:
    """Make a certificate whose basicConstraints hold something else than a boolean; signed, as it stands."""
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name("B stranger"))
        .issuer_name(_name("B stranger"))
        .public_key(key(1).public_key())
        .serial_number(1 << 158)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=_DISTANT))
        .add_extension(
            x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.19"), bytes.fromhex("3003020105")), critical=False
        )
        .sign(key(1), hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def _other_algorithm() -> bytes:
    der = _plain(1)
    old = bytes.fromhex("2a864886f70d01010b")  # sha256WithRSAEncryption, last outside of what is signed
    at = der.rindex(old) + len(old) - 1
    return der[:at] + b"\x0c" + der[at + 1 :]


def signer_info(
    contents: bytes,
    number: int | str = 1,
    *,
    named: bytes | None = None,
    key_id: bytes | None = None,
    opened_by: int = 0,
) -> bytes:
    """Sign contents, as the owner of a certificate or of a key identifier."""
    signing = key(number)
    assert isinstance(signing, rsa.RSAPrivateKey)
    value = signing.sign(contents, padding.PKCS1v15(), hashes.SHA256())
    while opened_by and not _opens_to_nothing(value, opened_by):
        contents += b"x"
        value = signing.sign(contents, padding.PKCS1v15(), hashes.SHA256())
    signer = tlv(0x80, key_id) if key_id is not None else _issuer_and_serial(named or _plain(number))
    return tlv(
        0x30,
        tlv(0x02, b"\x03" if key_id is not None else b"\x01"),
        signer,
        algorithm(SHA256),
        algorithm(RSA, NULL),
        tlv(0x04, value),
    )


def _issuer_and_serial(der: bytes) -> bytes:
    read = x509.load_der_x509_certificate(der)
    serial = read.serial_number.to_bytes(read.serial_number.bit_length() // 8 + 1)
    return tlv(0x30, read.issuer.public_bytes(), tlv(0x02, serial))


def message(
    signers: Sequence[bytes],
    inside: Sequence[bytes] = (),
    *,
    crls: Sequence[bytes] = (),
    digests: Sequence[str] = (SHA256,),
    version: int = 1,
) -> bytes:
    """Make a message with certificates."""
    signed_data = tlv(
        0x30,
        tlv(0x02, bytes((version,))),
        tlv(0x31, *map(algorithm, digests)),
        tlv(0x30, oid(DATA)),
        tlv(0xA0, *inside) if inside else b"",
        tlv(0xA1, *crls) if crls else b"",
        tlv(0x31, *signers),
    )
    return tlv(0x30, oid(SIGNED_DATA), tlv(0xA0, signed_data))


def _with(  # noqa: PLR0913  each is another part of a message
    maker: Maker,
    *,
    inside: Sequence[bytes] | None = None,
    crls: Sequence[bytes] = (),
    spoil: bytes = b"",
    odd: bool = False,
    key_id: bytes | None = None,
    opened_by: int = 0,
    common: str = "A stranger",
    digests: Sequence[str] = (SHA256,),
) -> bytes:
    contents = maker.module()
    own = certificate(1, common, odd=odd, own_id=key_id)
    signer = signer_info(contents + spoil, named=_named_by(own, inside), key_id=key_id, opened_by=opened_by)
    version = 3 if key_id is not None else 1
    return append(
        contents, message([signer], [own] if inside is None else inside, crls=crls, digests=digests, version=version)
    )


def _named_by(own: bytes, inside: Sequence[bytes] | None) -> bytes:
    """Give the leaf's certificate where there is one: its issuer is another."""
    leaves = [der for der in inside or () if b"The root" in der and b"A stranger" in der]
    return leaves[0] if leaves else own


def _twice(maker: Maker, first: bytes, second: bytes) -> bytes:
    contents = maker.module()
    others = certificate(2, "B stranger")
    signers = [signer_info(contents + first), signer_info(contents + second, 2, named=others)]
    return append(contents, message(signers, [_plain(1), others]))
