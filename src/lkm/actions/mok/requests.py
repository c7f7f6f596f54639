"""Asking for a machine owner's key to be enrolled or deleted: mokutil leaves the request, MokManager carries it out."""

import os
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lkm.actions.mok.certificate import MokCertificate, read_mok_certificate
from lkm.actions.mok.places import MokTest, Place, firmware_of, look_up, profile_of, taken_by
from lkm.errors import LkmError, PrivilegeMissing, UsageError
from lkm.formats.efi_signature_lists import SignatureEntry, SignatureType
from lkm.formats.efi_variables import SHIM_LOCK
from lkm.rules.signatures.mok_manager import RequestKind, Step, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lkm.actions.session import Session
    from lkm.system.firmware import FirmwareState
    from lkm.system.kernel_profile import KernelProfile

__all__ = ["MokRequest", "carry_out", "check_password", "plan_request"]

_OPTIONS = {RequestKind.ENROL: "--import", RequestKind.REVOKE: "--delete"}
_WAITING = {RequestKind.ENROL: Place.PENDING, RequestKind.REVOKE: Place.DELETING}
_LONGEST = 256  # characters of a password, of mokutil and MokManager alike (MokManager.c PASSWORD_MAX)
_PATIENCE = 60  # seconds
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_OF_SHIM = ("MokListRT", "MokListXRT", "MokListTrustedRT", "MokSBStateRT", "SbatLevelRT")


@dataclass(frozen=True, slots=True)
class MokRequest:
    """What would be asked for.

    :param test: where the certificate stands now
    :param needed: False where there is nothing to ask for
    :param cancels: it takes an opposite request back, and nothing is left to be asked at the next start
    :param text: what the request does, or why there is none
    :param command: what is run, as words; the certificate as a file in DER stands last
    :param notes: what to know, sentences
    :param efivars: the directory with copied EFI variables that stands for the firmware; None for the firmware itself
    """

    kind: RequestKind
    test: MokTest
    needed: bool
    cancels: bool
    text: str
    command: tuple[str, ...]
    notes: tuple[str, ...] = ()
    efivars: str | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """What MokManager will ask: about this request, or one that waits already."""
        waits = _WAITING[self.kind] in self.test.places
        will_be_asked = not self.cancels if self.needed else waits
        return steps_of(self.kind, self.test.certificate.sha1) if will_be_asked else ()

    @property
    def shown_command(self) -> str:
        """The command, ready to be pasted: where a copy is meant, it leaves the firmware alone, too."""
        return " ".join(
            (*(f"{name}={shlex.quote(value)}" for name, value in self.environment.items()), shlex.join(self.command))
        )

    @property
    def environment(self) -> dict[str, str]:
        """What tells mokutil where the variables are (libefivar 37, src/efivarfs.c ``get_efivarfs_path``)."""
        if self.efivars is None:
            return {}
        whole = os.path.abspath(self.efivars)  # noqa: PTH100  pathlib is dear
        inner = f"{whole}/efivars"
        return {"EFIVARFS_PATH": f"{inner if os.path.isdir(inner) else whole}/"}  # noqa: PTH112  as above


def plan_request(
    session: "Session",
    kind: RequestKind,
    path: str,
    *,
    efivars: str | None = None,
    hash_file: str | None = None,
    even_without_shim: bool = False,
) -> MokRequest:
    """Check everything that can be checked without changing anything.

    :param path: the certificate, of the host, PEM or DER
    :param efivars: a directory with copied EFI variables, to stand for the firmware
    :param hash_file: of the host: a password's hash, as ``mokutil --generate-hash`` prints it
    :param even_without_shim: ask even where nothing shows that shim started this system
    :raises UsageError: the root is another than the machine's own; the certificate is of no use
    :raises Unreadable: the certificate can't be read
    :raises LkmError: the machine has no EFI or no shim, or the certificate is denied
    """
    if not session.root.is_host and efivars is None:
        raise UsageError(
            "keys are enrolled in the firmware of the running machine",
            where="--root",
            hint="leave out --root, or name copied variables with --efivars",
        )
    certificate = read_mok_certificate(path)
    firmware = firmware_of(session, efivars)
    _refuse_without_shim(firmware, even_without_shim=even_without_shim)
    profile = profile_of(session)
    test = look_up(certificate, firmware, profile)
    decide = _enrolment if kind is RequestKind.ENROL else _removal
    needed, cancels, text = decide(test)
    file = os.path.abspath(path) if certificate.is_der else _der_name(certificate)  # noqa: PTH100
    words = ["mokutil", _OPTIONS[kind], file]
    if hash_file is not None:
        words[1:1] = ["--hash-file", os.path.abspath(hash_file)]  # noqa: PTH100
    note = _prospect(test, firmware, profile) if kind is RequestKind.ENROL and needed else ""
    notes = (*certificate.notes, *filter(None, (note,)))
    return MokRequest(kind, test, needed, cancels, text, tuple(words), notes, efivars)


def _prospect(test: MokTest, firmware: "FirmwareState", profile: "KernelProfile | None") -> str:
    """Warn of a key that the kernel will not take for modules, even when it is enrolled."""
    der = test.certificate.der
    entry = SignatureEntry(SignatureType.X509.value, SHIM_LOCK, der)
    if profile is None:
        return ""
    keyring, why = taken_by(der, replace(firmware, mok_list=(*firmware.mok_list, entry)), profile)
    return "" if keyring else f"even when it is enrolled, modules that its key signed will not be taken for it: {why}"


def _refuse_without_shim(firmware: "FirmwareState", *, even_without_shim: bool) -> None:
    if not firmware.is_efi:
        raise LkmError(
            "this system was not started by UEFI firmware, so there is nothing that could keep a machine owner's key",
            hint="without UEFI no Secure Boot keeps modules from loading, either: see lkm lockdown",
        )
    if not even_without_shim and not any(name in firmware.sources for name in _OF_SHIM):
        raise LkmError(
            "nothing shows that shim started this system, and only shim knows machine owner's keys",
            hint="install shim (Debian: apt install shim-signed grub-efi-amd64-signed) and start by it;"
            " --force asks all the same",
        )


def _der_name(certificate: MokCertificate) -> str:
    stem = os.path.splitext(os.path.basename(certificate.path))[0]  # noqa: PTH119, PTH122
    return f"{stem or 'certificate'}.der"


def _enrolment(test: MokTest) -> tuple[bool, bool, str]:
    """Decide about an enrolment: is one needed, does it only cancel something, and the words.

    :raises LkmError: the certificate is denied
    """
    places, path = test.places, test.certificate.path
    denied = next((place for place in places if place.is_denied), None)
    if denied is not None:
        raise LkmError(f"it {denied.words}: to enrol it would change nothing", where=path, hint="use another key")
    if Place.ENROLLED in places and Place.DELETING in places:
        return True, True, f"{path} is enrolled, and waits to be deleted: the request to delete it is taken back"
    for place in (Place.ENROLLED, Place.PENDING, Place.DB, Place.BUILTIN):
        if place in places:
            return False, False, f"{path} {place.words}: there is nothing to ask for"
    return True, False, f"ask for {path} to be enrolled as a machine owner's key"


def _removal(test: MokTest) -> tuple[bool, bool, str]:
    places, path = test.places, test.certificate.path
    if Place.PENDING in places:
        return True, True, f"{path} waits to be enrolled: that request is taken back"
    if Place.DELETING in places:
        return False, False, f"{path} {Place.DELETING.words}: there is nothing to ask for"
    if Place.ENROLLED in places:
        return True, False, f"ask for {path} to be deleted from the machine owner's keys"
    known = next((place for place in (Place.DB, Place.BUILTIN) if place in places), None)
    why = f"it {known.words}, which only its owner can change" if known else "it is not enrolled"
    raise LkmError(f"there is nothing to delete: {why}", where=path, hint="lkm mok status lists what is enrolled")


def check_password(password: str) -> None:
    """See that MokManager will take a password, and that it can be typed there.

    :raises UsageError: it is empty, too long, or has other characters than printable ASCII
    """
    if not 1 <= len(password) <= _LONGEST:
        raise UsageError(f"the password must have 1 to {_LONGEST} characters", hint="it is needed only once")
    if not (password.isascii() and password.isprintable()):
        raise UsageError(
            "the password must be of printable ASCII characters",
            hint="MokManager knows the US keyboard only: take letters that are in the same place on yours",
        )


def carry_out(session: "Session", request: MokRequest, ask_password: "Callable[[], str]") -> str:
    """Have mokutil leave the request, and see that it is there.

    :param ask_password: is asked for the one-time password, unless the request names its hash or needs none
    :returns: what mokutil said
    :raises PrivilegeMissing: only root may write EFI variables
    :raises LkmError: mokutil is not installed, or did not do it
    """
    import shutil  # noqa: PLC0415  only requests need it

    program = shutil.which("mokutil", path=f"{os.environ.get('PATH', '')}:{_PATH}")
    if program is None:
        raise LkmError("mokutil is not installed, and it makes the request", hint="sudo apt install mokutil")
    if request.efivars is None and os.geteuid() != 0:
        raise PrivilegeMissing(
            f"only root may change EFI variables; this would have run: {request.shown_command}",
            hint=f"sudo lkm mok {request.kind.value} {shlex.quote(request.test.certificate.path)}",
        )
    answer = ""
    if "--hash-file" not in request.command and not request.cancels:
        password = ask_password()
        check_password(password)
        answer = f"{password}\n{password}\n"
    said = _run(program, request, answer)
    _see_that_it_is_there(firmware_of(session, request.efivars), request, said)
    return said


def _run(program: str, request: MokRequest, answer: str) -> str:
    """Run mokutil, which reads the password from a pipe: arguments and environment others can see."""
    import subprocess  # noqa: PLC0415  as above
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="lkm-mok-") as directory:
        words = [program, *request.command[1:]]
        if not request.test.certificate.is_der:
            words[-1] = f"{directory}/{words[-1]}"
            with open(words[-1], "wb") as file:  # noqa: PTH123
                file.write(request.test.certificate.der)
        try:
            done = subprocess.run(
                words,
                input=answer,
                capture_output=True,
                text=True,
                errors="backslashreplace",
                env={**os.environ, "LC_ALL": "C", **request.environment},
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise LkmError(f"mokutil did not end within {_PATIENCE} seconds", where=request.shown_command) from error
    said = _without_questions(f"{done.stdout}{done.stderr}")
    if done.returncode:
        raise LkmError(
            f"mokutil failed (status {done.returncode}): {said or 'it said nothing'}",
            where=request.shown_command,
            hint="are the EFI variables mounted, and to be written? mount | grep efivarfs",
        )
    return said


def _without_questions(text: str) -> str:
    lines = (line.strip() for line in text.split("\n"))
    return "; ".join(line for line in lines if line and not line.startswith("input password"))


def _see_that_it_is_there(firmware: "FirmwareState", request: MokRequest, said: str) -> None:
    """Look whether the request was left: mokutil skips what it thinks needless, and calls that a success."""
    der = request.test.certificate.der
    waiting = {
        RequestKind.ENROL: (firmware.enrolling, firmware.deleting),
        RequestKind.REVOKE: (firmware.deleting, firmware.enrolling),
    }[request.kind]
    wanted, opposite = (any(entry.certificate == der for entry in entries) for entries in waiting)
    if opposite if request.cancels else not wanted:
        raise LkmError(
            f"mokutil left no request: {said or 'and does not say why'}",
            where=request.shown_command,
            hint="lkm mok status shows what waits",
        )
