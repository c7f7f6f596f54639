"""Signing modules as a user asks for it: which files, by which key, and what is to be known afterwards."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lkm.actions.signing.hash_choice import HashChooser
from lkm.actions.signing.kernel_fit import KernelFit
from lkm.actions.signing.messages import Brought, BroughtRaw, Made
from lkm.actions.signing.own_certificate import own_certificate
from lkm.actions.signing.sign_files import sign_files
from lkm.actions.signing.subjects import Subjects, below, named
from lkm.actions.signing.treatment import OldSignature, Product, SignJob
from lkm.errors import LkmError, UsageError
from lkm.formats.module_name import is_sane

if TYPE_CHECKING:
    from cryptography import x509

    from lkm.actions.initramfs_drift import Drift
    from lkm.actions.session import Session
    from lkm.actions.signing.own_certificate import OwnCertificate
    from lkm.actions.signing.results import SignedFile

__all__ = ["SignPlan", "SignReport", "SignRequest", "carry_out", "prepare"]

_TREES = ("/lib/modules/", "/usr/lib/modules/")
_KEY_PLACES = (  # where DKMS, Debian, Ubuntu, Fedora's akmods and kernel builds keep them
    ("/var/lib/dkms/mok.key", "/var/lib/dkms/mok.pub"),
    ("/var/lib/shim-signed/mok/MOK.priv", "/var/lib/shim-signed/mok/MOK.der"),
    ("/etc/pki/akmods/private/private_key.priv", "/etc/pki/akmods/certs/public_key.der"),
)


@dataclass(frozen=True, slots=True)
class SignRequest:
    """What a user wants.

    :param words: module files of the host, or names of modules
    :param tree: a directory of the host, all modules of which are meant; empty for the session's module tree
    :param key: a file of the host, or a ``pkcs11:`` URI
    :param certificate: a file of the host
    :param pass_phrase: asks for it; None for the environment alone
    :param pkcs11_module: the library for a ``pkcs11:`` URI
    :param hash: the digest; None to choose as the kernels' configuration says
    :param attach: a CMS message of the host, or a directory of them, in place of a key
    :param raw_signature: likewise signatures without a message
    :param strip: take signatures away
    :param any_certificate: sign also with a certificate that is out of date, or not a signer's
    """

    words: tuple[str, ...] = ()
    tree: str | None = None
    key: str | None = None
    certificate: str | None = None
    pass_phrase: Callable[[], bytes] | None = None
    pkcs11_module: str | None = None
    hash: str | None = None
    by_key_id: bool = False
    old: OldSignature = OldSignature.KEEP
    product: Product = Product.MODULE
    attach: str | None = None
    raw_signature: str | None = None
    strip: bool = False
    output: str | None = None
    dry_run: bool = False
    any_certificate: bool = False


class SignPlan(NamedTuple):
    """What is to be done with which files.

    :param remarks: what is odd about the certificate
    """

    subjects: Subjects
    job: SignJob
    remarks: tuple[str, ...] = ()


class SignReport(NamedTuple):
    """What was done.

    :param files: what became of each
    :param failures: what could not be found
    :param notes: what else is to be known
    :param certificate: whose key signed; None where there was none
    :param kernel: the release that all were signed for, where that is one, and not the session's
    :param stale: for each kernel release whose modules changed, the initramfs that holds old copies
    """

    files: "tuple[SignedFile, ...]"
    failures: tuple[LkmError, ...]
    notes: tuple[str, ...] = ()
    certificate: "OwnCertificate | None" = None
    kernel: str | None = None
    stale: "tuple[Drift, ...]" = ()

    @property
    def errors(self) -> tuple[LkmError, ...]:
        """All that went wrong."""
        return (*self.failures, *(file.error for file in self.files if file.error is not None))


def prepare(session: "Session", request: SignRequest) -> SignPlan:
    """Open the key, and find the files.

    :raises UsageError: the words contradict each other, or the key can't be used
    :raises Unreadable: the key, the certificate or the directory can't be read
    """
    _check(request)
    job, remarks = _job(session, request)
    subjects = named(session, request.words) if request.tree is None else below(session, request.tree or None)
    attached = request.attach or request.raw_signature
    if attached is not None and len(subjects.files) > 1 and not os.path.isdir(attached):  # noqa: PTH112  pathlib is dear
        hint = "one signature is for one module; of several modules name the directory that holds their signatures"
        raise UsageError(f"{attached} is no directory, and there are {len(subjects.files)} modules", hint=hint)
    return SignPlan(subjects, job, remarks)


def carry_out(session: "Session", plan: SignPlan, advance: Callable[[int], object] = lambda _: None) -> SignReport:
    """Do it; no file's failure is an error here.

    :param advance: as for :func:`lkm.actions.signing.sign_files.sign_files`
    """
    files = sign_files(plan.subjects.files, plan.job, advance)
    return SignReport(
        files,
        plan.subjects.failures,
        (*plan.remarks, *plan.subjects.notes),
        plan.job.certificate if plan.job.messages is not None else None,
        _other_kernel(session, files),
        () if plan.job.dry_run else _stale(session, files),
    )


# --- what is asked for ------------------------------------------------------------------------------------------------


def _check(request: SignRequest) -> None:
    if request.words and request.tree is not None:
        raise UsageError("name either modules or --tree", hint="what is named behind --tree is the directory")
    if not request.words and request.tree is None:
        raise UsageError("no module is named", hint="name files, names, or a directory of modules: --tree DIR")
    for option, path in _paths_of(request):
        if path is not None and not is_sane(path):
            raise UsageError("names no file or directory", where=option)
    is_keyless = request.strip or request.product is Product.CONTENT or request.attach or request.raw_signature
    if is_keyless and request.key is not None:
        raise UsageError("nothing is signed here, so that a key has no use", where="--key", hint="leave it out")
    if request.strip and request.old is not OldSignature.KEEP:
        raise UsageError("--strip takes all signatures away", hint="leave out --replace and --add")
    if request.attach and request.hash:
        raise UsageError("the message tells its hash itself", where="--hash", hint="leave it out")


def _paths_of(request: SignRequest) -> tuple[tuple[str, str | None], ...]:
    return (
        ("--output", request.output),
        ("--attach", request.attach),
        ("--raw-signature", request.raw_signature),
        ("--key", request.key),
        ("--certificate", request.certificate),
    )


def _job(session: "Session", request: SignRequest) -> tuple[SignJob, tuple[str, ...]]:
    target, tree = session.target, request.tree
    of_tree = session.tree.release if tree == "" else None
    hashes = HashChooser(session.root, request.hash, target.release or of_tree, _release(session))
    job = SignJob(
        None,
        hashes,
        by_key_id=request.by_key_id,
        old=request.old,
        skips_others=tree is not None,
        product=request.product,
        output=request.output,
        dry_run=request.dry_run,
    )
    if request.strip or request.product is Product.CONTENT:
        return job, ()
    if request.attach is not None or request.raw_signature is not None:
        return _with_brought(job, request), ()
    return _with_key(job, request)


def _release(session: "Session") -> str | None:
    """Give the release of the session's tree; of other roots that may be none or several."""
    try:
        return session.tree.release
    except LkmError:
        return None


def _with_key(job: SignJob, request: SignRequest) -> tuple[SignJob, tuple[str, ...]]:
    from dataclasses import replace  # noqa: PLC0415  as below

    from lkm.actions.signing.signatory import open_signatory  # noqa: PLC0415  dear, and --strip needs none

    if request.key is None:
        raise UsageError("no key is named", hint=_key_hint())
    signatory = open_signatory(
        request.key, request.certificate, pass_phrase=request.pass_phrase, pkcs11_module=request.pkcs11_module
    )
    if signatory.faults and not request.any_certificate:
        hint = "name another certificate; --any-certificate signs with this one all the same"
        raise UsageError(signatory.faults[0], where=request.certificate or request.key, hint=hint)
    certificate = own_certificate(signatory.certificate)
    if request.by_key_id and certificate.key_id is None:
        hint = "leave -k out, or have the certificate issued with one, as lkm keys new does"
        raise UsageError("the certificate has no subject key identifier to name it by", hint=hint)
    made = Made(signatory, request.by_key_id)
    return replace(job, messages=made, certificate=certificate, fit=KernelFit(certificate)), signatory.remarks


def _key_hint() -> str:
    found = [pair for pair in _KEY_PLACES if os.path.exists(pair[0])]  # noqa: PTH110  pathlib is dear
    if found:
        return f"there is one here: --key {found[0][0]} --certificate {found[0][1]}"
    return "--key KEY --certificate CERTIFICATE; a new pair: lkm keys new"


def _with_brought(job: SignJob, request: SignRequest) -> SignJob:
    from dataclasses import replace  # noqa: PLC0415  as below

    certificate = None if request.certificate is None else _read_certificate(request.certificate)
    own = None if certificate is None else own_certificate(certificate)
    if request.attach is not None:
        fit = None if own is None else KernelFit(own)
        return replace(job, messages=Brought(request.attach, own), certificate=own, fit=fit)
    if own is None or certificate is None:
        raise UsageError("a signature alone does not tell whose it is", hint="name its certificate: --certificate")
    from lkm.rules.signatures.signing_key import algorithm_of  # noqa: PLC0415  dear

    raw = BroughtRaw(request.raw_signature, own, algorithm_of(certificate), request.by_key_id)
    return replace(job, messages=raw, certificate=own, fit=KernelFit(own))


def _read_certificate(path: str) -> "x509.Certificate":
    from lkm.actions.certificate_files import read_certificates  # noqa: PLC0415  dear

    return read_certificates(path)[0]


# --- afterwards -------------------------------------------------------------------------------------------------------


def _other_kernel(session: "Session", files: "tuple[SignedFile, ...]") -> str | None:
    """Name the kernel that all were signed for, if it has its module tree here and is not the session's."""
    found = {file.kernel for file in files if file.error is None}
    only = found.pop() if len(found) == 1 else None
    if only is None or "/" in only or only == _release(session):
        return None
    return only if any(session.root.is_dir(f"{tree}{only}") for tree in _TREES) else None


def _stale(session: "Session", files: "tuple[SignedFile, ...]") -> "tuple[Drift, ...]":
    """Find the initramfs images that hold modules as they were before."""
    changed: dict[str, list[str]] = {}
    for file in files:
        if file.target == file.path and file.outcome.changes_module:
            release = _release_of(session, file.path)
            if release is not None:
                changed.setdefault(release, []).append(file.path)
    return tuple(found for release, paths in changed.items() if (found := _drift(session, release, paths)) is not None)


def _release_of(session: "Session", path: str) -> str | None:
    """Tell to which kernel's tree in the session's root a file belongs."""
    inside = path.removeprefix(session.root.prefix)
    for tree in _TREES:
        if inside.startswith(tree):
            return inside.removeprefix(tree).partition("/")[0]
    return None


def _drift(session: "Session", release: str, paths: list[str]) -> "Drift | None":
    from lkm.actions.initramfs_drift import drift  # noqa: PLC0415  for modules that are installed only
    from lkm.actions.session import Session  # noqa: PLC0415  as above
    from lkm.formats.module_name import from_path  # noqa: PLC0415  as above

    with Session(session.target._replace(release=release)) as own:
        found = drift(own, [from_path(path) for path in paths])
    return found if found.image is not None and found.holds != () else None
