"""Verify the signatures of modules: who signed each, whether it still fits, and which keyring of the kernel takes it.

FILE is a module file, packed or not, NAME a module's name or alias. The kernel is the running one; with --root,
--release, --profile or --kernel-image it is another one, as it would be after its start. With --certificate no kernel
is asked: only the given certificates count.

exit status: 0 all are taken, 1 one is not, 2 wrong usage or unreadable input
"""

import argparse
from typing import TYPE_CHECKING

from lkm.actions.certificate_files import read_certificates_as_der
from lkm.interfaces.cli.output import print_json, wants_json
from lkm.interfaces.messages import as_json, tell

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.actions.verifying.options import VerifyOptions
    from lkm.actions.verifying.verify import Verified, VerifyReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.usage = "lkm verify [OPTION...] FILE|NAME... | --tree [DIR]"
    parser.add_argument("subjects", nargs="*", metavar="FILE|NAME", help="module files, or names of modules")
    parser.add_argument(
        "--tree", nargs="?", const="", metavar="DIR", help="all modules below DIR (default: the release's module tree)"
    )
    parser.add_argument("--detached", metavar="P7S", help="the signature of the only FILE, as `lkm sign --detached`")
    kernel = parser.add_argument_group("whose keys count")
    kernel.add_argument("--profile", metavar="FILE", help="the kernel's of a saved profile (lkm profile save)")
    kernel.add_argument("--kernel-image", metavar="FILE", help="the kernel's of this vmlinuz or vmlinux")
    kernel.add_argument("--no-cache", action="store_true", help="gather the kernel's profile anew, and do not keep it")
    kernel.add_argument(
        "--certificate", metavar="CERT", action="append", default=[], help="these alone (PEM, DER; repeatable)"
    )


def run(options: argparse.Namespace, session: "Session") -> int:
    """Verify, and tell about each module, or about a tree in a few lines."""
    from lkm.actions.verifying.verify import verify  # noqa: PLC0415  --help needs none
    from lkm.interfaces.cli.progress import progress  # noqa: PLC0415  as above

    report = verify(session, options.subjects, _verify_options(options), lambda total: progress(total, "verifying"))
    if wants_json(options):
        _print_json(report)
    else:
        from lkm.interfaces.cli.verify_words import print_modules, print_tree  # noqa: PLC0415  --json needs none

        (print_modules if options.tree is None else print_tree)(report)
    for error in report.errors:
        tell("lkm", error)
    return 2 if report.errors else int(not report.all_accepted)


def _verify_options(options: argparse.Namespace) -> "VerifyOptions":
    from lkm.actions.verifying.options import VerifyOptions  # noqa: PLC0415  --help needs none

    return VerifyOptions(
        profile_file=options.profile,
        kernel_image=options.kernel_image,
        use_cache=not options.no_cache,
        certificates=tuple((der, path) for path in options.certificate for der in read_certificates_as_der(path)),
        detached=options.detached,
        tree=options.tree,
    )


def _print_json(report: "VerifyReport") -> None:
    kernel = report.kernel
    fields: dict[str, object] = {
        "release": kernel.release,
        "enforces": kernel.enforces if kernel.release else None,
        "lockdown": kernel.lockdown.value if kernel.release else None,
        "secure_boot": kernel.secure_boot,
        "modules": [_as_json(module, report) for module in report.modules],
        "notes": [*kernel.notes, *report.notes],
    }
    if report.errors:
        fields["error"] = as_json(report.errors[0])
    print_json("verify", **fields)


def _as_json(module: "Verified", report: "VerifyReport") -> dict[str, object]:
    from lkm.actions.verifying.advice import next_steps  # noqa: PLC0415  --help needs none

    found = module.answer
    return {
        "file": module.path,
        "accepted": found.is_accepted,
        "keyring": found.keyring,
        "source": found.source,
        "signed": found.is_signed,
        "state": found.state.lower().replace("_", "-"),
        "signer": found.signer,
        "serial": found.serial,
        "key_id": found.key_id,
        "key": found.key,
        "hash": found.digest,
        "untouched": found.is_untouched,
        "why": found.why,
        "log": list(found.log),
        "loads": report.kernel.loads(found),
        "next": list(next_steps(found, module.path, report.kernel)),
    }
