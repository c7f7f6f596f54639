"""Asking a person for a pass phrase or a PIN: out of the environment, else on the terminal, never in an argument."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from lkm.actions.signing.pass_phrase import VARIABLE, from_environment
from lkm.errors import UsageError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_pass_phrase_option", "asking"]


def add_pass_phrase_option(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Declare ``--pass-phrase-env``."""
    parser.add_argument(
        "--pass-phrase-env",
        metavar="NAME",
        help=f"the environment variable that holds the key's pass phrase or the token's PIN (default: {VARIABLE}, else"
        " it is asked for)",
    )


def asking(what: str, variable: str | None = None) -> Callable[[], bytes]:
    """Give a function that finds the pass phrase out.

    :param what: what it is for, as in ``the key mok.key``
    :param variable: of the environment, which must be set then; None for KBUILD_SIGN_PIN, or else to ask
    """

    def ask() -> bytes:
        found = from_environment(variable)
        return _typed(what) if found is None else found

    return ask


def _typed(what: str) -> bytes:
    import getpass  # noqa: PLC0415  rarely needed

    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        hint = f"set {VARIABLE}, or another variable and name it: --pass-phrase-env NAME"
        raise UsageError(f"{what} wants a pass phrase, and there is no terminal to ask on", hint=hint) from None
    try:
        return os.fsencode(getpass.getpass(f"Pass phrase or PIN for {what}: "))
    except EOFError:
        print(file=sys.stderr)  # the prompt's line has no end
        raise UsageError(f"no pass phrase was given for {what}", hint="type it, and press Enter") from None
