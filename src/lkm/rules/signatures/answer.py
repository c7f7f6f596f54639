"""A module's signature in words: who signed it, with what, whether it still fits, and which keyring takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lkm.errors import ElfError, FormatError
from lkm.formats.ber import Ber, dotted
from lkm.formats.certificate import describe
from lkm.formats.cms import SignerInfo
from lkm.formats.elf.constants import ElfType
from lkm.formats.elf.extent import extent
from lkm.formats.elf.reader import Elf
from lkm.formats.module_signature import KeyIdType, read, split_all
from lkm.rules.signatures import pkcs7_message
from lkm.rules.signatures.check import SignatureFinding, check_by
from lkm.rules.signatures.pkcs7_algorithms import key_algorithm_of
from lkm.rules.signatures.pkcs7_trust import identifier_of
from lkm.rules.signatures.policy import SignatureState
from lkm.rules.signatures.trust import Trust
from lkm.rules.signatures.trusted_certificate import NEWEST_EDITION, as_kept

__all__ = ["OWNERS", "KnownKey", "SignatureAnswer", "Verifier", "answer"]

OWNERS = "MOK"
"""Stands for a keyring where a certificate is on a list of the machine's owner, and in no keyring."""

_COMMON_NAME = "2.5.4.3"
_TEXTS = {0x1E: "utf-16-be", 0x1C: "utf-32-be"}  # BMPString, UniversalString
_LONGEST_NAME = 200
_LONGEST_NUMBER = 64  # bytes to show; RFC 5280 allows serial numbers of 20


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A certificate that is known, whether or not it counts.

    :param keyring: the kernel's, as in ``.machine``; or what else it is, for people
    :param source: where it was read
    :param why_not: why it does not count, for people; empty where it does
    """

    keyring: str
    source: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Verifier:
    """What signatures are held against.

    :param trust: what counts
    :param known: certificates by DER, those that do not count too
    :param knows_all: what counts is known; otherwise a key that is not found may be there all the same
    """

    trust: Trust
    known: Mapping[bytes, KnownKey]
    knows_all: bool = True


@dataclass(frozen=True, slots=True)
class SignatureAnswer:
    """What is known of a module's signature.

    :param state: what the kernel's check gives, the name of a :class:`SignatureState`
    :param is_signed: there is a signature, of whatever kind
    :param keyring: which takes it; None where none does
    :param source: where that keyring's certificate was read
    :param signer: the subject of the signer's certificate in short, or where that is not known the issuer that is named
    :param serial: the serial number of the signer's certificate, hexadecimal; empty where a key identifier names it
    :param key_id: the subject key identifier, hexadecimal; empty where it is not known
    :param key: kind and size of the key, as in ``RSA 4096``; as far as the signature tells, where no certificate does
    :param digest: under the kernel's name
    :param is_untouched: the contents are those that were signed; None where the signer's key is not at hand
    :param is_known_key: the signer's certificate is at hand, though it does not count
    :param is_owners: the signer's certificate is on a list of the machine's owner, and does not count
    :param can_be_enrolled: to enrol the signer's certificate would help
    :param can_be_signed: the module is whole, and may be signed anew
    :param log: the lines that the kernel prints
    :param why: why no keyring takes it; empty where one does
    """

    state: str
    is_signed: bool = False
    keyring: str | None = None
    source: str = ""
    signer: str = ""
    serial: str = ""
    key_id: str = ""
    key: str = ""
    digest: str = ""
    is_untouched: bool | None = None
    is_known_key: bool = False
    is_owners: bool = False
    can_be_enrolled: bool = False
    can_be_signed: bool = True
    log: tuple[str, ...] = ()
    why: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether a keyring that counts takes it."""
        return self.state == SignatureState.TRUSTED.name


def answer(contents: bytes, verifier: Verifier) -> SignatureAnswer:
    """Tell what is known of a module's signature.

    :param contents: the unpacked module file
    """
    finding = check_by(contents, verifier.trust)
    if finding.state is SignatureState.UNSIGNED:
        return SignatureAnswer(finding.state.name, can_be_signed=_is_whole(contents), why="it carries no signature")
    signer, inside = _first_signer(contents)
    if signer is None:
        return SignatureAnswer(
            finding.state.name,
            is_signed=True,
            can_be_signed=_is_whole(contents),
            log=finding.log,
            why=_unread(contents, finding),
        )
    der = finding.certificate
    untouched = _is_untouched(finding)
    if der is None:
        der, untouched = _second_look(contents, verifier, signer, inside)
    facts = describe(der) if der is not None else None
    known = verifier.known.get(der) if der is not None else None
    is_accepted = finding.state is SignatureState.TRUSTED
    return SignatureAnswer(
        state=finding.state.name,
        is_signed=True,
        keyring=known.keyring if known and is_accepted else None,
        source=known.source if known and is_accepted else "",
        signer=(facts.name or facts.subject) if facts else _name(signer.issuer or b""),
        serial=_hexadecimal(signer.serial),
        key_id=((facts.key_id if facts else signer.key_id) or b"")[:_LONGEST_NUMBER].hex(),
        key=facts.key if facts else _kind_of(signer),
        digest=signer.digest,
        is_untouched=untouched,
        is_known_key=der is not None and not is_accepted,
        is_owners=known is not None and known.keyring == OWNERS and not is_accepted,
        can_be_enrolled=untouched is not False and known is None and not _lacks(verifier, signer),
        can_be_signed=is_accepted or _is_whole(contents),
        log=finding.log,
        why="" if is_accepted else _why_not(finding, verifier, known, signer, untouched=untouched),
    )


def _is_whole(contents: bytes) -> bool:
    """Tell whether all of a module is there, and a signature, if any, where its trailer says."""
    try:
        size, _ = split_all(contents)
        elf = Elf(memoryview(contents)[:size])
        extent(elf)
    except (ElfError, FormatError):
        return False
    return elf.type == ElfType.REL


def _is_untouched(finding: SignatureFinding) -> bool | None:
    if finding.state is SignatureState.TRUSTED or finding.is_revoked:
        return True
    return False if finding.state is SignatureState.REJECTED and finding.certificate is not None else None


def _first_signer(contents: bytes) -> tuple[SignerInfo | None, tuple[bytes, ...]]:
    """Read who signed, and which certificates are inside, with all that any kernel understands."""
    try:
        trailer = read(contents)
        if trailer is None or trailer.id_type != KeyIdType.PKCS7 or trailer.sig_len >= trailer.offset:
            return None, ()
        message = pkcs7_message.parse(trailer.signature(contents), NEWEST_EDITION)
    except FormatError:
        return None, ()
    if not message.signers:
        return None, ()
    return message.signers[0], tuple(certificate.der for certificate in message.certificates)


def _second_look(
    contents: bytes, verifier: Verifier, signer: SignerInfo, inside: tuple[bytes, ...]
) -> tuple[bytes | None, bool | None]:
    """Look for the signer among the certificates that do not count, and hold the contents against its key."""
    for der in (*verifier.known, *inside):
        certificate = as_kept(der)
        if certificate is not None and identifier_of(signer) in {certificate.identifier, certificate.key_id}:
            again = check_by(contents, Trust((der,), edition=NEWEST_EDITION))
            return der, _is_untouched(again)
    return None, None


# --- why not ----------------------------------------------------------------------------------------------------------


def _unread(contents: bytes, finding: SignatureFinding) -> str:
    try:
        trailer = read(contents)
    except FormatError as error:
        return error.reason
    if trailer is not None and trailer.sig_len >= trailer.offset:
        return f"its signature claims {trailer.sig_len} bytes, and {trailer.offset} stand before it: it is damaged"
    if trailer is not None and trailer.id_type != KeyIdType.PKCS7:
        names = {KeyIdType.PGP: "PGP", KeyIdType.X509: "X.509, of before kernel 4.3"}
        kind = names.get(KeyIdType(trailer.id_type), "") if trailer.id_type in set(KeyIdType) else ""
        return f"its signature is of type {trailer.id_type}{f' ({kind})' if kind else ''}, and not PKCS#7"
    if finding.state is SignatureState.TOO_LONG:
        return "its signature is longer than the kernel reads"
    if any(line.startswith("X.509: ") for line in finding.log):
        return "a certificate inside of its signature is damaged"
    return "its signature can't be read: it is damaged, or no PKCS#7 message"


def _why_not(
    finding: SignatureFinding,
    verifier: Verifier,
    known: KnownKey | None,
    signer: SignerInfo,
    *,
    untouched: bool | None,
) -> str:
    match finding.state:
        case SignatureState.UNKNOWN_KEY:
            return _unknown(verifier, known, signer, untouched=untouched)
        case SignatureState.UNSUPPORTED:
            return "the kernel does not know its digest or its kind of key"
        case SignatureState.REJECTED:
            return _rejected(finding, known, untouched=untouched)
        case SignatureState.UNAVAILABLE:
            return "the kernel was built without the algorithm of a certificate inside of the signature"
    if any(line.startswith("module: PKCS#7 signature info") for line in finding.log):
        return "the trailer behind its signature has fields set that must be zero"
    if "PKCS#7 signature with non-detached data" in finding.log:
        return "its signature holds the contents once more, which a module's must not"
    return "its signature is damaged, or not as sign-file makes them"


def _rejected(finding: SignatureFinding, known: KnownKey | None, *, untouched: bool | None) -> str:
    if finding.is_revoked:
        return "the module itself is revoked" if finding.certificate else "the signer's key is revoked"
    told = {
        "PKCS7: Invalid module sig (has authattrs)": "its signature has signed attributes, which a module's must not",
        "PKCS7: Invalid module sig (not pkcs7-data)": "its signature speaks for another kind of data than modules",
    }
    for line in finding.log:
        if line in told:
            return told[line]
    if untouched is False:
        return "its contents were changed after it was signed"
    if known is not None and known.keyring == ".blacklist":
        return "the signer's key is revoked"
    return "its signature does not fit its contents, or the certificate inside of it is revoked or bad"


def _unknown(verifier: Verifier, known: KnownKey | None, signer: SignerInfo, *, untouched: bool | None) -> str:
    changed = "; and its contents were changed after it was signed" if untouched is False else ""
    if known is not None and known.why_not:
        return f"{known.why_not}{changed}"
    if _lacks(verifier, signer):
        kind = _kind_of(signer).partition(" ")[0]
        return f"the kernel was built without {kind} signatures, and so takes no such keys into its keyrings{changed}"
    if known is not None:
        return f"the kernel can't use the signer's certificate{changed}"
    if not verifier.knows_all:
        return f"which keys the kernel holds is not known, for its image could not be read{changed}"
    return f"no keyring has the signer's key{changed}"


def _lacks(verifier: Verifier, signer: SignerInfo) -> bool:
    """Tell whether the kernel was built without what the signature needs."""
    return key_algorithm_of(signer.algorithm).rstrip("0123456789") in verifier.trust.lacking


# --- words ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _name(issuer: bytes) -> str:
    """Give the common name of a Name without its header, else its last part."""
    last = ""
    try:
        parts = Ber(issuer)
        while not parts.at_end:
            assertions = parts.inside(parts.take())
            while not assertions.at_end:
                assertion = assertions.inside(assertions.take())
                oid = dotted(assertion.contents(assertion.take()))
                value = assertion.take()
                text = assertion.contents(value).decode(_TEXTS.get(value.tag, "utf-8"), "replace")
                if oid == _COMMON_NAME:
                    return text[:_LONGEST_NAME]
                last = text
    except FormatError:
        return ""
    return last[:_LONGEST_NAME]


def _hexadecimal(serial: bytes | None) -> str:
    return "" if serial is None else (serial.lstrip(b"\0") or b"\0")[:_LONGEST_NUMBER].hex()


def _kind_of(signer: SignerInfo) -> str:
    kind = key_algorithm_of(signer.algorithm)
    if kind == "rsa":
        return f"RSA {8 * len(signer.signature)}"
    return {"ecdsa": "EC", "ecrdsa": "GOST", "sm2": "SM2"}.get(kind) or kind.replace("mldsa", "ML-DSA ")
