"""Enforcement, lockdown and the kernel's booleans."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import PROFILE, configured

from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.signatures.policy import Lockdown, SignatureState, enforced, lockdown_of, parse_boolean

INTEGRITY = configured(LOCK_DOWN_KERNEL_FORCE_INTEGRITY=True)
CONFIDENTIALITY = configured(LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY=True)


@pytest.mark.parametrize(
    ("words", "plain", "with_integrity"),
    [
        ("", Lockdown.NONE, Lockdown.INTEGRITY),
        ("lockdown=integrity", Lockdown.INTEGRITY, Lockdown.INTEGRITY),
        ("lockdown=confidentiality", Lockdown.CONFIDENTIALITY, Lockdown.CONFIDENTIALITY),
        ("lockdown=none", Lockdown.NONE, Lockdown.INTEGRITY),
        ("lockdown", Lockdown.NONE, Lockdown.INTEGRITY),
        ("lockdown=Integrity", Lockdown.NONE, Lockdown.INTEGRITY),
        ("lockdown=confidentiality lockdown=integrity", Lockdown.CONFIDENTIALITY, Lockdown.CONFIDENTIALITY),
        ("lockdown=integrity lockdown=nonsense", Lockdown.INTEGRITY, Lockdown.INTEGRITY),
    ],
)
def test_lockdown_is_only_ever_raised(words: str, plain: Lockdown, with_integrity: Lockdown) -> None:
    assert lockdown_of(Cmdline(words), PROFILE) is plain
    assert lockdown_of(Cmdline(words), INTEGRITY) is with_integrity
    assert lockdown_of(Cmdline(words), CONFIDENTIALITY) is Lockdown.CONFIDENTIALITY


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", False),
        ("module.sig_enforce", True),
        ("module.sig_enforce=1", True),
        ("module.sig_enforce=1 module.sig_enforce=0", True),
        ("module.sig_enforce=0", False),
        ("module.sig_enforce=", False),
        ("quiet -- module.sig_enforce", False),
    ],
)
def test_enforcement(words: str, expected: bool) -> None:  # noqa: FBT001  a column
    assert enforced(Cmdline(words), PROFILE) is expected
    assert enforced(Cmdline(words), configured(MODULE_SIG_FORCE=True))
    assert not enforced(Cmdline(""), replace(PROFILE, config={"MODULE_SIG_FORCE": "m"}))


def test_booleans() -> None:
    assert [parse_boolean(text) for text in (None, "y", "1", "On", "T")] == [True] * 5
    assert [parse_boolean(text) for text in ("n", "0", "oFf", "f")] == [False] * 4
    assert [parse_boolean(text) for text in ("", "o", "2", " 1")] == [None] * 4
    assert [parse_boolean(text, true="y1", false="n0") for text in ("t", "f", "y", "on")] == [None, None, True, True]


def test_states_know_their_errno() -> None:
    assert SignatureState.TRUSTED.value == 0
    assert {state for state in SignatureState if state.is_soft} == {
        SignatureState.UNSIGNED,
        SignatureState.UNSUPPORTED,
        SignatureState.UNKNOWN_KEY,
    }
    assert SignatureState.UNKNOWN_KEY.value == errno.ENOKEY
    assert all(state.reason.startswith(("unsigned module", "module with")) for state in SignatureState if state.is_soft)
