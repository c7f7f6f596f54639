"""What the kernel makes of a signature's state, and who may load at all."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import PROFILE, TRUSTED, answer, configured, recipe
from tests.support.signing import Signer

from lkm.formats.module_signature import append
from lkm.formats.module_writer import write
from lkm.rules.loading.attempt import IGNORE_MODVERSIONS, IGNORE_VERMAGIC, KernelState
from lkm.rules.signatures.check import UNSIGNED, SignatureFinding
from lkm.rules.signatures.policy import Lockdown, SignatureState
from lkm.rules.taint import Taint

UNSIGNED_LINE = "mod: module verification failed: signature and/or required key missing - tainting kernel"
SOFT = {
    SignatureState.UNSIGNED: "unsigned module",
    SignatureState.UNSUPPORTED: "module with unsupported crypto",
    SignatureState.UNKNOWN_KEY: "module with unavailable key",
}
HARD = {SignatureState.MALFORMED: errno.EBADMSG, SignatureState.REJECTED: errno.EKEYREJECTED}


# --- may_init_module --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command_line", "allowed"),
    [
        ("", True),
        ("nomodule", False),
        ("nomodule=1", False),
        ("nomodule=y", False),
        ("nomodule=0", True),
        ("nomodule=n", True),
        ("nomodule nomodule=0", True),
        ("nomodule=0 nomodule", False),
        ("nomodule nomodule=maybe", False),  # no boolean, so no setting
        ("nomodules", True),
        ("-- nomodule", True),
    ],
)
def test_the_command_line_can_forbid_modules(command_line: str, allowed: bool) -> None:  # noqa: FBT001  a column
    verdict = answer(recipe(), command_line=command_line)
    assert verdict.loads is allowed
    if not allowed:
        assert (verdict.errno, verdict.stage, verdict.log) == (errno.EPERM, "permission", ())


def test_the_sysctl_is_not_undone_by_the_command_line() -> None:
    state = KernelState(modules_disabled=True, command_line="nomodule=0")
    assert answer(recipe(), state=state).errno == errno.EPERM


def test_without_the_capability_nothing_is_looked_at() -> None:
    verdict = answer(b"", privileged=False)
    assert (verdict.errno, verdict.stage, verdict.log) == (errno.EPERM, "permission", ())


def test_an_empty_file_is_no_file() -> None:
    verdict = answer(b"", signature=UNSIGNED, command_line="module.sig_enforce")
    assert (verdict.errno, verdict.stage, verdict.log) == (errno.EINVAL, "file", ())


# --- module_sig_check -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(SOFT))
def test_soft_failures_taint(state: SignatureState) -> None:
    verdict = answer(recipe(), signature=SignatureFinding(state, ("a line of the check",)))
    assert verdict.loads
    assert verdict.log == ("a line of the check", UNSIGNED_LINE)
    assert verdict.state.taint == int(Taint.UNSIGNED_MODULE)
    assert verdict.record is not None
    assert verdict.record.taints == int(Taint.UNSIGNED_MODULE)


@pytest.mark.parametrize("state", list(SOFT))
@pytest.mark.parametrize("command_line", ["module.sig_enforce=1", "module.sig_enforce", "module.sig-enforce=on"])
def test_soft_failures_where_signatures_are_enforced(state: SignatureState, command_line: str) -> None:
    verdict = answer(recipe(), signature=SignatureFinding(state), command_line=command_line)
    assert (verdict.errno, verdict.stage) == (errno.EKEYREJECTED, "signature")
    assert verdict.log == (f"Loading of {SOFT[state]} is rejected",)
    assert verdict.state.taint == 0


@pytest.mark.parametrize("command_line", ["module.sig_enforce=0", "module.sig_enforce=perhaps", "sig_enforce=1"])
def test_enforcement_is_only_ever_turned_on(command_line: str) -> None:
    assert answer(recipe(), signature=UNSIGNED, command_line=command_line).loads
    forced = configured(MODULE_SIG_FORCE=True)
    assert not answer(recipe(), signature=UNSIGNED, command_line=command_line, profile=forced).loads


@pytest.mark.parametrize(("state", "code"), list(HARD.items()))
def test_hard_failures_are_fatal_everywhere(state: SignatureState, code: int) -> None:
    verdict = answer(b"not even an ELF file", signature=SignatureFinding(state, ("why",)))
    assert (verdict.errno, verdict.stage, verdict.log) == (code, "signature", ("why",))
    assert answer(recipe(), signature=SignatureFinding(state), profile=configured(MODULE_SIG=False)).loads


@pytest.mark.parametrize("command_line", ["lockdown=integrity", "lockdown=confidentiality"])
def test_lockdown(command_line: str) -> None:
    verdict = answer(recipe(), signature=UNSIGNED, command_line=command_line)
    assert (verdict.errno, verdict.stage) == (errno.EPERM, "signature")
    assert verdict.log == ("Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7",)
    assert answer(recipe(), command_line=command_line).loads
    enforcing = f"{command_line} module.sig_enforce"
    assert answer(recipe(), signature=UNSIGNED, command_line=enforcing).errno == errno.EKEYREJECTED


@pytest.mark.parametrize("flag", [IGNORE_VERMAGIC, IGNORE_MODVERSIONS, IGNORE_VERMAGIC | IGNORE_MODVERSIONS])
def test_with_a_flag_a_signed_module_counts_as_unsigned(flag: int) -> None:
    verdict = answer(recipe(), signature=TRUSTED, flags=flag)
    assert verdict.loads
    assert verdict.log[-1] == UNSIGNED_LINE
    assert verdict.state.taint == int(Taint.UNSIGNED_MODULE | Taint.FORCED_MODULE)
    refused = answer(recipe(), flags=flag, command_line="module.sig_enforce=1")
    assert (refused.errno, refused.log) == (errno.EKEYREJECTED, ("Loading of unsigned module is rejected",))


def test_with_a_flag_even_a_bad_signature_is_none() -> None:
    bad = SignatureFinding(SignatureState.REJECTED, ("why",))
    assert "why" not in answer(recipe(), signature=bad, flags=IGNORE_VERMAGIC).log


def test_the_line_comes_once_and_the_taint_each_time() -> None:
    first = answer(recipe("mod"), signature=UNSIGNED)
    second = answer(recipe("other"), signature=UNSIGNED, state=replace(first.state, taint=0))
    assert second.log == ()
    assert second.state.taint == int(Taint.UNSIGNED_MODULE)


def test_the_taint_stays_when_the_module_is_refused_later() -> None:
    verdict = answer(recipe(), signature=UNSIGNED, profile=replace(PROFILE, visible_builtins=frozenset({"mod"})))
    assert verdict.errno == errno.EINVAL
    assert verdict.state.taint == int(Taint.UNSIGNED_MODULE)


def test_a_kernel_that_knows_no_signatures() -> None:
    verdict = answer(
        recipe(), signature=UNSIGNED, profile=configured(MODULE_SIG=False), command_line="lockdown=integrity"
    )
    assert (verdict.loads, verdict.log, verdict.state.taint) == (True, (), 0)


# --- who decides ------------------------------------------------------------------------------------------------------


def test_the_judge_checks_by_itself() -> None:
    signer = Signer()
    signed = append(write(recipe()), signer.message(write(recipe())))
    known = replace(PROFILE, certificates=(signer.der,))
    assert answer(signed, signature=None, profile=known).log == ()
    stranger = answer(signed, signature=None, profile=replace(PROFILE, certificates=()))
    assert (stranger.loads, stranger.log) == (True, (UNSIGNED_LINE,))
    owner = KernelState(certificates=(signer.der,), command_line="module.sig_enforce")
    assert answer(signed, signature=None, profile=replace(PROFILE, certificates=()), state=owner).loads
    assert any("which keys" in question for question in answer(signed, signature=None).undecidable)


def test_the_state_overrides_command_line_and_configuration() -> None:
    enforcing = KernelState(sig_enforce=True)
    assert answer(recipe(), signature=UNSIGNED, state=enforcing).errno == errno.EKEYREJECTED
    lenient = KernelState(
        sig_enforce=False, command_line="module.sig_enforce lockdown=integrity", lockdown=Lockdown.NONE
    )
    assert answer(recipe(), signature=UNSIGNED, state=lenient).loads
    locked = KernelState(lockdown=Lockdown.CONFIDENTIALITY)
    assert answer(recipe(), signature=UNSIGNED, state=locked).errno == errno.EPERM


def test_a_digest_that_is_a_module_of_the_kernel() -> None:
    signer = Signer()
    signed = append(write(recipe()), signer.message(write(recipe())))
    profile = replace(PROFILE, config={**PROFILE.config, "CRYPTO_SHA256": "m"}, certificates=(signer.der,))
    assert (
        "whether the kernel can load the module that computes sha256"
        in answer(signed, signature=None, profile=profile).undecidable
    )
