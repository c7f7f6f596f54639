"""What is done with one module file: its old signatures looked at, the new one made, and all of it packed again."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from lkm.actions.signing.messages import SUFFIX
from lkm.actions.signing.module_contents import ModuleContents, read_module, signer_of
from lkm.actions.signing.results import SignedFile, SignOutcome
from lkm.errors import LkmError
from lkm.formats.compression import Compression, compress
from lkm.formats.module_signature import trailer
from lkm.system.replacing import FileState

if TYPE_CHECKING:
    from lkm.actions.signing.hash_choice import HashChoice, HashChooser
    from lkm.actions.signing.kernel_fit import KernelFit
    from lkm.actions.signing.messages import Message, Messages
    from lkm.actions.signing.own_certificate import OwnCertificate
    from lkm.actions.signing.subjects import Subject

__all__ = ["OldSignature", "Product", "SignJob", "Writing", "treat"]

_CONTENT_SUFFIX = ".data"
_NEWEST = 3  # edition of the kernel's object identifiers: all that any kernel may know


class OldSignature(Enum):
    """What becomes of a signature that a module has already; one by the same certificate is always replaced."""

    KEEP = "keep"
    """Somebody else's is left alone, and so is the module."""
    REPLACE = "replace"
    ADD = "add"
    """The new one stands over it: kernels look at the outermost only."""


class Product(Enum):
    """What is written."""

    MODULE = "module"
    MESSAGE = "message"
    """The signature alone, for who puts it to the module later."""
    CONTENT = "content"
    """What is to be signed elsewhere: the module without signature, unpacked."""


@dataclass(frozen=True, slots=True)
class SignJob:
    """What is to be done with each module.

    :param messages: where signatures come from; None to take them away, or for what is to be signed elsewhere
    :param hashes: chooses the digest
    :param certificate: whose signatures are one's own; None where that is not known
    :param fit: tells whether kernels can use such signatures
    :param by_key_id: one's own signatures are to name the certificate by its key identifier
    :param old: what becomes of others' signatures
    :param skips_others: to leave somebody else's signature alone is no failure
    :param output: a directory of the host for what is written; None for the modules themselves, or beside them
    """

    messages: "Messages | None"
    hashes: "HashChooser"
    certificate: "OwnCertificate | None" = None
    fit: "KernelFit | None" = None
    by_key_id: bool = False
    old: OldSignature = OldSignature.KEEP
    skips_others: bool = False
    product: Product = Product.MODULE
    output: str | None = None
    dry_run: bool = False


class Writing(NamedTuple):
    """A file to be written.

    :param like: whose owner and permissions it gets
    :param is_old: ``like`` is the file that is replaced
    """

    path: str
    pieces: tuple[bytes | memoryview, ...]
    like: FileState | None
    is_old: bool


def treat(subject: "Subject", job: SignJob) -> tuple[SignedFile, Writing | None]:
    """Do what is to be done, but for writing it.

    :returns: what became of it once ``Writing``, if any, is written
    :raises LkmError: it can't be done with this module
    :raises SigningFailed: it can be done with none
    """
    module = read_module(subject.path)
    former = signer_of(module)[0] if module.signatures else None
    found = SignedFile(subject.path, SignOutcome.FAILED, former=former, notes=tuple(_notes(subject, module, job)))
    if job.product is Product.CONTENT:
        return _exported(subject, module, job, found)
    if job.messages is None:
        return _stripped(subject, module, job, found)
    return _signed(subject, module, job, found, job.messages)


def _exported(
    subject: "Subject", module: ModuleContents, job: SignJob, found: SignedFile
) -> tuple[SignedFile, Writing | None]:
    content = module.without(_layers_to_take(module, job))
    target = _target(subject, job, _CONTENT_SUFFIX)
    choice = job.hashes.choose(memoryview(module.data)[: module.size])
    found = _chosen(found, choice)._replace(outcome=SignOutcome.WRITTEN, target=target)
    return found, _unless_dry(job, Writing(target, (content,), None, is_old=False))


def _stripped(
    subject: "Subject", module: ModuleContents, job: SignJob, found: SignedFile
) -> tuple[SignedFile, Writing | None]:
    if not module.signatures and not module.signed_outside:
        return _left(subject, module, job, found._replace(outcome=SignOutcome.UNSIGNED))
    pieces = _packed((module.without(len(module.signatures)),), module.compression)
    return _written(subject, module, job, found._replace(outcome=SignOutcome.STRIPPED), pieces)


def _signed(
    subject: "Subject", module: ModuleContents, job: SignJob, found: SignedFile, messages: "Messages"
) -> tuple[SignedFile, Writing | None]:
    choice = job.hashes.choose(memoryview(module.data)[: module.size])
    found = _chosen(found, choice)
    to_module = job.product is Product.MODULE
    if module.signatures and to_module:
        if _is_as_wanted(module, job, choice.digest):
            return _left(subject, module, job, found._replace(outcome=SignOutcome.ALREADY))
        if job.old is OldSignature.KEEP and not _own_layers(module, job):
            if job.skips_others:
                return _left(subject, module, job, found._replace(outcome=SignOutcome.KEPT))
            hint = "--replace puts yours in its place, --add puts yours over it: kernels look at the outermost only"
            raise LkmError(f"has a signature already, by {found.former}", where=subject.path, hint=hint)
    layers = _layers_to_take(module, job)
    content = module.without(layers)
    message = None
    if not (job.dry_run and messages.makes):
        message = messages.message(subject, content, choice.digest)
        unfit = job.fit.notes(choice.kernel, message.digest, content, message.der) if job.fit else ()
        found = found._replace(digest=message.digest, notes=(*found.notes, *message.notes, *unfit))
        if message.decided:
            found = found._replace(reason="as the message has it")
    if not to_module:
        target = _target(subject, job, SUFFIX)
        found = found._replace(outcome=SignOutcome.WRITTEN, target=target)
        return found, None if message is None else _unless_dry(job, Writing(target, (message.der,), None, is_old=False))
    return _with_message(subject, module, job, found, message, layers)


def _chosen(found: SignedFile, choice: "HashChoice") -> SignedFile:
    return found._replace(digest=choice.digest, reason=choice.reason, kernel=choice.kernel)


def _with_message(
    subject: "Subject",
    module: ModuleContents,
    job: SignJob,
    found: SignedFile,
    message: "Message | None",
    layers: int,
) -> tuple[SignedFile, Writing | None]:
    outcome = SignOutcome.SIGNED
    if module.signatures:
        outcome = SignOutcome.REPLACED if layers else SignOutcome.ADDED
    found = found._replace(outcome=outcome)
    if message is None:
        return found._replace(target=_target(subject, job, "")), None
    content, end = module.without(layers), trailer(message.der)
    if not module.signed_outside and memoryview(module.data)[len(content) :] == end:
        return _left(subject, module, job, found._replace(outcome=SignOutcome.ALREADY))
    return _written(subject, module, job, found, _packed((content, end), module.compression))


# --- old signatures ---------------------------------------------------------------------------------------------------


def _own_layers(module: ModuleContents, job: SignJob) -> int:
    """Count the signatures, from the outermost on, that name one's own certificate."""
    if job.certificate is None:
        return 0
    for layer in range(len(module.signatures)):
        info = signer_of(module, layer)[1]
        if info is None or not job.certificate.is_named_by(info):
            return layer
    return len(module.signatures)


def _is_as_wanted(module: ModuleContents, job: SignJob, digest: str) -> bool:
    """Tell whether the outermost signature is good, and as a new one would be."""
    info = signer_of(module)[1]
    several = len(module.signatures) > 1 and job.old is OldSignature.REPLACE
    if info is None or several or module.signed_outside or job.certificate is None or _own_layers(module, job) != 1:
        return False
    if info.digest != digest or (info.key_id is not None) != job.by_key_id:
        return False
    from lkm.rules.signatures.check import check  # noqa: PLC0415  dear
    from lkm.rules.signatures.policy import SignatureState  # noqa: PLC0415  as above

    return check(module.data, [job.certificate.der], edition=_NEWEST).state is SignatureState.TRUSTED


def _layers_to_take(module: ModuleContents, job: SignJob) -> int:
    """Tell how many of the old signatures the new one takes the place of."""
    own = _own_layers(module, job)
    if job.old is OldSignature.ADD or (own and job.old is OldSignature.KEEP):
        return own
    return len(module.signatures)


def _notes(subject: "Subject", module: ModuleContents, job: SignJob) -> Iterator[str]:
    if module.signed_outside:
        yield "a signature behind the packed file, where no kernel looks, is taken away"
    if module.odd_bytes:
        yield f"{module.odd_bytes} bytes behind the last section are no signature: what is left of one, perhaps"
    if job.product is not Product.MODULE or job.output is not None:
        return
    if subject.other_names > 0:
        yield f"{subject.other_names} more hard links lead to this file: they keep the old contents"
    for name in module.state.vouchers:
        yield f"the attribute {name} is for the old contents and is dropped: sign anew with evmctl"


# --- what is written --------------------------------------------------------------------------------------------------


def _packed(pieces: tuple[bytes | memoryview, ...], compression: Compression) -> tuple[bytes | memoryview, ...]:
    return pieces if compression is Compression.NONE else (compress(b"".join(pieces), compression),)


def _left(
    subject: "Subject", module: ModuleContents, job: SignJob, found: SignedFile
) -> tuple[SignedFile, Writing | None]:
    """Leave a module as it is; a directory for the results gets a copy all the same."""
    found = found._replace(notes=())
    return (found, None) if job.output is None else _written(subject, module, job, found, (module.raw,))


def _written(
    subject: "Subject", module: ModuleContents, job: SignJob, found: SignedFile, pieces: tuple[bytes | memoryview, ...]
) -> tuple[SignedFile, Writing | None]:
    target = _target(subject, job, "")
    writing = Writing(target, pieces, module.state, is_old=job.output is None)
    return found._replace(target=target), _unless_dry(job, writing)


def _unless_dry(job: SignJob, writing: Writing) -> Writing | None:
    return None if job.dry_run else writing


def _target(subject: "Subject", job: SignJob, suffix: str) -> str:
    if job.output is None:
        return subject.path + suffix
    return f"{os.path.abspath(job.output)}/{subject.relative}{suffix}"  # noqa: PTH100  pathlib is dear
