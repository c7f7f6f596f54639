"""Load a module into real kernels, each booted for it in a throw-away virtual machine, and compare with the verdict.

NAME is a module file, or a name in the kernels' own trees; what it needs is loaded first, and it is removed again.
A KERNEL is a release that is installed here, a directory into which a kernel's packages were unpacked, or a vmlinuz.
Install commands of modprobe.d are not run.

With --secure-boot the machine starts as a computer does: by UEFI firmware with Secure Boot on, shim, GRUB, and the
kernel as it was signed. --trust enrols a certificate there as a key of the machine's owner (MOK): does my module load
then? It needs the packages ovmf, shim-signed and grub-efi-amd64-signed, and takes three times as long.

exit status: 0 it loads on all of them as foretold, 1 it does not, 2 wrong usage or unreadable input
"""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from lkm.actions.certificate_files import read_certificates_as_der
from lkm.actions.parameter_words import quoted
from lkm.actions.session import Session
from lkm.errors import LkmError, MachineError, Unreadable, UsageError
from lkm.formats.module_name import EXTENSIONS
from lkm.interfaces.cli.output import print_json, print_line, print_table, wants_json
from lkm.interfaces.messages import as_json, tell

if TYPE_CHECKING:
    from pathlib import Path

    from lkm.actions.trying.trying import Observation, Trial
    from lkm.kernels.vm.images import Image

__all__ = ["add_arguments", "parse", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("subject", metavar="NAME|FILE", help="the module")
    parser.add_argument("parameters", nargs="*", default=[], metavar="PARAM=VALUE", help="parameters for it")
    parser.add_argument(
        "--kernel", dest="kernels", nargs="+", action="extend", metavar="KERNEL", help="what to boot (default: newest)"
    )
    parser.add_argument("--cmdline", default="", help="added to the kernel command line, as in module.sig_enforce=1")
    parser.add_argument("--memory", type=int, default=512, metavar="MIB", help="memory of each machine (default: 512)")
    parser.add_argument(
        "--secure-boot",
        action="store_true",
        help="boot with Secure Boot (needs ovmf, shim-signed, grub-efi-amd64-signed)",
    )
    parser.add_argument(
        "--trust",
        metavar="CERT",
        action="append",
        default=[],
        help="with --secure-boot: enrol a certificate (PEM, DER) as the owner's; may be repeated",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show the kernel's lines and the parameters")


def parse(parser: argparse.ArgumentParser, words: list[str], options: argparse.Namespace) -> None:
    """Read the words; the file of a module ends the list of kernels, as in ``--kernel A B FILE``."""
    parser.parse_args(_file_first(words), options)


def _file_first(words: list[str]) -> list[str]:
    kernels = words.index("--kernel") + 1 if "--kernel" in words else len(words)
    end = next((place for place in range(kernels, len(words)) if words[place].startswith("-")), len(words))
    file = next((place for place in range(kernels, end) if words[place].endswith(EXTENSIONS)), end)
    return [*words[file:end], *words[:file], *words[end:]]


def run(options: argparse.Namespace, session: Session) -> int:
    """Try on one kernel after the other; print a table."""
    if options.trust and not options.secure_boot:
        raise UsageError("--trust is for a machine with Secure Boot", hint="add --secure-boot")
    owners = _owners(options.trust) if options.secure_boot else None
    chosen = _chosen(options, session)
    results: list[dict[str, object]] = []
    trials: list[Trial] = []
    is_unreadable = False
    for image, home in chosen:
        _tell_progress(image.release, options)
        try:
            trial = _try(options, image, str(home), owners)
        except LkmError as error:
            if len(chosen) == 1:
                raise
            results.append({"release": image.release, "error": as_json(error)})
            tell("lkm", error)
            is_unreadable |= isinstance(error, UsageError | Unreadable)
            continue
        trials.append(trial)
        results.append(_as_json(trial))
    if wants_json(options):
        print_json("try", subject=options.subject, results=results)
    else:
        _print(trials, verbose=options.verbose)
    if is_unreadable:
        return 2
    well = len(trials) == len(chosen) and all(t.observed.loads and not t.differences for t in trials)
    return 0 if well else 1


def _chosen(options: argparse.Namespace, session: Session) -> "list[tuple[Image, Path]]":
    """Find the kernels that were named.

    :raises UsageError: one of them is not there
    """
    from lkm.kernels.vm import choice, images  # noqa: PLC0415  --help needs none

    root = session.root.path
    try:
        kernels = options.kernels or [getattr(options, "kernel", None) or images.find(session.target.release).release]
        return [choice.choose(kernel, root) for kernel in kernels]
    except MachineError as error:
        raise UsageError(error.what, where=error.where, hint=error.hint) from error


def _owners(paths: list[str]) -> tuple[bytes, ...]:
    """Read the certificates of files."""
    return tuple(der for path in paths for der in read_certificates_as_der(path))


def _try(options: argparse.Namespace, image: "Image", root: str, owners: tuple[bytes, ...] | None) -> "Trial":
    from lkm.actions.trying.trying import try_on  # noqa: PLC0415  as above

    parameters = " ".join(quoted(word) for word in options.parameters)
    return try_on(
        image, root, options.subject, parameters, cmdline=options.cmdline, memory=options.memory, owners=owners
    )


def _tell_progress(release: str, options: argparse.Namespace) -> None:
    if sys.stderr.isatty() and not wants_json(options):
        print(f"booting {release} …", file=sys.stderr)


# --- for people -------------------------------------------------------------------------------------------------------


def _print(trials: "list[Trial]", *, verbose: bool) -> None:
    rows = [
        (
            trial.release,
            _outcome(trial.observed),
            trial.observed.taints or "-",
            _agreement(trial),
            _why(trial.observed),
        )
        for trial in trials
    ]
    if rows:
        print_table(("KERNEL", "LOADS", "TAINTS", "VERDICT", "WHY"), rows)
    for trial in trials:
        for difference in trial.differences:
            print_line(f"{trial.release}: {difference}")
        if verbose:
            for line in trial.observed.log:
                print_line(f"{trial.release}: kernel: {line}")
            for name, value in trial.observed.parameters.items():
                print_line(f"{trial.release}: parameter {name}={value}")


def _agreement(trial: "Trial") -> str:
    if trial.observed.failed:
        return "-"
    if trial.differences:
        return "NOT as foretold"
    return "its init failed" if trial.init_failed else "as foretold"


def _outcome(seen: "Observation") -> str:
    if seen.failed:
        return "not tried"
    if seen.errno:
        return f"no: {os.strerror(seen.errno)}"
    return "yes" if seen.unload_errno == 0 else "yes, and stays"


def _why(seen: "Observation") -> str:
    if seen.failed:
        return seen.failed
    return seen.causes[0].summary if seen.causes else ""


# --- for programs -----------------------------------------------------------------------------------------------------


def _as_json(trial: "Trial") -> dict[str, object]:
    return {
        "release": trial.release,
        **_observation(trial.observed),
        "agrees": not trial.differences,
        "init_failed": trial.init_failed,
        "differences": list(trial.differences),
        "expected": _observation(trial.expected),
    }


def _observation(seen: "Observation") -> dict[str, object]:
    return {
        "loads": seen.loads,
        "errno": seen.errno,
        "log": list(seen.log),
        "taints": list(seen.taints),
        "kernel_taint": seen.kernel_taint,
        "parameters": seen.parameters,
        "unload_errno": seen.unload_errno,
        "failed": seen.failed,
        "causes": [{"id": cause.id, "summary": cause.summary, "remedy": list(cause.remedy)} for cause in seen.causes],
    }
