"""Every refusal that a stage of the loader can give leads to a cause that says more than its errno."""

import errno
import os
import re
import string
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.loader import (
    LAYOUT_CRC,
    MODERN,
    PROFILE,
    VERMAGIC,
    answer,
    configured,
    export,
    needs,
    recipe,
)

from lkm.errors import Cause, LoadRefused, UnloadRefused
from lkm.formats.elf.constants import Machine, SectionFlag, SectionType, SymbolBinding
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.module_writer import write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import
from lkm.rules.causes import causes_of_load, causes_of_unload, causes_of_verdict
from lkm.rules.causes.generic import GENERIC
from lkm.rules.loading import stages
from lkm.rules.loading.request import Verdict
from lkm.rules.loading.state import KernelState, ModuleRecord
from lkm.rules.signatures.check import UNSIGNED, SignatureFinding
from lkm.rules.signatures.policy import Lockdown, SignatureState
from lkm.rules.taint import Taint
from lkm.rules.unloading import judge_unload
from lkm.system.kernel_profile import KernelProfile

NEWEST = replace(PROFILE, release="7.2.0-test")
OLDEST = replace(PROFILE, release="5.10.0-test")
STRICT = configured(MODULE_FORCE_LOAD=False)
UNPACKS = configured(MODULE_DECOMPRESS=True, MODULE_COMPRESS_XZ=True)
GOOD = write(recipe())
CLOSED = KernelState(
    modules=(ModuleRecord("closed", exports=(export("secret"),), taints=int(Taint.PROPRIETARY_MODULE)),)
)
KNOWS_TYPES = replace(
    PROFILE,
    exports={**PROFILE.exports, **{f"param_ops_{kind}": export(f"param_ops_{kind}") for kind in ("int", "charp")}},
)
PARAMETERS = (Parameter("n", "int"), Parameter("io", "int", hwparam=True), Parameter("label", "charp"))


def _state(state: SignatureState) -> SignatureFinding:
    return SignatureFinding(state)


def _parameters(text: str, state: KernelState | None = None) -> Verdict:
    module = replace(recipe(imports=needs("param_ops_int", "param_ops_charp")), parameters=PARAMETERS)
    return answer(module, text, profile=KNOWS_TYPES, state=state)


def _section(name: str, **fields: int) -> bytes:
    """Change fields of a section header of the good module."""
    section = next(section for section in Elf(GOOD).sections if section.name == name)
    at = int.from_bytes(GOOD[40:48], "little") + 64 * section.index
    data = bytearray(GOOD)
    for field, value in fields.items():
        offset, size = {"type": (4, 4), "flags": (8, 8), "offset": (24, 8), "size": (32, 8)}[field]
        data[at + offset : at + offset + size] = value.to_bytes(size, "little")
    return bytes(data)


def _odd(*sections: tuple[str, SectionFlag], size: int = 8) -> bytes:
    writer = ObjectWriter(machine=Machine.X86_64)
    modinfo = f"name=odd\0license=GPL\0vermagic={VERMAGIC}\0intree=Y\0".encode()
    layout = LAYOUT_CRC.to_bytes(8, "little") + b"module_layout".ljust(56, b"\0")
    this_module = bytes(24) + b"odd".ljust(0x380 - 24, b"\0")
    contents = ((".modinfo", modinfo), ("__versions", layout), (".gnu.linkonce.this_module", this_module))
    for name, data in contents:
        writer.add_section(name, SectionType.PROGBITS, SectionFlag.ALLOC, data)
    for name, flags in sections:
        writer.add_section(name, SectionType.PROGBITS, flags, bytes(size))
    writer.add_symbol("x", value=0, section=1, binding=SymbolBinding.LOCAL)
    return writer.to_bytes()


def _relocation(kind: int) -> bytes:
    section = next(section for section in Elf(GOOD).sections if section.type == SectionType.RELA)
    return GOOD[: section.offset + 8] + kind.to_bytes(4, "little") + GOOD[section.offset + 12 :]


def _struct_module_of(size: int, profile: KernelProfile) -> Verdict:
    return answer(replace(recipe(), struct_module_size=size), profile=profile)


# What is asked, and the cause that must come first.
REFUSALS: tuple[tuple[str, Callable[[], Verdict]], ...] = (
    ("permission", lambda: answer(recipe(), privileged=False)),
    ("modules-disabled", lambda: answer(recipe(), state=KernelState(modules_disabled=True))),
    ("modules-disabled", lambda: answer(recipe(), command_line="nomodule")),
    ("unknown-flags", lambda: answer(recipe(), flags=64)),
    ("unknown-flags", lambda: answer(recipe(), flags=4, profile=OLDEST)),
    ("empty-file", lambda: answer(b"")),
    ("compression-unsupported", lambda: answer(recipe(), flags=4)),
    ("wrong-compression", lambda: answer(recipe(), flags=4, profile=UNPACKS)),
    ("damaged-compression", lambda: answer(b"\xfd7zXZ\0" + bytes(80), flags=4, profile=UNPACKS)),
    ("unsigned-enforced", lambda: answer(recipe(), signature=UNSIGNED, command_line="module.sig_enforce")),
    (
        "unavailable-key",
        lambda: answer(recipe(), signature=_state(SignatureState.UNKNOWN_KEY), command_line="module.sig_enforce"),
    ),
    (
        "unsupported-signature",
        lambda: answer(recipe(), signature=_state(SignatureState.UNSUPPORTED), command_line="module.sig_enforce"),
    ),
    ("algorithm-missing", lambda: answer(recipe(), signature=_state(SignatureState.UNAVAILABLE))),
    ("bad-signature", lambda: answer(recipe(), signature=_state(SignatureState.REJECTED))),
    ("malformed-signature", lambda: answer(recipe(), signature=_state(SignatureState.MALFORMED))),
    ("lockdown", lambda: answer(recipe(), signature=UNSIGNED, command_line="lockdown=integrity")),
    ("lockdown", lambda: answer(recipe(), signature=UNSIGNED, state=KernelState(lockdown=Lockdown.INTEGRITY))),
    ("not-elf", lambda: answer(b"<!DOCTYPE html>" + b" " * 200)),
    ("not-elf", lambda: answer(b"<!DOCTYPE html>" + b" " * 200, profile=NEWEST)),
    ("invalid-elf", lambda: answer(b"<!DOCTYPE html>" + b" " * 200, profile=OLDEST)),
    ("not-a-module", lambda: answer(GOOD[:16] + b"\3\0" + GOOD[18:])),
    ("architecture", lambda: answer(replace(recipe(), machine=Machine.AARCH64))),
    ("truncated", lambda: answer(GOOD[:30])),
    ("truncated", lambda: answer(GOOD[:1500])),
    ("truncated", lambda: answer(_section(".modinfo", size=1 << 40))),
    ("damaged-elf", lambda: answer(_section(".shstrtab", size=0))),
    ("damaged-elf", lambda: answer(_section(".shstrtab", size=0), profile=NEWEST)),
    ("stripped", lambda: answer(_section(".symtab", type=1))),
    ("stripped", lambda: answer(_section(".symtab", type=1), profile=NEWEST)),
    ("not-linked", lambda: answer(GOOD.replace(b".gnu.linkonce.this_module\0", b".gnu.linkonce.that_module\0"))),
    (
        "not-linked",
        lambda: answer(GOOD.replace(b".gnu.linkonce.this_module\0", b".gnu.linkonce.that_module\0"), profile=MODERN),
    ),
    ("struct-module-size", lambda: _struct_module_of(0x480, MODERN)),
    ("kernel-blacklist", lambda: answer(recipe(), command_line="module_blacklist=mod")),
    ("struct-module-version", lambda: answer(replace(recipe(), layout_crc=1))),
    ("struct-module-version", lambda: answer(replace(recipe(), with_versions=False), profile=STRICT)),
    ("vermagic", lambda: answer(recipe(vermagic="5.10.0 SMP "))),
    ("vermagic-flags", lambda: answer(recipe(vermagic=VERMAGIC.replace("preempt", "preempt_rt")))),
    ("vermagic-missing", lambda: answer(recipe(without=("vermagic",)), profile=STRICT)),
    ("live-patch", lambda: answer(recipe(extra=(("livepatch", "Y"),)), profile=configured(LIVEPATCH=False))),
    (
        "live-patch",
        lambda: answer(
            recipe(extra=(("livepatch", "Y"),)), profile=replace(configured(LIVEPATCH=False), release="6.18.0-test")
        ),
    ),
    ("writable-code", lambda: answer(_section(".text", flags=7))),
    ("already-loaded", lambda: answer(recipe(), state=KernelState(modules=(ModuleRecord("mod"),)))),
    (
        "two-constructors",
        lambda: answer(
            _odd((".ctors", SectionFlag.ALLOC), (".init_array", SectionFlag.ALLOC)),
            profile=configured(CONSTRUCTORS=True),
        ),
    ),
    (
        "percpu-memory",
        lambda: answer(_odd((".data..percpu", SectionFlag.ALLOC), size=40_000), profile=configured(SMP=True)),
    ),
    ("export-flags-missing", lambda: answer(recipe(exports=(export("mine"),)), profile=NEWEST)),
    ("symbol-version-missing", lambda: answer(recipe(exports=(export("mine", None),)), profile=STRICT)),
    ("module-namespace", lambda: answer(recipe(extra=(("import_ns", "module:mod"),)), profile=NEWEST)),
    ("mixed-licences", lambda: answer(recipe(imports=needs("gpl_symbol", "secret")), state=CLOSED)),
    ("mixed-licences", lambda: answer(recipe(imports=needs("gpl_symbol", "secret")), state=CLOSED, profile=OLDEST)),
    ("unknown-symbol", lambda: answer(recipe(imports=needs("nobody")))),
    ("proprietary", lambda: answer(recipe(licence="Closed", imports=needs("gpl_symbol")))),
    ("symbol-version", lambda: answer(recipe(imports=needs("_printk", crc=1)))),
    ("symbol-version-missing", lambda: answer(recipe(imports=(Import("_printk", weak=False, crc=None),)))),
    ("namespace", lambda: answer(recipe(imports=needs("spaced")))),
    ("unknown-relocation", lambda: answer(_relocation(42))),
    ("kernel-export", lambda: answer(recipe(exports=(export("_printk"),)))),
    ("duplicate-export", lambda: answer(recipe(exports=(export("secret"),)), state=CLOSED)),
    ("bad-parameter", lambda: _parameters("n=x")),
    ("parameter-without-value", lambda: _parameters("n")),
    ("parameter-out-of-range", lambda: _parameters("n=99999999999")),
    ("parameter-too-large", lambda: _parameters(f"label={'x' * 1025}")),
    ("lockdown-parameter", lambda: _parameters("io=1", KernelState(lockdown=Lockdown.INTEGRITY))),
    ("built-in-name", lambda: answer(recipe(), profile=replace(PROFILE, visible_builtins=frozenset({"mod"})))),
    ("no-name", lambda: answer(recipe("", without=("name",)))),
    ("twin-sections", lambda: answer(_odd((".odd", SectionFlag.ALLOC), (".odd", SectionFlag.ALLOC)), profile=NEWEST)),
)
NEVER_REFUSE = {"taints", "signature taint", "name taint", "architecture", "contents"}
"""Stages that only taint; and two that refuse what no module of x86-64 has, or what no rule can foresee."""

GENERAL = {rule.summary.split(":")[0] for rule in GENERIC}


@pytest.mark.parametrize(("name", "ask"), REFUSALS, ids=[f"{n}-{name}" for n, (name, _) in enumerate(REFUSALS)])
def test_each_refusal_has_its_cause(name: str, ask: Callable[[], Verdict]) -> None:
    verdict = ask()
    assert not verdict.loads
    causes = causes_of_verdict(verdict, name="mod", file="/a b/mod.ko")
    assert causes[0].id == name, (verdict.stage, verdict.errno, verdict.log, [cause.id for cause in causes])
    _sound(causes)


def _sound(causes: tuple[Cause, ...]) -> None:
    for cause in causes:
        assert cause.summary
        assert cause.reference
        assert not {"{", "}"} & set("".join((cause.summary, *cause.remedy)))
        for command in cause.remedy:
            assert "/a b/" not in command.replace("'/a b/mod.ko'", "")


def test_every_stage_that_refuses_was_asked() -> None:
    seen = {ask().stage for _, ask in REFUSALS}
    known = {name for profile in (OLDEST, PROFILE, MODERN, NEWEST) for name, _ in stages._stages(profile.traits)}
    assert seen >= known - NEVER_REFUSE
    assert seen <= known


@pytest.mark.parametrize("stage", sorted(NEVER_REFUSE))
def test_a_stage_that_says_nothing_still_has_a_cause(stage: str) -> None:
    causes = causes_of_verdict(Verdict(errno.ENOEXEC, stage, (), KernelState()), name="mod", file="mod.ko")
    assert causes


def test_a_module_that_loads_has_no_causes() -> None:
    assert causes_of_verdict(answer(recipe()), name="mod", file="mod.ko") == ()


def test_a_live_refusal_has_the_same_cause_where_the_kernel_says_something() -> None:
    for name, ask in REFUSALS:
        verdict = ask()
        telling = [line for line in verdict.log if "taint" not in line]
        if not telling or "proprietary" in name:
            continue
        error = LoadRefused("mod", verdict.errno, verdict.log, where="/lib/modules/x/mod.ko")
        assert causes_of_load(error, "mod")[0].id == name, verdict.log


# Lines of kernels 5.10 to 7.2 as they look when printed, with the errno that goes with them.
LINES: tuple[tuple[int, str], ...] = (
    *(
        (errno.ENOEXEC, line)
        for line in (
            "Invalid ELF header len 3",
            "Invalid ELF header magic: != \x7fELF",
            "Invalid ELF header type: 2 != 1",
            "Invalid architecture in ELF header: 40",
            "Invalid module architecture in ELF header: 40",
            "Invalid ELF section header size",
            "Invalid ELF section header overflow",
            "Invalid ELF section name index: 0 || e_shstrndx (0) >= e_shnum (9)",
            "Invalid ELF section name table type: 1",
            "Invalid ELF section hdr(type 3)",
            "empty section name table",
            "ELF Spec violation: section name table isn't null terminated",
            "ELF Spec violation: section 0 type(1)!=SH_NULL or non-zero len or addr",
            "Invalid ELF section in module (section 3 type 1)",
            "Invalid ELF section name in module (section 3 type 1)",
            "Invalid ELF sh_link!=SHN_UNDEF(0) or (sh_link(0) >= hdr->e_shnum(9)",
            "Invalid ELF symbol string table type: 1",
            "Only one .modinfo section must exist.",
            "module mod: Exactly one .gnu.linkonce.this_module section must exist.",
            "module mod: Only one .gnu.linkonce.this_module section must exist.",
            "module mod: .gnu.linkonce.this_module section must have a size set",
            "module mod: .gnu.linkonce.this_module must occupy memory during process execution",
            (
                "module mod: .gnu.linkonce.this_module section size must match the kernel's built struct module size at"
                " run time"
            ),
            "mod: module has no symbols (stripped?)",
            "extended version crc+name presence does not match",
            "more extended version crcs than names",
            "empty symbol string table",
            "symbol string table missing leading NUL",
            "symbol string table isn't NUL terminated",
            "symbol name out of bounds in string table",
            "Module has invalid ELF structures",
            "mod: No module found in object",
            "(missing .modinfo section or name field): No module found in object",
            "mod: section .text (index 3) has invalid WRITE|EXEC flags",
            "mod: module is marked as livepatch module, but livepatch support is disabled",
            "mod: version magic 'odd' should be 'even'",
            "mod: no symbol version for module_layout",
            "mod: please compile with -fno-common",
            "mod: Symbol x has an invalid section index 77 (max 9)",
            "module: mod: Unknown rela relocation: 42",
            "module mod: REL relocation unsupported",
            "Modules: module mod: unsupported RELA relocation: 42",
            "module: overflow in relocation type 11 val ffff sec 1 idx 2",
            "Modules: module mod: overflow in relocation type 283 val ffff",
            "module: x86/modules: Skipping invalid relocation target, existing value is nonzero for type 1, loc 0",
            "module: x86/modules: Invalid relocation target, existing value is nonzero for sec 1, idx 1, type 1",
            "mod: module PLT section(s) missing",
            "mod: no flags for exported symbols",
        )
    ),
    *(
        (errno.EINVAL, line)
        for line in (
            "not a gzip compressed module",
            "not an xz compressed module",
            "not a zstd compressed module",
            "failed to initialize decompressor: -2",
            "decompression failed with status -3",
            "ZSTD-compressed data has an incomplete frame header",
            "ZSTD-compressed data has too large a window size",
            "Can't initialize ZSTD stream",
            "ZSTD-decompression failed with status 20",
            "mod: has both .ctors and .init_array.",
            "mod: module sysfs not initialized",
            "n: can only take 3 arguments",
            "n: needs at least 2 arguments",
        )
    ),
    (errno.EBUSY, "mod: gave up waiting for init of module slow."),
    (errno.EPERM, "mod: module tries to import module namespace: module:mod"),
    (errno.EBADMSG, "module: PKCS#7 signature info has unexpected non-zero params"),
    (errno.EBADMSG, "PKCS#7 signature with non-detached data"),
    (errno.EKEYREJECTED, "PKCS7: Invalid module sig (has authattrs)"),
    (errno.EKEYREJECTED, "Module hash 00ff is blacklisted"),
    (errno.ENOSPC, "label: string doesn't fit in 7 chars."),
    (errno.ENOSPC, "mod: `xx' too large for parameter `label'"),
    (errno.ENOENT, "mod: Unknown parameter `x'"),
    (errno.EROFS, "mod: `0' invalid for parameter `sig'"),
    (errno.EEXIST, "sysfs: cannot create duplicate filename '/module/mod/sections/.odd'"),
    (errno.ENOMEM, "mod: Could not allocate 8192 bytes percpu data"),
)


@pytest.mark.parametrize(("code", "line"), LINES, ids=[line for _, line in LINES])
def test_every_line_that_ends_a_load_is_known(code: int, line: str) -> None:
    causes = causes_of_load(LoadRefused("mod", code, (line,), where="/a b/mod.ko"), "mod")
    assert causes
    assert causes != causes_of_load(LoadRefused("mod", code, ("so it goes",), where="/a b/mod.ko"), "mod")
    _sound(causes)


ERRNOS = sorted({code for rule in GENERIC for code in rule.errnos})


@pytest.mark.parametrize("code", ERRNOS, ids=[errno.errorcode[code] for code in ERRNOS])
def test_without_a_log_the_errno_says_what_it_can(code: int) -> None:
    causes = causes_of_load(LoadRefused("mod", code, where="/a b/mod.ko"), "mod")
    assert len(causes) == 1, os.strerror(code)
    _sound(causes)


def test_a_live_kernel_that_refuses_a_signature_without_a_word_found_it_bad() -> None:
    (cause,) = causes_of_load(LoadRefused("mod", errno.EKEYREJECTED), "mod")
    assert cause.id == "bad-signature"


def test_a_live_kernel_that_loads_nothing_says_why() -> None:
    error = LoadRefused("mod", errno.EPERM)
    assert "sysctl" in causes_of_load(error, "mod", modules_disabled=True)[0].summary
    assert "nomodule" in causes_of_load(error, "mod", command_line="quiet nomodule")[0].summary
    assert causes_of_load(error, "mod")[0].id == "permission"


def test_no_errno_that_is_known_for_nothing() -> None:
    assert causes_of_load(LoadRefused("mod", errno.ELNRNG), "mod") == ()
    assert causes_of_load(LoadRefused("mod", errno.ELNRNG, ("mod: Unknown symbol x (err -2)",)), "mod") == ()


def test_the_last_symbol_is_named_and_the_others_are_counted() -> None:
    log = ("mod: Unknown symbol alpha (err -2)", "mod: Unknown symbol beta (err -2)")
    (cause,) = causes_of_load(LoadRefused("mod", errno.ENOENT, log), "mod")
    assert "the symbol beta (and 1 more)," in cause.summary


def test_lines_of_another_module_at_the_same_time_do_not_count() -> None:
    log = ("other: Unknown symbol alpha (err -2)", "mod: Unknown symbol beta (err -2)")
    (cause,) = causes_of_load(LoadRefused("mod", errno.ENOENT, log), "mod")
    assert "the symbol beta," in cause.summary


HOSTILE = ("x; touch /tmp/y", "$(id)", "a'b", "`id`", 'q"q', "new\nline", "-rf")
SHELL = set(string.ascii_letters + string.digits + "@%+=:,./-_")


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_pasted_is_quoted(name: str) -> None:
    log = (f"mod: exports duplicate symbol s (owned by {name})", f"{name}: disagrees about version of symbol {name}")
    errors = [LoadRefused(name, code, log, where=name) for code in (errno.ENOEXEC, errno.EINVAL, errno.ENODEV)]
    causes = [cause for error in errors for cause in causes_of_load(error, name)]
    causes += causes_of_unload(UnloadRefused(name, errno.EAGAIN, log))
    assert causes
    for command in [command for cause in causes for command in cause.remedy]:
        unquoted = re.sub(r"'[^']*'|\"'\"", "", command)
        for known in ("$(uname -r)", "$PWD", "; ", "$(modinfo -n )", "|", '"', " "):
            unquoted = unquoted.replace(known, "")
        assert set(unquoted) <= SHELL, command
        assert " -rf" not in command


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (errno.EAGAIN, "in-use"),
        (errno.ENOENT, "not-loaded"),
        (errno.EBUSY, "permanent"),
        (errno.EPERM, "permission"),
        (errno.ENOSYS, "unloading-unsupported"),
        (errno.EINTR, "interrupted"),
    ],
)
def test_removing(code: int, name: str) -> None:
    (cause,) = causes_of_unload(UnloadRefused("mod", code))
    assert cause.id == name
    _sound((cause,))


def test_every_refusal_to_remove_has_a_cause() -> None:
    held = KernelState(modules=(ModuleRecord("user", uses=("mod",)), ModuleRecord("mod")))
    permanent = KernelState(modules=(ModuleRecord("mod", has_exit=False),))
    open_file = KernelState(modules=(ModuleRecord("mod", references=1),))
    verdicts = (
        judge_unload(PROFILE, KernelState(), "mod"),
        judge_unload(PROFILE, held, "mod"),
        judge_unload(PROFILE, permanent, "mod"),
        judge_unload(PROFILE, open_file, "mod"),
        judge_unload(PROFILE, held, "mod", privileged=False),
        judge_unload(configured(MODULE_UNLOAD=False), held, "mod"),
    )
    for verdict in verdicts:
        assert verdict.errno
        assert causes_of_unload(UnloadRefused("mod", verdict.errno, verdict.log))


def test_what_demands_a_signature_is_told_apart() -> None:
    def why(command_line: str = "", *, profile: KernelProfile = PROFILE, state: KernelState | None = None) -> str:
        verdict = answer(recipe(), signature=UNSIGNED, command_line=command_line, profile=profile, state=state)
        return causes_of_verdict(verdict, name="mod", file="mod.ko")[0].summary

    assert "module.sig_enforce on its command line" in why("module.sig_enforce=1")
    assert "CONFIG_MODULE_SIG_FORCE" in why(profile=configured(MODULE_SIG_FORCE=True))
    assert "Secure Boot or a policy" in why(state=KernelState(sig_enforce=True))
    assert "lockdown= on its command line" in why("lockdown=confidentiality")
    assert "configuration" in why(profile=configured(LOCK_DOWN_KERNEL_FORCE_INTEGRITY=True))
    assert "Secure Boot" in why(state=KernelState(lockdown=Lockdown.INTEGRITY))


def test_with_a_profile_it_is_known_who_exports_a_symbol() -> None:
    def why(profile: KernelProfile) -> Cause:
        verdict = answer(recipe(imports=needs("nobody")), profile=profile)
        return causes_of_verdict(verdict, name="mod", file="mod.ko", profile=profile)[0]

    elsewhere = why(replace(PROFILE, module_exports={"other": (export("other_symbol"),)}))
    assert "neither this kernel nor a module of its tree" in elsewhere.summary
    owned = why(replace(PROFILE, module_exports={"owner": (export("nobody"),)}))
    assert "which the module owner exports" in owned.summary
    assert owned.remedy[0] == "lkm load owner"


def test_a_proprietary_module_that_lacks_an_ordinary_symbol_is_not_blamed_for_its_licence() -> None:
    verdict = answer(recipe(licence="Closed", imports=needs("nobody")))
    assert [cause.id for cause in causes_of_verdict(verdict, name="mod", file="mod.ko", profile=PROFILE)] == [
        "unknown-symbol"
    ]
    tainted = KernelState(taint=int(Taint.PROPRIETARY_MODULE))  # the kernel does not mention the licence again
    quiet = answer(recipe(licence="Closed", imports=needs("gpl_symbol")), state=tainted)
    assert causes_of_verdict(quiet, name="mod", file="mod.ko", profile=PROFILE)[0].id == "proprietary"


def test_a_live_refusal_names_secure_boot_where_the_log_does() -> None:
    log = ("Kernel is locked down from EFI Secure Boot; see man kernel_lockdown.7", "something else")
    refused = LoadRefused("mod", errno.EKEYREJECTED, ("Loading of unsigned module is rejected",))
    (cause,) = causes_of_load(refused, "mod", kernel_log=log)
    assert cause.summary.endswith("Secure Boot demands that")
    (cause,) = causes_of_load(refused, "mod", kernel_log=log, command_line="module.sig_enforce=1")
    assert "module.sig_enforce on its command line" in cause.summary
