"""What became of each module that was to be signed."""

import json
from enum import Enum
from typing import Any, NamedTuple

from lkm import errors
from lkm.errors import FormatError, LkmError, Unreadable, UsageError

__all__ = ["SignOutcome", "SignedFile", "decoded", "encoded"]


class SignOutcome(Enum):
    """What was done with a module."""

    SIGNED = "signed"
    """It had no signature."""
    REPLACED = "replaced"
    """The new signature stands in the place of an old one."""
    ADDED = "added"
    """The new signature stands over old ones."""
    ALREADY = "already"
    """It has this signature."""
    KEPT = "kept"
    """It has somebody else's signature and is left alone."""
    STRIPPED = "stripped"
    UNSIGNED = "unsigned"
    """There was no signature to take away."""
    WRITTEN = "written"
    """The signature, or what is to be signed, is in a file of its own."""
    FAILED = "failed"

    @property
    def changes_module(self) -> bool:
        """Whether the module file, or a copy of it, is another than before."""
        return self in {SignOutcome.SIGNED, SignOutcome.REPLACED, SignOutcome.ADDED, SignOutcome.STRIPPED}


class SignedFile(NamedTuple):
    """What became of one file.

    :param path: of the host, links followed
    :param target: the file that was written; None where none was, or in a dry run would be
    :param digest: of the signature; empty where none was made
    :param reason: in words, why this digest
    :param kernel: the release that the digest was chosen for, where that is known
    :param former: who made the signature that was there before; None where there was none
    :param notes: what is to be known
    :param error: why it failed
    """

    path: str
    outcome: SignOutcome
    target: str | None = None
    digest: str = ""
    reason: str = ""
    kernel: str | None = None
    former: str | None = None
    notes: tuple[str, ...] = ()
    error: LkmError | None = None

    @classmethod
    def failed(cls, path: str, error: LkmError) -> "SignedFile":
        """Say that it went wrong; an error that names no place is given this one."""
        error.where = error.where or path
        return cls(path, SignOutcome.FAILED, error=error)


def encoded(found: list[tuple[int, SignedFile]]) -> bytes:
    """Give results as bytes for another process.

    :param found: number of a file, what became of it
    """
    return json.dumps([(number, _fields(one)) for number, one in found]).encode()


def decoded(data: bytes) -> list[tuple[int, SignedFile]]:
    """Read what :func:`encoded` gave."""
    return [(number, _result(fields)) for number, fields in json.loads(data)]


def _fields(one: SignedFile) -> dict[str, object]:
    return {**one._asdict(), "outcome": one.outcome.value, "error": _plain(one.error)}


def _result(fields: dict[str, Any]) -> SignedFile:
    return SignedFile(
        **{
            **fields,
            "outcome": SignOutcome(fields["outcome"]),
            "notes": tuple(fields["notes"]),
            "error": _error(fields["error"]),
        }
    )


def _plain(error: LkmError | None) -> dict[str, str | None] | None:
    if error is None:
        return None
    return {"type": type(error).__name__, "what": error.what, "where": error.where, "hint": error.hint}


def _error(fields: dict[str, str] | None) -> LkmError | None:
    """Make an error of the same sort, as far as that decides about the exit status."""
    if fields is None:
        return None
    what, where, hint = fields["what"], fields["where"], fields["hint"]
    kind = getattr(errors, fields["type"], LkmError)
    if issubclass(kind, FormatError):
        return FormatError(what, where=where, hint=hint)
    if issubclass(kind, Unreadable):
        return Unreadable(what, where=where, hint=hint)
    simple = kind if kind in {UsageError, errors.PrivilegeMissing, errors.ChangedMeanwhile} else LkmError
    return simple(what, where=where, hint=hint)
