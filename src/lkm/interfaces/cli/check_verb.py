"""Say what a kernel will do with a module, and why, without loading it; no privilege is needed.

FILE.ko is a module file, NAME a module's name or alias; PARAM=VALUE is for each of them. The kernel is the running one,
as it is now; with --root, --release, --profile or --kernel-image it is another one, just booted. What a module needs is
found and judged first, as `lkm load` would load it; each module that is named is judged on its own.

exit status: 0 all load, 1 one does not, 2 wrong usage or unreadable input
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.certificate_files import read_certificates_as_der
from lkm.errors import UsageError
from lkm.interfaces.cli.output import print_json, print_line, wants_json
from lkm.interfaces.messages import as_json, tell

if TYPE_CHECKING:
    from lkm.actions.checking.options import CheckOptions
    from lkm.actions.checking.results import CheckReport, CheckResult
    from lkm.actions.session import Session

__all__ = ["add_arguments", "parse", "run"]

_PATHS = ("/", "./", "../")
_LOCKDOWN = ("none", "integrity", "confidentiality")
_FLAGS = 1 << 32  # an int of the system call


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.usage = "lkm check [OPTION...] FILE.ko|NAME... [-- PARAM=VALUE...]"
    parser.add_argument("subjects", nargs="+", metavar="FILE.ko|NAME", help="module files, names or aliases")
    kernel = parser.add_argument_group("the kernel")
    kernel.add_argument("--profile", metavar="FILE", help="ask the kernel of a saved profile (lkm profile save)")
    kernel.add_argument("--kernel-image", metavar="FILE", help="take the kernel's facts from this vmlinuz or vmlinux")
    kernel.add_argument("--no-cache", action="store_true", help="gather the kernel's profile anew, and do not keep it")
    kernel.add_argument("--cmdline", metavar="STRING", help="the kernel command line")
    kernel.add_argument("--sig-enforce", action="store_true", help="as if only modules with a good signature loaded")
    kernel.add_argument("--lockdown", choices=_LOCKDOWN, help="as if the kernel were locked down so")
    kernel.add_argument(
        "--trust", metavar="CERT", action="append", default=[], help="a certificate to trust (PEM, DER)"
    )
    kernel.add_argument("--tainted", metavar="MASK", help="the kernel's taint: 4097, 0x1001 or letters as in PO")
    kernel.add_argument(
        "--loaded", metavar="FILE", action="append", default=[], help="take FILE (or NAME) as loaded before"
    )
    call = parser.add_argument_group("the call")
    call.add_argument("--force-vermagic", action="store_true", help="ignore the version magic, as modprobe does")
    call.add_argument("--force-modversion", action="store_true", help="ignore symbol versions, as modprobe does")
    call.add_argument("--finit-flags", metavar="N", help="flags of finit_module; 4: the file is compressed")
    call.add_argument(
        "--raw", action="store_true", help="one finit_module of the bytes: no dependencies, no modprobe.d"
    )
    call.add_argument("--together", action="store_true", help="what loads stays loaded for those behind it")
    call.add_argument("--comm", metavar="NAME", help="the caller's name (default: modprobe; with --raw insmod)")


def parse(parser: argparse.ArgumentParser, words: list[str], options: argparse.Namespace) -> None:
    """Part the words: what stands behind the first ``--`` is parameters, also where it looks like an option."""
    place = words.index("--") if "--" in words else len(words)
    options.parameters = words[place + 1 :]
    parser.parse_intermixed_args(words[:place], options)


def run(options: argparse.Namespace, session: "Session") -> int:
    """Ask about each subject, print the answers."""
    from lkm.actions.checking.check import check  # noqa: PLC0415  --help needs none

    for word in options.subjects:
        if "=" in word and not word.startswith(_PATHS) and not word.endswith(".ko"):
            raise UsageError(f"{word!r} is no module", hint=f"parameters stand behind --: lkm check NAME -- {word}")
    report = check(session, options.subjects, _check_options(options))
    if wants_json(options):
        _print_json(report)
    else:
        _print(report)
    for error in report.unreadable:
        tell("lkm", error)
    if report.unreadable:
        return 2
    return int(not all(result.loads for result in report.results))


def _check_options(options: argparse.Namespace) -> "CheckOptions":
    from lkm.actions.checking.options import CheckOptions, taint_mask  # noqa: PLC0415  --help needs none
    from lkm.actions.parameter_words import quoted  # noqa: PLC0415
    from lkm.rules.signatures.policy import Lockdown  # noqa: PLC0415

    return CheckOptions(
        parameters=" ".join(quoted(word) for word in options.parameters),
        flags=_flags(options),
        raw=options.raw,
        together=options.together,
        command=options.comm,
        profile_file=options.profile,
        kernel_image=options.kernel_image,
        use_cache=not options.no_cache,
        sig_enforce=options.sig_enforce or None,
        lockdown=None if options.lockdown is None else Lockdown(options.lockdown),
        cmdline=options.cmdline,
        loaded=tuple(options.loaded),
        tainted=None if options.tainted is None else taint_mask(options.tainted),
        trust=tuple(der for path in options.trust for der in read_certificates_as_der(path)),
    )


def _flags(options: argparse.Namespace) -> int:
    from lkm.actions.checking.options import number  # noqa: PLC0415  --help needs none
    from lkm.kernels.base import LoadFlags  # noqa: PLC0415

    flags = 0
    if options.finit_flags is not None:
        try:
            flags = number(options.finit_flags)
        except ValueError:
            flags = _FLAGS
        if flags >= _FLAGS:
            hint = "a number: 1 ignores symbol versions, 2 the version magic, 4 says that the file is compressed"
            raise UsageError(f"{options.finit_flags[:64]!r} are no flags of finit_module", hint=hint)
    if options.force_vermagic:
        flags |= LoadFlags.IGNORE_VERMAGIC
    if options.force_modversion:
        flags |= LoadFlags.IGNORE_MODVERSIONS
    return int(flags)


def _print(report: "CheckReport") -> None:
    from lkm.interfaces.cli.check_words import lines  # noqa: PLC0415  --json needs none

    before: list[str] = []
    for result in report.results:
        told = lines(result, report.release)
        if before and len(before) + len(told) > 2:  # single lines stand close together
            print()
        for line in told:
            print_line(line)
        before = told
    for note in report.notes:
        print_line(f"note: {note}")


def _print_json(report: "CheckReport") -> None:
    fields: dict[str, object] = {
        "release": report.release,
        "results": [_as_json(result) for result in report.results],
    }
    if report.unreadable:
        fields["error"] = as_json(report.unreadable[0])
    print_json("check", **fields)


def _as_json(result: "CheckResult") -> dict[str, object]:
    from lkm.rules.taint import letters  # noqa: PLC0415  people's output needs none

    return {
        "file": result.file,
        "module": result.module,
        "loads": result.loads,
        "errno": result.errno,
        "stage": result.stage,
        "log": list(result.log),
        "taints": list(letters(result.taints)),
        "kernel_taint": result.kernel_taint,
        "undecidable": list(result.undecidable),
        "causes": [{"id": cause.id, "summary": cause.summary, "remedy": list(cause.remedy)} for cause in result.causes],
    }
