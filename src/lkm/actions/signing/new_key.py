"""Making a key for signing modules, with a certificate that kernels and MokManager take.

What they look at: the kernel takes any certificate whose key it knows, and finds it by issuer and serial number or by
subjectKeyIdentifier (crypto/asymmetric_keys/pkcs7_trust.c, 7.2); with INTEGRITY_CA_MACHINE_KEYRING it takes from the
MOK list only those of certificate authorities (restrict.c ``restrict_link_by_ca``, 7.2); shim starts no program that
was signed with a key whose purpose is module signing (shim.c ``verify_eku``). The rest is as in
certs/default_x509.genkey (7.2).
"""

from __future__ import annotations

import contextlib
import os
import shlex
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import LkmError, PrivilegeMissing, UsageError
from lkm.system.atomic import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384

__all__ = ["DEFAULT_DAYS", "KeyKind", "NewKey", "default_name", "new_key"]

DEFAULT_DAYS = 3650
"""How long a certificate is valid unless the user says otherwise; kernels do not look at it."""

_MODULE_SIGNING_ONLY = "1.3.6.1.4.1.2312.16.1.2"
_SHORTEST, _LONGEST = 4, 1023  # what openssl asks for, and what sign-file reads (scripts/sign-file.c, 6.1)
_LONGEST_NAME = 64  # RFC 5280, ub-common-name; the library counts bytes of UTF-8
_TAKEN = "a key is never replaced: choose another name"
_LAST_YEAR = 9999  # of a GeneralizedTime
_LAST_SERIAL_BIT = 158  # 20 bytes, always: a certificate's size then depends on nothing but its contents


class KeyKind(Enum):
    """What key to make."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    P256 = "ec-p256"
    P384 = "ec-p384"
    ML_DSA_44 = "ml-dsa-44"
    ML_DSA_65 = "ml-dsa-65"
    ML_DSA_87 = "ml-dsa-87"


_NOTES = {
    KeyKind.RSA_4096: "some machines' firmware stops at keys of 4096 bits: should yours hang, make one of 2048",
    KeyKind.P256: "only kernels from 5.13 on that are built with CRYPTO_ECDSA verify it: Debian's 6.1 is not",
    KeyKind.P384: "only kernels from 5.13 on that are built with CRYPTO_ECDSA verify it: Debian's 6.1 is not",
    KeyKind.ML_DSA_44: "kernels before 7.0 can't verify with it",
    KeyKind.ML_DSA_65: "kernels before 7.0 can't verify with it",
    KeyKind.ML_DSA_87: "kernels before 7.0 can't verify with it",
}


class NewKey(NamedTuple):
    """What was made.

    :param key: the file of the private key, PEM (PKCS#8), readable by its owner alone
    :param certificate: the file of the certificate, PEM
    :param certificate_der: the same in DER, which mokutil and the kernel want
    :param der: the certificate itself
    :param note: what to know of this kind of key, a sentence without a full stop; may be empty
    """

    key: str
    certificate: str
    certificate_der: str
    der: bytes
    note: str


def default_name() -> str:
    """Give the common name of a key for which the user has none: by the machine that it is made on."""
    return f"{os.uname().nodename[:40] or 'localhost'} module signing key"


def new_key(
    base: str,
    *,
    pass_phrase: Callable[[], bytes] | None,
    kind: KeyKind = KeyKind.RSA_4096,
    name: str | None = None,
    days: int = DEFAULT_DAYS,
    modules_only: bool = True,
    is_ca: bool = False,
) -> NewKey:
    """Make a key pair and a certificate that it signs itself: BASE.key, BASE.pem and BASE.der.

    :param base: a path of the host, to which the endings are added; its directory must exist
    :param pass_phrase: asked for what encrypts the private key, when all else is found good; None leaves the key
        readable to whoever gets its file
    :param kind: of the key
    :param name: the common name, of at most 64 bytes; None for :func:`default_name`
    :param days: how long the certificate is valid
    :param modules_only: shim starts no kernel and no boot loader that this key signed
    :param is_ca: make the certificate an authority's: for kernels that take only such ones from the MOK list
        (INTEGRITY_CA_MACHINE_KEYRING)
    :raises UsageError: one of the files is there, or a parameter is out of range
    :raises LkmError: the files can't be written; none of them is left
    """
    paths = (f"{base}.key", f"{base}.pem", f"{base}.der")
    _check_place(base, paths)
    own_name, validity = _checked_name(name), _checked_days(days)
    encryption = None if pass_phrase is None else _checked_pass_phrase(pass_phrase())
    key = _generated(kind)
    pem, der = _certificate_files(_certified(key, kind, own_name, validity, modules_only=modules_only, is_ca=is_ca))
    _write_all(zip(paths, (_key_file(key, encryption), pem, der), (0o600, 0o644, 0o644), strict=True))
    return NewKey(*paths, der, _NOTES.get(kind, ""))


def _check_place(base: str, paths: Sequence[str]) -> None:
    directory, name = os.path.split(base)
    if not name:
        raise UsageError("names no file", where=base or "the key's name", hint="name it as in DIR/modules")
    if not os.path.isdir(directory or "."):  # noqa: PTH112  pathlib is dear at start-up
        hint = f"make it: mkdir -m 700 {shlex.quote(directory)}"
        raise UsageError("there is no such directory", where=directory, hint=hint)
    for path in paths:
        if os.path.lexists(path):
            raise UsageError("is there already", where=path, hint=_TAKEN)


def _checked_pass_phrase(pass_phrase: bytes) -> bytes:
    if not _SHORTEST <= len(pass_phrase) <= _LONGEST:
        raise UsageError(
            f"the pass phrase of a key has {_SHORTEST} to {_LONGEST} bytes, not {len(pass_phrase)}",
            hint="choose another one",
        )
    return pass_phrase


def _checked_name(name: str | None) -> str:
    found = default_name() if name is None else name
    if not found.strip() or not found.isprintable() or len(found.encode()) > _LONGEST_NAME:
        raise UsageError(
            f"the name of a certificate has 1 to {_LONGEST_NAME} printable characters, fewer where they are not ASCII",
            where=found[:80] or None,
            hint=f"leave it out, and it is {default_name()!r}",
        )
    return found


def _checked_days(days: int) -> tuple[datetime, datetime]:
    import datetime as dt  # noqa: PLC0415  dear, and few commands make keys

    begin = dt.datetime.now(dt.UTC).replace(microsecond=0)
    most = (dt.datetime(_LAST_YEAR, 1, 1, tzinfo=dt.UTC) - begin).days
    if not 1 <= days <= most:
        raise UsageError(
            f"a certificate is valid for 1 to {most} days, not {days}", hint=f"leave it out for {DEFAULT_DAYS}"
        )
    return begin, begin + dt.timedelta(days=days)


def _generated(kind: KeyKind) -> CertificateIssuerPrivateKeyTypes:
    from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa  # noqa: PLC0415  as above

    match kind:
        case KeyKind.RSA_2048 | KeyKind.RSA_3072 | KeyKind.RSA_4096:
            return rsa.generate_private_key(65537, int(kind.value.removeprefix("rsa-")))
        case KeyKind.P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.P384:
            return ec.generate_private_key(ec.SECP384R1())
        case KeyKind.ML_DSA_44:
            return mldsa.MLDSA44PrivateKey.generate()
        case KeyKind.ML_DSA_65:
            return mldsa.MLDSA65PrivateKey.generate()
        case KeyKind.ML_DSA_87:
            return mldsa.MLDSA87PrivateKey.generate()


def _certified(
    key: CertificateIssuerPrivateKeyTypes,
    kind: KeyKind,
    name: str,
    validity: tuple[datetime, datetime],
    *,
    modules_only: bool,
    is_ca: bool,
) -> x509.Certificate:
    from cryptography import x509  # noqa: PLC0415  as above

    public = key.public_key()
    own_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    key_id = x509.SubjectKeyIdentifier.from_public_key(public)
    purposes = [x509.oid.ExtendedKeyUsageOID.CODE_SIGNING]
    purposes += [x509.ObjectIdentifier(_MODULE_SIGNING_ONLY)] if modules_only else []
    return (
        x509.CertificateBuilder(own_name, own_name, public)
        .serial_number(x509.random_serial_number() | 1 << _LAST_SERIAL_BIT)
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
        .add_extension(_key_usage(is_ca=is_ca), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(key_id, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False)
        .sign(key, _digest(kind))
    )


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    from cryptography import x509  # noqa: PLC0415  as above

    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _digest(kind: KeyKind) -> SHA256 | SHA384 | None:
    """Choose the hash for the certificate's own signature: as strong as the key, and known to every kernel."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  as above

    if kind.value.startswith("ml-dsa"):
        return None
    return hashes.SHA384() if kind is KeyKind.P384 else hashes.SHA256()


def _key_file(key: CertificateIssuerPrivateKeyTypes, pass_phrase: bytes | None) -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  as above

    encryption = (
        serialization.NoEncryption() if pass_phrase is None else serialization.BestAvailableEncryption(pass_phrase)
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _certificate_files(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415  as above

    return certificate.public_bytes(Encoding.PEM), certificate.public_bytes(Encoding.DER)


def _write_all(files: zip[tuple[str, bytes, int]]) -> None:
    """Write files that are not there yet; of those that came into being meanwhile none is replaced."""
    written: list[str] = []
    try:
        for path, data, mode in files:
            write_atomically(path, data, mode=mode, may_replace=False)
            written.append(path)
    except BaseException as error:
        for done in written:
            with contextlib.suppress(OSError):
                os.unlink(done)  # noqa: PTH108  as above
        if isinstance(error, OSError):
            raise _unwritten(path, error) from error
        raise


def _unwritten(path: str, error: OSError) -> LkmError:
    what = f"can't be written: {(error.strerror or str(error)).lower()}"
    if isinstance(error, FileExistsError):
        return UsageError("is there already", where=path, hint=_TAKEN)
    if isinstance(error, PermissionError):
        hint = "choose a directory in which you may write, or run as root"
        return PrivilegeMissing(what, where=path, hint=hint)
    return LkmError(what, where=path, hint="none of the files is left: choose another directory, or make room")
