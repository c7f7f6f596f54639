"""Sign modules, so that kernels that want signatures take them; or take signatures away.

FILE is a module file, NAME a module's name. Packed modules (.gz, .xz, .zst) are signed inside and packed again as the
kernel unpacks them. The hash is the one that the kernel's configuration asks for, of the kernel that a module was built
for. A module that has somebody else's signature is left alone unless --replace or --add says what becomes of that. Each
file is written beside its place and renamed: whatever happens, the old or the new one is there, whole.

offline signers: `lkm sign --raw-data FILE` writes what is to be signed to FILE.data. A CMS message made of that
elsewhere is put to the module by --attach, a mere signature by --raw-signature; both are checked by --certificate.

exit status: 0 all done, 1 a module could not be signed, 2 wrong usage or unreadable input
"""

import argparse
import sys
from typing import TYPE_CHECKING

from lkm.errors import Unreadable, UsageError
from lkm.interfaces.cli.output import print_json, wants_json
from lkm.interfaces.cli.pass_phrase import add_pass_phrase_option, asking
from lkm.interfaces.messages import tell

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.actions.signing.sign import SignPlan, SignReport, SignRequest

__all__ = ["add_arguments", "run"]

_MOST_TOLD = 25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.usage = "lkm sign --key KEY --certificate CERT [OPTION...] FILE|NAME... | --tree [DIR]"
    parser.add_argument("subjects", nargs="*", metavar="FILE|NAME", help="module files, or names of modules")
    parser.add_argument(
        "--tree", nargs="?", const="", metavar="DIR", help="all modules below DIR (default: the release's module tree)"
    )
    key = parser.add_argument_group("the key")
    key.add_argument("--key", metavar="KEY", help="private key: a file (PEM, DER, PKCS#12) or a pkcs11: URI")
    key.add_argument("--certificate", metavar="CERT", help="its X.509 certificate (PEM, DER), where KEY holds none")
    add_pass_phrase_option(key)
    key.add_argument("--pkcs11-module", metavar="LIBRARY", help="the token's library (default: as p11-kit says)")
    key.add_argument(
        "--any-certificate", action="store_true", help="also one that is out of date, or not a signer's (a CA's)"
    )
    how = parser.add_argument_group("the signature")
    how.add_argument("--hash", metavar="NAME", help="sha256, sha384, sha512, sha3-256, sha3-384 or sha3-512")
    how.add_argument(
        "-k", "--by-key-id", action="store_true", help="name the certificate by its subject key identifier"
    )
    old = how.add_mutually_exclusive_group()
    old.add_argument("--replace", action="store_true", help="put it in the place of somebody else's signatures")
    old.add_argument(
        "--add", action="store_true", help="put it over somebody else's: kernels look at the outermost only"
    )
    other = parser.add_argument_group("in place of signing").add_mutually_exclusive_group()
    other.add_argument("--strip", action="store_true", help="take all signatures away")
    other.add_argument("--detached", action="store_true", help="write the signature to FILE.p7s, not to the module")
    other.add_argument(
        "--attach", metavar="P7S|DIR", help="put a detached signature to the module; DIR: FILE.p7s in it"
    )
    other.add_argument("--raw-data", action="store_true", help="write what is to be signed elsewhere to FILE.data")
    other.add_argument(
        "--raw-signature",
        metavar="SIG|DIR",
        help="put a signature without a message to it (PKCS#1 v1.5, or ECDSA in DER)",
    )
    where = parser.add_argument_group("what is written")
    where.add_argument("--output", metavar="DIR", help="write to DIR, and leave the modules as they are")
    where.add_argument("-n", "--dry-run", action="store_true", help="write nothing, say what would be done")
    where.add_argument("-v", "--verbose", action="store_true", help="with --tree name each module, too")


def run(options: argparse.Namespace, session: "Session") -> int:
    """Sign, and tell what became of each module."""
    from lkm.actions.signing.sign import prepare  # noqa: PLC0415  --help needs none

    plan = prepare(session, _request(options))
    report = _carried_out(options, session, plan)
    if wants_json(options):
        from lkm.interfaces.cli.sign_words import as_json_fields  # noqa: PLC0415  people's output needs none

        print_json("sign", dry_run=options.dry_run, **as_json_fields(report))
    else:
        from lkm.interfaces.cli.sign_words import print_report  # noqa: PLC0415  --help needs none

        print_report(report, options)
    for error in report.errors[:_MOST_TOLD]:
        tell("lkm", error)
    if len(report.errors) > _MOST_TOLD:
        print(f"lkm: and {len(report.errors) - _MOST_TOLD} more failures (--json names all)", file=sys.stderr)
    if any(isinstance(error, Unreadable | UsageError) for error in report.errors):
        return 2
    return 1 if report.errors else 0


def _carried_out(options: argparse.Namespace, session: "Session", plan: "SignPlan") -> "SignReport":
    """Sign with a bar, and say at an interruption how far it came."""
    from lkm.actions.signing.sign import carry_out  # noqa: PLC0415  as above
    from lkm.interfaces.cli.progress import progress  # noqa: PLC0415  as above

    total, done = len(plan.subjects.files), 0

    def count(parts: int) -> None:
        nonlocal done
        done += parts
        advance(parts)

    try:
        with progress(total, _doing(options)) as advance:
            return carry_out(session, plan, count)
    except KeyboardInterrupt:
        text = f"interrupted: at least {done} of {total} modules are done, and each file is whole; call again to go on"
        print(f"\nlkm: {text}", end="", file=sys.stderr)
        raise


def _doing(options: argparse.Namespace) -> str:
    if options.strip:
        return "stripping"
    return "reading" if options.raw_data or options.dry_run else "signing"


def _request(options: argparse.Namespace) -> "SignRequest":
    from lkm.actions.signing.sign import SignRequest  # noqa: PLC0415  --help needs none
    from lkm.actions.signing.treatment import OldSignature, Product  # noqa: PLC0415  as above

    old = OldSignature.REPLACE if options.replace else OldSignature.ADD if options.add else OldSignature.KEEP
    product = Product.MESSAGE if options.detached else Product.CONTENT if options.raw_data else Product.MODULE
    return SignRequest(
        words=tuple(options.subjects),
        tree=options.tree,
        key=options.key,
        certificate=options.certificate,
        pass_phrase=asking(f"the key {options.key}", options.pass_phrase_env),
        pkcs11_module=options.pkcs11_module,
        hash=options.hash,
        by_key_id=options.by_key_id,
        any_certificate=options.any_certificate,
        old=old,
        product=product,
        attach=options.attach,
        raw_signature=options.raw_signature,
        strip=options.strip,
        output=options.output,
        dry_run=options.dry_run,
    )
