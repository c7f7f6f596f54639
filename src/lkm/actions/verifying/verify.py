"""Verifying the signatures of modules: who signed each, whether it still fits, and which keyring takes it."""

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lkm.actions.showing import Advance, Showing, unseen
from lkm.actions.verifying.kernel import VerifyingKernel, by_certificates, by_kernel
from lkm.actions.verifying.options import VerifyOptions
from lkm.errors import CompressionError, FormatError, LkmError, Unreadable, UsageError
from lkm.formats.module_signature import append, split_all
from lkm.rules.signatures.answer import SignatureAnswer, answer
from lkm.system.side_by_side import in_order

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.actions.signing.subjects import Subject

__all__ = ["Verified", "VerifyReport", "verify"]

_LONGEST_SIGNATURE = 1 << 20  # bytes of a detached one; the kernel reads 64 KiB
_ELF = b"\x7fELF"
_ENDS = "module files end in .ko, .ko.gz, .ko.xz or .ko.zst"
_PEM = b"-----BEGIN"
_CERTIFICATE = b"-----BEGIN CERTIFICATE"


@dataclass(frozen=True, slots=True)
class Verified:
    """A module.

    :param path: of the host
    :param relative: its path below the directory that was searched, else its name
    :param answer: what is known of its signature
    """

    path: str
    relative: str
    answer: SignatureAnswer


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found.

    :param kernel: what the signatures were held against
    :param modules: in order
    :param errors: what could not be found or read
    """

    kernel: VerifyingKernel
    modules: tuple[Verified, ...]
    errors: tuple[LkmError, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def all_accepted(self) -> bool:
        """Whether every signature is taken."""
        return all(module.answer.is_accepted for module in self.modules)


def verify(
    session: "Session",
    subjects: Sequence[str],
    options: VerifyOptions | None = None,
    showing: Showing = unseen,
) -> VerifyReport:
    """Verify modules.

    :param subjects: names, aliases, or paths of module files of the host
    :param showing: shows how far it is: takes the number of modules, gives what is told how many more were done
    :raises UsageError: the options do not go together
    :raises Unreadable: the kernel's facts, the tree or the detached signature can't be read
    """
    options = options or VerifyOptions()
    _refuse_nonsense(subjects, options)
    from lkm.actions.signing.subjects import below, named  # noqa: PLC0415  the verb's --help needs none

    found = named(session, subjects) if options.tree is None else below(session, options.tree or None)
    detached = None if options.detached is None else _detached(options.detached)
    kernel = by_certificates(session, options) if options.certificates else by_kernel(session, options)
    work = _Work(found.files, kernel, detached)
    with showing(len(found.files)) as advance:
        modules, errors = work.carry_out(advance)
    return VerifyReport(kernel, modules, (*found.failures, *errors), found.notes)


def _refuse_nonsense(subjects: Sequence[str], options: VerifyOptions) -> None:
    if options.tree is not None and subjects:
        raise UsageError("--tree and names of modules don't go together", hint="lkm verify --tree DIR")
    if options.tree is None and not subjects:
        raise UsageError("nothing to verify", hint="name module files or modules, or use --tree")
    if options.detached is not None and (options.tree is not None or len(subjects) != 1):
        raise UsageError("a detached signature is of one module", hint="lkm verify --detached FILE.p7s FILE.ko")
    if options.certificates and (options.profile_file or options.kernel_image):
        raise UsageError(
            "--certificate asks no kernel",
            hint="what a kernel does that trusts it besides: lkm check --trust CERT",
        )


def _detached(path: str) -> bytes:
    from lkm.actions.load_names import file_for  # noqa: PLC0415  rarely asked for

    module = file_for(path)
    data = module.root.read_bytes(module.path, limit=_LONGEST_SIGNATURE)
    if data.startswith(_CERTIFICATE):
        raise Unreadable("is a certificate and no signature", where=path, hint="lkm verify --certificate CERT FILE")
    if data.startswith(_PEM):
        files = f"-in {shlex.quote(path)} -out {shlex.quote(f'{path}.der')}"
        hint = f"turn it into DER: openssl cms -cmsout -inform PEM -outform DER {files}"
        raise Unreadable("is a signature in PEM, and modules have theirs in DER", where=path, hint=hint)
    return data


class _Work:
    """The modules of one call, which several processes read."""

    def __init__(self, files: Sequence["Subject"], kernel: VerifyingKernel, detached: bytes | None) -> None:
        self._files = files
        self._kernel = kernel
        self._detached = detached

    def carry_out(self, advance: Advance) -> tuple[tuple[Verified, ...], list[LkmError]]:
        """Verify all of them.

        :returns: those that could be read, and why the others could not
        """
        modules: list[Verified] = []
        errors: list[LkmError] = []
        for number, packed in enumerate(in_order(len(self._files), self._packed)):
            subject = self._files[number]
            try:
                found = self._answer(number) if packed is None else _unpacked(packed)
                modules.append(Verified(subject.path, subject.relative, found))
            except (CompressionError, Unreadable) as error:
                error.where = error.where or subject.path
                if error.hint is None and os.path.isdir(subject.path):  # noqa: PTH112  pathlib is dear
                    error.hint = f"all modules below it: lkm verify --tree {shlex.quote(subject.path)}"
                errors.append(error)
            advance(1)
        return tuple(modules), errors

    def _answer(self, number: int) -> SignatureAnswer:
        from lkm.actions.load_names import file_for  # noqa: PLC0415  as above

        contents = file_for(self._files[number].path).contents
        if not contents.startswith(_ELF):
            raise Unreadable("is no kernel module: it does not begin as ELF files do", hint=_ENDS)
        if self._detached is not None:
            contents = append(_unsigned(contents), self._detached)
        return answer(contents, self._kernel.verifier)

    def _packed(self, number: int) -> bytes | None:
        """Do one in another process; what fails is done again here, for errors don't travel."""
        try:
            return json.dumps(asdict(self._answer(number))).encode()
        except LkmError:
            return None


def _unsigned(contents: bytes) -> bytes:
    """Take off the signatures that are there already, as `lkm sign --detached` does: its own speaks for the rest."""
    try:
        return contents[: split_all(contents)[0]]
    except FormatError:
        return contents


def _unpacked(packed: bytes) -> SignatureAnswer:
    plain = json.loads(packed)
    return SignatureAnswer(**{**plain, "log": tuple(plain["log"])})
