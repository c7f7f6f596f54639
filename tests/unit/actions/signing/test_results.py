"""Results on their way from one process to another."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.actions.signing.results import SignedFile, SignOutcome, decoded, encoded
from lkm.errors import (
    BuiltIn,
    ChangedMeanwhile,
    CommandFailed,
    ElfError,
    FormatError,
    LkmError,
    PrivilegeMissing,
    Unreadable,
    UsageError,
)


def test_there_and_back() -> None:
    plain = SignedFile("/a.ko", SignOutcome.SIGNED, "/a.ko", "sha256", "as --hash says", "6.1", "somebody", ("a note",))
    assert decoded(encoded([(3, plain), (1, plain._replace(former=None))])) == [
        (3, plain),
        (1, plain._replace(former=None)),
    ]
    assert decoded(encoded([])) == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ElfError("odd", offset=3), FormatError),
        (Unreadable("odd"), Unreadable),
        (UsageError("odd", where="here"), UsageError),
        (PrivilegeMissing("odd"), PrivilegeMissing),
        (ChangedMeanwhile("odd"), ChangedMeanwhile),
        (CommandFailed("odd", status=3), LkmError),
        (BuiltIn("odd"), LkmError),
        (LkmError("odd", hint="do this"), LkmError),
    ],
)
def test_errors(error: LkmError, kind: type[LkmError]) -> None:
    ((_, found),) = decoded(encoded([(0, SignedFile.failed("/a.ko", error))]))
    assert type(found.error) is kind
    assert found.error is not None
    assert (found.outcome, found.error.hint) == (SignOutcome.FAILED, error.hint)
    assert str(found.error) == str(error)


@settings(max_examples=30)
@given(st.text(), st.text(alphabet=[chr(0xDC80 + byte) for byte in range(128)]))
def test_any_text(text: str, surrogates: str) -> None:
    file = SignedFile(f"/{surrogates}{text}", SignOutcome.KEPT, former=text, notes=(surrogates,))
    assert decoded(encoded([(7, file)])) == [(7, file)]
