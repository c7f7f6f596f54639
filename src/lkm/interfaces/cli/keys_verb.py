"""Show which keys a kernel trusts for modules, where each came from, and how many modules here it signed.

Without an action, or with `list`: the kernel's keyrings as it fills them when it starts, by the certificates in its
image and by what firmware and shim say; of the running kernel also what it shows itself, for which root and keyctl are
needed. Then the lists of the firmware, and who signed the modules here. MODULES counts the modules that name the key as
their signer; whether each signature is good, `lkm verify` says.

exit status: 0 done, 1 no such key, or it could not be made, 2 wrong usage or unreadable input
"""

import argparse
import shlex
from typing import TYPE_CHECKING

from lkm.actions.certificate_files import read_certificates_as_der
from lkm.errors import UsageError
from lkm.interfaces.cli.output import print_json, print_line, wants_json
from lkm.interfaces.cli.pass_phrase import add_pass_phrase_option, asking

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.actions.signing.new_key import NewKey
    from lkm.actions.trusted_keys.results import TrustOptions, TrustReport

__all__ = ["add_arguments", "run"]

_KINDS = ("rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments; what concerns the kernel may stand before the action and behind it."""
    parser.usage = "lkm keys [list|show|new] [OPTION...]"
    globally = argparse.ArgumentParser(add_help=False, parents=[parser])
    _add_kernel_options(parser, "trust")
    common = argparse.ArgumentParser(add_help=False, parents=[globally])
    _add_kernel_options(common, "further_trust")
    actions = parser.add_subparsers(dest="action", metavar="list|show|new", prog="lkm keys")
    actions.add_parser("list", help="all keyrings and lists (default)", parents=[common], add_help=False)
    show = actions.add_parser("show", help="all about some keys", parents=[common], add_help=False)
    show.add_argument(
        "keys", nargs="+", metavar="KEYRING|NUMBER|FILE", help="a keyring or list, a fingerprint, a certificate's file"
    )
    _add_new(actions.add_parser("new", help="make a key pair for signing modules", parents=[globally], add_help=False))


def _add_kernel_options(parser: argparse.ArgumentParser, trust: str) -> None:
    """Declare options without defaults: an action's would take the place of what stands before it.

    :param trust: where the certificates of --trust go; those behind an action must not take the place of others either
    """
    kernel = parser.add_argument_group("the kernel")
    for option, metavar, text in (
        ("--profile", "FILE", "take the kernel of a saved profile (lkm profile save)"),
        ("--kernel-image", "FILE", "take the kernel's facts from this vmlinuz or vmlinux"),
        ("--efivars", "DIR", "take the firmware's variables from DIR, a copy of /sys/firmware/efi/efivars"),
    ):
        kernel.add_argument(option, metavar=metavar, help=text, default=argparse.SUPPRESS)
    kernel.add_argument(
        "--trust",
        dest=trust,
        metavar="CERT",
        action="append",
        default=argparse.SUPPRESS,
        help="as if CERT (PEM, DER) were enrolled by the machine's owner",
    )
    kernel.add_argument(
        "--no-count",
        action="store_true",
        default=argparse.SUPPRESS,
        help="do not count the modules that each key signed; packed ones take seconds",
    )


def _add_new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("base", metavar="DIR/NAME", help="where to: NAME.key, NAME.pem and NAME.der are made")
    parser.add_argument("--kind", choices=_KINDS, default="rsa-4096", help="of key (default: %(default)s)")
    parser.add_argument("--name", metavar="TEXT", help="the common name (default: by this machine's name)")
    parser.add_argument("--days", metavar="N", type=int, help="how long the certificate is valid (default: 3650)")
    parser.add_argument(
        "--ca", action="store_true", help="for kernels that take only authorities' keys from the machine's owner"
    )
    parser.add_argument(
        "--for-programs", action="store_true", help="let shim start kernels and boot loaders that it signed, too"
    )
    add_pass_phrase_option(parser)
    parser.add_argument(
        "--unencrypted", action="store_true", help="leave the private key open to whoever gets its file"
    )


def run(options: argparse.Namespace, session: "Session") -> int:
    """List, show or make."""
    if options.action == "new":
        return _new(options)
    report = _report(options, session)
    if options.action == "show":
        return _show(options, report)
    if wants_json(options):
        from lkm.interfaces.cli.keys_words import report_as_json  # noqa: PLC0415  --help needs none

        print_json("keys", **report_as_json(report))
    else:
        from lkm.interfaces.cli.keys_words import print_report  # noqa: PLC0415  as above

        print_report(report)
    return 0


def _report(options: argparse.Namespace, session: "Session") -> "TrustReport":
    from lkm.actions.trusted_keys.report import trusted_keys  # noqa: PLC0415  --help needs none
    from lkm.interfaces.cli.progress import progress  # noqa: PLC0415  as above

    return trusted_keys(session, _trust_options(options), lambda total: progress(total, "reading signatures"))


def _trust_options(options: argparse.Namespace) -> "TrustOptions":
    from lkm.actions.trusted_keys.results import TrustOptions  # noqa: PLC0415  --help needs none

    efivars = getattr(options, "efivars", None)
    if efivars == "":
        raise UsageError("names no directory", where="--efivars", hint="name a copy of /sys/firmware/efi/efivars")
    given = [*getattr(options, "trust", ()), *getattr(options, "further_trust", ())]
    return TrustOptions(
        profile_file=getattr(options, "profile", None),
        kernel_image=getattr(options, "kernel_image", None),
        efivars=efivars,
        trust=tuple(der for path in given for der in read_certificates_as_der(path)),
        counts=not getattr(options, "no_count", False),
    )


def _show(options: argparse.Namespace, report: "TrustReport") -> int:
    from lkm.actions.trusted_keys.one_key import keys_named  # noqa: PLC0415  --help needs none
    from lkm.interfaces.cli.keys_words import key_as_json, print_keys  # noqa: PLC0415  as above

    found = [key for word in options.keys for key in keys_named(report, word)]
    if wants_json(options):
        print_json("keys", keys=[key_as_json(key) for key in found])
    elif found:
        print_keys(found)
    else:
        print_line(f"{', '.join(options.keys)}: no certificates are there")
    return 0


def _new(options: argparse.Namespace) -> int:
    from lkm.actions.signing.new_key import DEFAULT_DAYS, KeyKind, new_key  # noqa: PLC0415  --help needs none

    made = new_key(
        options.base,
        pass_phrase=None if options.unencrypted else lambda: _new_pass_phrase(options),
        kind=KeyKind(options.kind),
        name=options.name,
        days=DEFAULT_DAYS if options.days is None else options.days,
        modules_only=not options.for_programs,
        is_ca=options.ca,
    )
    _tell_made(options, made)
    return 0


def _new_pass_phrase(options: argparse.Namespace) -> bytes:
    """Ask twice, as nobody sees what is typed; of the environment both answers are the same."""
    first = asking("the new key", options.pass_phrase_env)()
    if asking("the new key, once more", options.pass_phrase_env)() != first:
        raise UsageError("the pass phrases differ", hint="nothing was made: call again")
    return first


def _tell_made(options: argparse.Namespace, made: "NewKey") -> None:
    from lkm.formats.certificate import describe  # noqa: PLC0415  as above

    facts = describe(made.der)
    if wants_json(options):
        print_json(
            "keys",
            key=made.key,
            certificate=made.certificate,
            certificate_der=made.certificate_der,
            fingerprint=facts.fingerprint if facts else None,
            encrypted=not options.unencrypted,
            note=made.note or None,
        )
        return
    kept = "not encrypted: guard it" if options.unencrypted else "encrypted"
    print_line(f"{made.key}: the private key, {kept}")
    print_line(f"{made.certificate}, {made.certificate_der}: the certificate, in PEM and DER")
    if made.note:
        print_line(f"note: {made.note}")
    key, certificate, der = map(shlex.quote, (made.key, made.certificate, made.certificate_der))
    print_line(f"sign:  lkm sign --key {key} --certificate {certificate} FILE.ko")
    print_line(f"enrol: lkm mok enrol {der}")
