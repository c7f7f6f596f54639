"""Who signs modules: a private key with its certificate."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lkm.actions.certificate_files import read_certificates
from lkm.actions.signing.file_key import FileKey, encoded, is_good, public_half
from lkm.actions.signing.key_files import read_key_file
from lkm.actions.signing.pass_phrase import only_from_environment
from lkm.actions.signing.token_key import SCHEME, TokenKey, check_uri, open_token_key, wants_pin
from lkm.errors import KeyMismatch, UsageError
from lkm.formats.certificate_bundle import load_certificate
from lkm.formats.cms_writer import DIGESTS, KeyAlgorithm, issuer_and_serial, key_identifier, signed_data
from lkm.rules.signatures.signing_key import algorithm_of, faults, oddities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography import x509

    Contents = bytes | bytearray | memoryview

__all__ = ["Signatory", "open_signatory"]


@dataclass(frozen=True, slots=True)
class Signatory:
    """Signs modules. It can be pickled, for worker processes: what goes to them holds the private key, or the PIN.

    :param certificate_der: X.509 in DER
    :param algorithm: of the key
    :param key: the private key
    :param name: the key as people name it: a path or a URI
    :param remarks: what is odd about the certificate though kernels let it pass, sentences without a full stop
    :param faults: those of the remarks that make it look like a wrong choice: out of date, or not a signer's
    """

    certificate_der: bytes = field(repr=False)
    algorithm: KeyAlgorithm
    key: FileKey | TokenKey
    name: str
    remarks: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate whose key signs."""
        return _certificate(self.certificate_der)

    def sign(self, contents: Contents, *, digest: str, by_key_id: bool = False) -> bytes:
        """Sign a module, as scripts/sign-file.c (6.1 to 7.2) does.

        ML-DSA signs the contents themselves, without attributes, as sign-file does from OpenSSL 4 on: kernels take
        attributes only where PKCS7_WAIVE_AUTHATTRS_REJECTION_FOR_MLDSA is configured (pkcs7_verify.c, 7.2).

        :param contents: the module's file without a signature, not compressed
        :param digest: one of :data:`lkm.formats.cms_writer.DIGESTS`
        :param by_key_id: name the certificate by its subjectKeyIdentifier, as ``sign-file -k`` does
        :returns: the CMS message in DER
        :raises UsageError: another digest; no identifier to name it by; the key in the token can't be used
        :raises KeyMismatch: the key is damaged, or the one in the token is another than it was
        """
        if digest not in DIGESTS:
            raise UsageError(f"no kernel verifies signatures over {digest}", hint=f"choose one of {', '.join(DIGESTS)}")
        signer = _signer(self.certificate_der, by_key_id=by_key_id)
        signature = self._signature(contents, digest)
        return signed_data(signature, signer=signer, digest=digest, algorithm=self.algorithm)

    def _signature(self, contents: Contents, digest: str) -> bytes:
        if self.algorithm.takes_contents:
            if isinstance(self.key, TokenKey):
                raise UsageError(
                    "an ML-DSA key in a token can't be used yet", where=self.name, hint="use one in a file"
                )
            return self.key.sign_contents(contents)
        import hashlib  # noqa: PLC0415  dear, and only what signs needs it

        value = hashlib.new(digest.replace("-", "_"), contents).digest()
        signature = self.key.sign_hash(digest, value)
        # A key whose numbers do not fit each other, or a token with another key, makes what no kernel would accept.
        if not is_good(self.certificate.public_key(), digest, value, signature):
            raise KeyMismatch(
                "the key makes signatures that do not fit the certificate",
                where=self.name,
                hint="the key is damaged, or another one; compare both: openssl x509 -pubkey, openssl pkey -pubout",
            )
        return signature


def open_signatory(
    key: str,
    certificate: str | None = None,
    *,
    pass_phrase: Callable[[], bytes] | None = None,
    pkcs11_module: str | None = None,
) -> Signatory:
    """Read a private key and its certificate, and make sure that they fit each other and that kernels know their kind.

    :param key: a file of the host (PEM, DER or PKCS#12), or a ``pkcs11:`` URI
    :param certificate: a file of the host (PEM or DER; of several the one that fits); None where the key's file
        holds it
    :param pass_phrase: asked at most once, for an encrypted key or for a token's PIN; None for the variable
        KBUILD_SIGN_PIN alone
    :param pkcs11_module: the PKCS#11 library for a URI; None for PKCS11_MODULE_PATH, else p11-kit's choice
    :raises Unreadable: a file can't be read, or holds no key or certificate
    :raises UsageError: a wrong or missing pass phrase, no certificate, a kind of key that no kernel can verify with
    :raises KeyMismatch: the certificate is that of another key
    :raises LkmError: openssl, which a URI needs, is missing or failed
    """
    ask = only_from_environment if pass_phrase is None else pass_phrase
    if key.lower().startswith(SCHEME):
        return _from_token(key, certificate, ask, pkcs11_module)
    given = read_certificates(certificate) if certificate is not None else None
    found = read_key_file(key, ask, wants_certificate=given is None)
    candidates = found.certificates if given is None else given
    fitting = _fitting(public_half(found.key), candidates, key, certificate)
    return _signatory(fitting, FileKey(encoded(found.key)), key, certificate or key)


def _from_token(key: str, certificate: str | None, ask: Callable[[], bytes], module: str | None) -> Signatory:
    check_uri(key)
    if certificate is None:
        raise UsageError(
            "a key in a token needs its certificate in a file",
            where=key,
            hint="write it out: pkcs11-tool --read-object --type cert --label NAME --output-file signer.der",
        )
    candidates = read_certificates(certificate)
    token_key, public = open_token_key(key, ask() if wants_pin(key) else None, module)
    return _signatory(_fitting(public, candidates, key, certificate), token_key, key, certificate)


def _signatory(certificate: x509.Certificate, key: FileKey | TokenKey, name: str, place: str) -> Signatory:
    import datetime as dt  # noqa: PLC0415  as above

    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415  as above

    from lkm.formats.certificate import describe  # noqa: PLC0415  as above

    try:
        algorithm = algorithm_of(certificate)
    except UsageError as error:
        error.where = place
        raise
    der = certificate.public_bytes(Encoding.DER)
    facts = describe(der)
    if facts is None:
        return Signatory(der, algorithm, key, name)
    now = dt.datetime.now(dt.UTC)
    return Signatory(der, algorithm, key, name, oddities(facts, now), faults(facts, now))


def _fitting(
    public: bytes, candidates: Sequence[x509.Certificate], key: str, certificate: str | None
) -> x509.Certificate:
    """Choose the certificate of a key."""
    if not candidates:
        raise UsageError("the key's file holds no certificate", where=key, hint="name the file of its certificate, too")
    for candidate in candidates:
        if _public_key_info(candidate) == public:
            return candidate
    raise KeyMismatch(
        f"the certificate is not the one of the key {key}",
        where=certificate or key,
        hint="a certificate is made from its key; compare both: openssl x509 -pubkey, openssl pkey -pubout",
    )


def _public_key_info(certificate: x509.Certificate) -> bytes | None:
    """Give SubjectPublicKeyInfo as the library writes it, to be compared; None for a key that nobody here knows."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415  as above

    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (UnsupportedAlgorithm, ValueError):
        return None


@lru_cache(maxsize=4)
def _certificate(der: bytes) -> x509.Certificate:
    return load_certificate(der)


@lru_cache(maxsize=8)
def _signer(certificate_der: bytes, *, by_key_id: bool) -> bytes:
    """Give the element that names the signer; it is the same in all messages."""
    if not by_key_id:
        return issuer_and_serial(certificate_der)
    key_id = _key_id(_certificate(certificate_der))
    if key_id is None:
        raise UsageError(
            "the certificate has no subject key identifier to name it by",
            hint="leave the option -k out, or have the certificate issued with one, as lkm keys new does",
        )
    return key_identifier(key_id)


def _key_id(certificate: x509.Certificate) -> bytes | None:
    from cryptography import x509  # noqa: PLC0415  as above

    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None
