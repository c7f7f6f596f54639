"""Where a pass phrase comes from when nobody can be asked: the environment, under the name that kernel builds use."""

import os

from lkm.errors import UsageError

__all__ = ["VARIABLE", "from_environment", "only_from_environment"]

VARIABLE = "KBUILD_SIGN_PIN"
"""The variable of scripts/sign-file.c (6.1)."""


def from_environment(variable: str | None = None) -> bytes | None:
    """Give the pass phrase that the environment holds.

    :param variable: the one that the user named; None for :data:`VARIABLE`, which may be missing
    :returns: its bytes, or None
    :raises UsageError: the named variable is not set
    """
    found = os.environb.get(os.fsencode(variable or VARIABLE))
    if found is None and variable is not None:
        raise UsageError(
            f"the environment holds no {variable}, from which a pass phrase was to be taken",
            hint=f"set and export it: read -rs {variable}; export {variable}",
        )
    return found


def only_from_environment() -> bytes:
    """Give the pass phrase of :data:`VARIABLE`.

    :raises UsageError: it is not set
    """
    found = from_environment()
    if found is None:
        raise UsageError(
            "the private key needs a pass phrase, or its token a PIN, and there is none",
            hint=f"put it into the environment: read -rs {VARIABLE}; export {VARIABLE}",
        )
    return found
