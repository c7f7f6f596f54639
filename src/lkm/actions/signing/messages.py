"""Where the signature of a module comes from: made here, or brought by an offline signer."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lkm.actions.certificate_files import read_key_data
from lkm.errors import FormatError, LkmError, Unreadable, UsageError
from lkm.formats.module_signature import trailer

if TYPE_CHECKING:
    from lkm.actions.signing.own_certificate import OwnCertificate
    from lkm.actions.signing.signatory import Signatory
    from lkm.actions.signing.subjects import Subject
    from lkm.formats.cms import SignedData
    from lkm.formats.cms_writer import KeyAlgorithm

__all__ = ["SUFFIX", "Brought", "BroughtRaw", "Made", "Message", "Messages", "SigningFailed"]

SUFFIX = ".p7s"
"""What scripts/sign-file.c (6.1) puts behind a module's name for the file of its signature."""

_BEGIN, _DASHES = b"-----BEGIN ", b"-----"
_NEWEST = 3  # edition of the kernel's object identifiers: all that any kernel may know


class Message(NamedTuple):
    """A signature.

    :param der: the CMS message
    :param digest: of what it is a signature
    :param notes: what is to be known about it
    :param decided: the digest was not chosen here
    """

    der: bytes
    digest: str
    notes: tuple[str, ...] = ()
    decided: bool = False


class SigningFailed(Exception):
    """The key failed, which has nothing to do with the module: with the next one it would fail again.

    :param error: how
    """

    def __init__(self, error: LkmError) -> None:
        super().__init__(str(error))
        self.error = error


class Messages(Protocol):
    """A source of signatures."""

    @property
    def is_shared(self) -> bool:
        """Whether several processes can ask at once; tokens fail now and then where two do."""

    @property
    def makes(self) -> bool:
        """Whether a key makes them, which a dry run does not use; others are there to be looked at."""

    def message(self, subject: "Subject", content: memoryview, digest: str) -> Message:
        """Give the signature of a module.

        :param content: what is signed
        :param digest: what it should be signed with, where that is not decided already
        :raises LkmError: there is none for this module
        :raises SigningFailed: there will be none for any
        """


@dataclass(frozen=True, slots=True)
class Made:
    """Signatures that a key makes.

    :param by_key_id: they name the certificate by its subjectKeyIdentifier
    """

    signatory: "Signatory"
    by_key_id: bool = False

    @property
    def is_shared(self) -> bool:
        """Only a key in a file."""
        from lkm.actions.signing.file_key import FileKey  # noqa: PLC0415  dear

        return isinstance(self.signatory.key, FileKey)

    @property
    def makes(self) -> bool:
        """So it is."""
        return True

    def message(self, subject: "Subject", content: memoryview, digest: str) -> Message:
        """Sign."""
        try:
            return Message(self.signatory.sign(content, digest=digest, by_key_id=self.by_key_id), digest)
        except LkmError as error:
            error.where = error.where or subject.path
            raise SigningFailed(error) from error


@dataclass(frozen=True, slots=True)
class Brought:
    """CMS messages that somebody made elsewhere.

    :param place: a file; a directory that holds one for each module; or None where they stand beside the modules
    :param certificate: the signatures have to be its key's
    """

    place: str | None
    certificate: "OwnCertificate | None" = None

    @property
    def is_shared(self) -> bool:
        """Files can be read at once."""
        return True

    @property
    def makes(self) -> bool:
        """Somebody else did."""
        return False

    def message(self, subject: "Subject", content: memoryview, digest: str) -> Message:  # noqa: ARG002  decided already
        """Read the message, and see that it is one for a kernel, and this module's."""
        path = _place_of(subject, self.place, SUFFIX)
        try:
            der = _der(_read(path))
            found = _parsed(der)
            notes = _held_against(content, der, self.certificate, found.signers[0].signer)
        except LkmError as error:
            error.where = error.where or path
            raise
        return Message(der, found.signers[0].digest, notes, decided=True)


@dataclass(frozen=True, slots=True)
class BroughtRaw:
    """Signatures without a message, as a signer makes that knows nothing of modules.

    :param place: as of :class:`Brought`; the files end in ``.sig``
    :param certificate: of the key that made them
    :param algorithm: of that key
    :param by_key_id: name the certificate by its subjectKeyIdentifier, where it has one
    """

    place: str | None
    certificate: "OwnCertificate"
    algorithm: "KeyAlgorithm"
    by_key_id: bool = False

    @property
    def is_shared(self) -> bool:
        """Files can be read at once."""
        return True

    @property
    def makes(self) -> bool:
        """Somebody else did."""
        return False

    def message(self, subject: "Subject", content: memoryview, digest: str) -> Message:
        """Put a message around the signature, and see that it is this module's."""
        from lkm.formats.cms_writer import issuer_and_serial, key_identifier, signed_data  # noqa: PLC0415  dear

        own = self.certificate
        path = _place_of(subject, self.place, ".sig")
        signature = _read(path)
        try:
            named = key_identifier(own.key_id) if self.by_key_id and own.key_id else issuer_and_serial(own.der)
            der = signed_data(signature, signer=named, digest=digest, algorithm=self.algorithm)
            _held_against(content, der, own, own.name)
        except LkmError as error:
            error.where = error.where or path
            raise
        return Message(der, digest)


# --- files ------------------------------------------------------------------------------------------------------------


def _place_of(subject: "Subject", place: str | None, suffix: str) -> str:
    """Find the file that belongs to a module."""
    if place is None:
        return subject.path + suffix
    if not os.path.isdir(place):  # noqa: PTH112  pathlib is dear
        return os.path.abspath(place)  # noqa: PTH100  as above
    directory = os.path.abspath(place)  # noqa: PTH100  as above
    names = (subject.relative, os.path.basename(subject.relative))  # noqa: PTH119  as above
    paths = [f"{directory}/{name}{suffix}" for name in names]
    return next((path for path in paths if os.path.exists(path)), paths[0])  # noqa: PTH110  as above


def _read(path: str) -> bytes:
    data = read_key_data(path)
    if not data:
        raise Unreadable("is empty", where=path)
    return data


def _der(data: bytes) -> bytes:
    """Take a message in PEM for what it holds, as tools make it with any label (PKCS7, CMS)."""
    start = data.find(_BEGIN)
    if start < 0:
        return data
    import base64  # noqa: PLC0415  few messages come so
    import binascii  # noqa: PLC0415  as above

    lines = data[start:].split(b"\n")[1:]
    end = next((number for number, line in enumerate(lines) if line.startswith(_DASHES)), None)
    try:
        return base64.b64decode(b"".join(line.strip() for line in lines[:end]), validate=True)
    except binascii.Error as error:
        raise FormatError(f"PEM that can't be read: {error}") from error


def _parsed(der: bytes) -> "SignedData":
    """Read a message, and refuse what no kernel takes (crypto/asymmetric_keys/pkcs7_verify.c, 6.1)."""
    from lkm.formats import cms  # noqa: PLC0415  dear

    try:
        found = cms.parse(der)
    except FormatError as error:
        hint = "a signature for a module is a CMS or PKCS#7 message; one without it: --raw-signature"
        raise FormatError("is no signature: no CMS message in DER or PEM", hint=hint) from error
    make = "have it made anew: openssl cms -sign -binary -noattr -nocerts -nosmimecap -outform DER"
    if found.has_content:
        raise FormatError("holds what was signed, too, and kernels refuse that", hint=make)
    if any(signer.has_signed_attributes and not _may_have_attributes(signer.algorithm) for signer in found.signers):
        raise FormatError("has signed attributes, which kernels refuse in signatures of modules", hint=make)
    return found


def _may_have_attributes(algorithm: str) -> bool:
    return algorithm.startswith(_ML_DSA)


_ML_DSA = "2.16.840.1.101.3.4.3."  # a kernel may be configured to take them (pkcs7_verify.c, 7.2)


def _held_against(
    content: memoryview, der: bytes, certificate: "OwnCertificate | None", signer: str
) -> tuple[str, ...]:
    """See that a signature is the one of a certificate's key, of this content."""
    if certificate is None:
        return ("the signature was not held against the module, as no certificate was named (--certificate)",)
    from lkm.rules.signatures.check import check  # noqa: PLC0415  dear
    from lkm.rules.signatures.policy import SignatureState  # noqa: PLC0415  as above

    found = check(b"".join((content, trailer(der))), [certificate.der], edition=_NEWEST)
    if found.state is SignatureState.TRUSTED:
        return ()
    if found.state is SignatureState.UNKNOWN_KEY:
        who = f", but {signer}'s" if signer != certificate.name else ""
        hint = "look whose it is: openssl cms -cmsout -print -inform DER -in FILE"
        raise UsageError(f"is not {certificate.name}'s signature{who}", hint=hint)
    if found.state is SignatureState.REJECTED:
        raise UsageError(
            "is not the signature of this module by this certificate's key",
            hint="is it another module's or build's, over another hash (--hash), or was it made of the module as it is,"
            " packed or with its old signature, and not of what --raw-data writes?",
        )
    log = "; ".join(found.log) or found.state.name.lower().replace("_", " ")
    raise FormatError(f"no kernel could use it: {log}")
