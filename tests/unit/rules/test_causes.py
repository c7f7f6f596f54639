"""Every cause fires on what a kernel really says, and its remedy can be pasted."""

import errno
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.support.loader import MODERN, PROFILE, answer, configured, export, needs, recipe

from lkm.errors import LoadRefused, UnloadRefused
from lkm.formats.elf.constants import Machine
from lkm.formats.module_writer import write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import
from lkm.rules.cause_rules import LOADING, UNLOADING
from lkm.rules.causes import causes_of_load, causes_of_unload
from lkm.rules.loading.attempt import KernelState, ModuleRecord, Verdict
from lkm.rules.signature_check import UNSIGNED, SignatureFinding
from lkm.rules.signature_policy import SignatureState
from lkm.rules.taint import Taint

GOOD = write(recipe())
CLOSED = KernelState(
    modules=(ModuleRecord("closed", exports=(export("secret"),), taints=int(Taint.PROPRIETARY_MODULE)),)
)
NUMBER = replace(
    recipe(imports=needs("_printk")), parameters=(Parameter("n", "int"), Parameter("io", "int", hwparam=True))
)
KNOWS_INT = replace(PROFILE, exports={**PROFILE.exports, "param_ops_int": export("param_ops_int")})


def _numbers(text: str, command_line: str = "") -> Verdict:
    module = replace(NUMBER, imports=(*NUMBER.imports, *needs("param_ops_int")))
    return answer(module, text, profile=KNOWS_INT, command_line=command_line)


def _state(state: SignatureState) -> SignatureFinding:
    return SignatureFinding(state)


REAL: tuple[tuple[str, Verdict], ...] = (
    ("mixed-licences", answer(recipe(imports=needs("gpl_symbol", "secret")), state=CLOSED)),
    ("unknown-symbol", answer(recipe(imports=needs("nobody")))),
    ("proprietary", answer(recipe(licence="Closed", imports=needs("gpl_symbol")))),
    ("symbol-version", answer(recipe(imports=needs("_printk", crc=1)))),
    ("symbol-version-missing", answer(recipe(imports=(Import("_printk", weak=False, crc=None),)))),
    ("namespace", answer(recipe(imports=needs("spaced")))),
    ("vermagic", answer(recipe(vermagic="5.10.0 SMP "))),
    ("struct-module-version", answer(replace(recipe(), layout_crc=1))),
    ("kernel-export", answer(recipe(exports=(export("_printk"),)))),
    ("duplicate-export", answer(recipe(exports=(export("secret"),)), state=CLOSED)),
    ("not-elf", answer(b"#!/bin/sh\n" * 20)),
    ("architecture", answer(write(replace(recipe(), machine=Machine.AARCH64)))),
    ("live-patch", answer(recipe(extra=(("livepatch", "Y"),)), profile=configured(LIVEPATCH=False))),
    ("damaged-elf", answer(GOOD[:1500])),
    ("not-this-kernel", answer(recipe(without=("vermagic",)), profile=configured(MODULE_FORCE_LOAD=False))),
    ("unsigned-enforced", answer(recipe(), signature=UNSIGNED, command_line="module.sig_enforce")),
    (
        "unavailable-key",
        answer(recipe(), signature=_state(SignatureState.UNKNOWN_KEY), command_line="module.sig_enforce"),
    ),
    ("bad-signature", answer(recipe(), signature=_state(SignatureState.REJECTED))),
    ("malformed-signature", answer(recipe(), signature=_state(SignatureState.MALFORMED))),
    ("lockdown", answer(recipe(), signature=UNSIGNED, command_line="lockdown=integrity")),
    ("lockdown-parameter", _numbers("io=1", "lockdown=integrity")),
    ("kernel-blacklist", answer(recipe(), command_line="module_blacklist=mod")),
    ("permission", answer(recipe(), privileged=False)),
    ("bad-parameter", _numbers("n=x")),
    ("bad-parameter", _numbers("n=99999999999")),
    ("parameter-too-large", Verdict(errno.ENOSPC, "", ("mod: `xx' too large for parameter `label'",), KernelState())),
    ("built-in-name", answer(recipe(), profile=replace(PROFILE, visible_builtins=frozenset({"mod"})))),
    ("already-loaded", answer(recipe(), state=KernelState(modules=(ModuleRecord("mod"),)))),
)
BY_ERRNO = {
    "unresolved": errno.ENOENT,
    "invalid": errno.EINVAL,
    "not-this-kernel": errno.ENOEXEC,
    "no-device": errno.ENODEV,
    "no-memory": errno.ENOMEM,
    "permission": errno.EPERM,
}


def _error(code: int, log: Sequence[str] = ()) -> LoadRefused:
    return LoadRefused("mod", code, log, where="/lib/modules/a b/mod.ko")


def _stripped() -> bytes:
    at = GOOD.find(b".symtab\0")
    assert at > 0
    table = int.from_bytes(GOOD[40:48], "little")
    for index in range(int.from_bytes(GOOD[60:62], "little")):
        kind = table + 64 * index + 4
        if GOOD[kind : kind + 4] == b"\2\0\0\0":
            return GOOD[:kind] + b"\1" + GOOD[kind + 1 :]
    raise AssertionError


@pytest.mark.parametrize(("name", "verdict"), REAL, ids=[f"{number}-{name}" for number, (name, _) in enumerate(REAL)])
def test_fires_on_what_the_kernel_says(name: str, verdict: Verdict) -> None:
    assert not verdict.loads
    causes = causes_of_load(_error(verdict.errno, verdict.log), "mod")
    assert name in [cause.id for cause in causes]
    if name != "proprietary":
        assert causes[0].id == name
    for cause in causes:
        assert cause.summary
        assert cause.reference
        assert not {"{", "}"} & set("".join((cause.summary, *cause.remedy)))


def test_stripped_and_no_module_at_all() -> None:
    stripped = answer(_stripped())
    assert [cause.id for cause in causes_of_load(_error(stripped.errno, stripped.log), "mod")] == ["stripped"]
    for profile in (PROFILE, MODERN):
        verdict = answer(GOOD.replace(b".gnu.linkonce.this_module\0", b".gnu.linkonce.that_module\0"), profile=profile)
        found = causes_of_load(_error(verdict.errno, verdict.log), "mod")
        assert [cause.id for cause in found] == ["no-module"]


@pytest.mark.parametrize(("name", "code"), list(BY_ERRNO.items()))
def test_without_a_log_the_errno_says_what_it_can(name: str, code: int) -> None:
    assert [cause.id for cause in causes_of_load(_error(code), "mod")] == [name]


def test_every_rule_was_seen_to_fire() -> None:
    seen = {name for name, _ in REAL} | set(BY_ERRNO) | {"stripped", "no-module"}
    assert {rule.id for rule in LOADING} == seen


def test_no_errno_that_is_known_for_nothing() -> None:
    assert causes_of_load(_error(errno.EIO), "mod") == ()
    assert causes_of_load(_error(errno.EIO, ("mod: Unknown symbol x (err -2)",)), "mod") == ()


def test_the_last_line_tells_most() -> None:
    log = ("mod: Unknown symbol alpha (err -2)", "mod: Unknown symbol beta (err -2)")
    (cause,) = causes_of_load(_error(errno.ENOENT, log), "mod")
    assert "symbol beta," in cause.summary
    assert "alpha" not in cause.summary


def test_what_is_pasted_is_quoted() -> None:
    hostile = "x; touch /tmp/y"
    error = LoadRefused(hostile, errno.ENOEXEC, ("Invalid ELF header magic: != \x7fELF",), where="/a dir/{0}.ko")
    (cause,) = causes_of_load(error, hostile)
    assert cause.remedy == ("file '/a dir/{0}.ko'",)
    log = ("mod: exports duplicate symbol s (owned by $(id))",)
    (cause,) = causes_of_load(_error(errno.ENOEXEC, log), hostile)
    assert cause.remedy == ("lkm unload '$(id)'",)


@pytest.mark.parametrize(("name", "code"), [(rule.id, rule.errno) for rule in UNLOADING])
def test_removing(name: str, code: int) -> None:
    (cause,) = causes_of_unload(UnloadRefused("mod", code))
    assert cause.id == name
    assert "{" not in "".join((cause.summary, *cause.remedy))
