"""Parameters as the kernel parses them: kernel/params.c, lib/cmdline.c and lib/kstrtox.c, to the character."""

import errno
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.loader import PROFILE, answer, configured, export, needs, recipe

from lkm.formats.module_writer import ModuleRecipe
from lkm.formats.parameters import Parameter
from lkm.rules.loading.attempt import Verdict
from lkm.rules.taint import Taint
from lkm.system.kernel_profile import KernelProfile

INTEGERS = ("byte", "short", "ushort", "int", "uint", "hexint", "long", "ulong", "ullong")
BOOLEANS = ("bool", "invbool", "bint", "bool_enable_only")
KINDS = (*INTEGERS, *BOOLEANS, "charp")
OPS = (*(f"param_ops_{kind}" for kind in (*KINDS, "string", "mine")), "param_array_ops")

KERNEL = replace(PROFILE, exports={**PROFILE.exports, **{name: export(name) for name in OPS}})


def _module(*parameters: Parameter) -> ModuleRecipe:
    return replace(recipe(imports=needs(*OPS)), parameters=parameters)


MODULE = _module(*(Parameter(f"a_{kind}", kind, permissions=0o644) for kind in KINDS))


def _ask(
    text: str, module: ModuleRecipe = MODULE, *, profile: KernelProfile = KERNEL, command_line: str = ""
) -> Verdict:
    return answer(module, text, profile=profile, command_line=command_line)


def _values(verdict: Verdict) -> dict[str, str]:
    assert verdict.loads, verdict
    assert verdict.record is not None
    return {name.removeprefix("a_"): value for name, value in verdict.record.parameters if value}


# --- next_arg ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a_charp=x", "x"),
        ("a-charp=x", "x"),
        (" \t\n\v\f\ra_charp=x ", "x"),
        ('a_charp="x y"', "x y"),
        ('"a_charp=x y"', "x y"),
        ('a_charp=x" y"', 'x" y"'),
        ('a_charp="x" y', "x"),
        ('a_charp="x', "x"),
        ('a_charp="', ""),
        ('a_charp=""', ""),
        ("a_charp=x=y", "x=y"),
        ("a_charp=a a_charp=b", "b"),
        ('"a_charp="x y""', "x"),
        ("a_charp=\u00e9", "\u00e9"),
        ("a_charp=\udcff", "\udcff"),
    ],
)
def test_where_an_argument_ends(text: str, value: str) -> None:
    verdict = _ask(text)
    assert _values(verdict).get("charp", "") == value


def test_a_no_break_space_of_latin_1_parts_arguments() -> None:
    """Also where it is only a byte of a character in UTF-8, such as the last one of à."""
    assert _values(_ask("a_charp=x\udca0a_int=1")) == {"charp": "x", "int": "1"}
    verdict = _ask("a_charp=\u00e0b")
    assert _values(verdict)["charp"] == "\udcc3"
    assert verdict.log == ("mod: unknown parameter 'b' ignored",)


def test_what_follows_a_nul_is_not_there() -> None:
    assert _values(_ask("a_int=1\0a_int=x")) == {"int": "1"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('"a_charp"=x', 'a_charp"'),
        ("nothing", "nothing"),
        ("nothing=1", "nothing"),
        ("=x", "=x"),
        ('"', ""),
        ('" "', " "),
        ("a_int_=1", "a_int_"),
    ],
)
def test_unknown_parameters_are_ignored(text: str, name: str) -> None:
    verdict = _ask(text)
    assert verdict.loads
    assert verdict.log == (f"mod: unknown parameter '{name}' ignored",)


def test_an_equals_sign_at_the_start_parts_nothing_and_the_next_one_does() -> None:
    assert _ask("=x=y").log == ("mod: unknown parameter '=x' ignored",)


def test_two_names_that_the_kernel_knows_itself() -> None:
    assert _ask("async_probe async_probe=0 dyndbg=+p").log == ()
    assert _ask("async-probe").log == ("mod: unknown parameter 'async-probe' ignored",)  # compared exactly
    without = configured(KERNEL, DYNAMIC_DEBUG=False)
    line = "dyndbg param is supported only in CONFIG_DYNAMIC_DEBUG builds"
    assert _ask("dyndbg", profile=without).log == (line,)


def test_what_only_modinfo_mentions_is_no_parameter() -> None:
    described = replace(MODULE, modinfo=(("parm", "ghost:what"), ("parmtype", "ghost:int"), *MODULE.modinfo))
    assert _ask("ghost=x", described).log == ("mod: unknown parameter 'ghost' ignored",)


@pytest.mark.parametrize(
    ("text", "rest"),
    [("--", ""), ("-- ", ""), ("-- a_int=x b", "a_int=x b"), ("a_int=1 --   x", "x"), ('"--" x', "x")],
)
def test_after_the_dashes(text: str, rest: str) -> None:
    verdict = _ask(text)
    assert verdict.loads
    assert verdict.log == (f"mod: parameters '{rest}' after `--' ignored",)


def test_dashes_with_a_value_are_a_name() -> None:
    assert _ask("--=1 --x").log == ("mod: unknown parameter '--' ignored", "mod: unknown parameter '--x' ignored")


def test_after_an_error_the_dashes_go_unsaid() -> None:
    verdict = _ask("a_int=x -- more")
    assert verdict.log == ("mod: `x' invalid for parameter `a_int'",)
    assert verdict.errno == errno.EINVAL


# --- parse_args -------------------------------------------------------------------------------------------------------


def test_all_are_parsed_and_the_last_error_counts() -> None:
    verdict = _ask(f"a_byte=256 a_int=x nothing a_charp={'x' * 1025} a_short=5 a-uint=-1")
    assert (verdict.errno, verdict.stage) == (errno.EINVAL, "parameters")
    assert verdict.log == (
        "mod: `256' invalid for parameter `a_byte'",
        "mod: `x' invalid for parameter `a_int'",
        "mod: unknown parameter 'nothing' ignored",
        "a_charp: string parameter too long",
        f"mod: `{'x' * (989 - 6)}",  # a log line has an end
        "mod: `-1' invalid for parameter `a-uint'",
    )
    assert _ask("a_int=x a_byte=256").errno == errno.ERANGE


@pytest.mark.parametrize("kind", KINDS)
def test_no_value(kind: str) -> None:
    verdict = _ask(f"a_{kind}")
    if kind in {"bool", "bint", "bool_enable_only"}:
        assert _values(verdict) == {kind: "1" if kind == "bint" else "Y"}
    else:
        assert (verdict.errno, verdict.log) == (errno.EINVAL, (f"mod: `' invalid for parameter `a_{kind}'",))


# --- kstrto* ----------------------------------------------------------------------------------------------------------

LIMITS = {
    "byte": (0, 255),
    "short": (-32768, 32767),
    "ushort": (0, 65535),
    "int": (-(2**31), 2**31 - 1),
    "uint": (0, 2**32 - 1),
    "hexint": (0, 2**32 - 1),
    "long": (-(2**63), 2**63 - 1),
    "ulong": (0, 2**64 - 1),
    "ullong": (0, 2**64 - 1),
}


@pytest.mark.parametrize("kind", INTEGERS)
def test_limits_of_integers(kind: str) -> None:
    lowest, highest = LIMITS[kind]
    for value in (lowest, highest):
        shown = f"{value:#08x}" if kind == "hexint" else str(value)
        assert _values(_ask(f"a_{kind}={value}")) == {kind: shown}
    outside = [highest + 1, 2**64, 10**40]
    outside += [lowest - 1, -(2**64), -(10**40)] if lowest else []
    for value in outside:
        assert _ask(f"a_{kind}={value}").errno == errno.ERANGE, value
    if not lowest:
        assert _ask(f"a_{kind}=-1").errno == _ask(f"a_{kind}=-0").errno == errno.EINVAL


def test_pointers_are_half_as_wide_on_32_bit_kernels() -> None:
    from lkm.rules.loading.parameters import _integer  # noqa: PLC0415

    assert _integer("long", str(2**31 - 1), is_64bit=False) == str(2**31 - 1)
    assert _integer("long", str(2**31), is_64bit=False) == errno.ERANGE
    assert _integer("ulong", str(2**32 - 1), is_64bit=False) == str(2**32 - 1)
    assert _integer("ullong", str(2**64 - 1), is_64bit=False) == str(2**64 - 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("+5", 5),
        ("-5", -5),
        ("0x1f", 31),
        ("0X1F", 31),
        ("-0x10", -16),
        ("017", 15),
        ("0000000000000000000000000000000000000017", 15),
        ("0x" + "0" * 600 + "1", 1),
        ('"7\n"', 7),
    ],
)
def test_texts_that_are_integers(text: str, value: int) -> None:
    assert _values(_ask(f"a_int={text}")) == {"int": str(value)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("08", errno.EINVAL),
        ("0x", errno.EINVAL),
        ("0xg", errno.EINVAL),
        ("x", errno.EINVAL),
        ("", errno.EINVAL),
        ("+", errno.EINVAL),
        ("-", errno.EINVAL),
        ("+-5", errno.EINVAL),
        ("-+5", errno.EINVAL),
        ("--5", errno.EINVAL),
        ("5x", errno.EINVAL),
        ("5.0", errno.EINVAL),
        ('"5 "', errno.EINVAL),
        ('"\n5"', errno.EINVAL),
        ('"5\n\n"', errno.EINVAL),
        ("\u0665", errno.EINVAL),  # a digit, but not to the kernel
        ("1_000", errno.EINVAL),
        ("99999999999999999999x", errno.ERANGE),  # too large is noticed first
        ("0x1ffffffffffffffffz", errno.ERANGE),
        ("9" * 5000, errno.ERANGE),
    ],
)
def test_texts_that_are_none(text: str, code: int) -> None:
    assert _ask(f"a_int={text}").errno == code


@pytest.mark.parametrize(("text", "shown"), [("0", "0x000000"), ("31", "0x00001f"), ("0xdeadbeef", "0xdeadbeef")])
def test_hexint_is_shown_as_the_kernel_prints_it(text: str, shown: str) -> None:
    assert _values(_ask(f"a_hexint={text}")) == {"hexint": shown}


# --- booleans ---------------------------------------------------------------------------------------------------------

TRUE = ("y", "Y", "yes", "Yuck", "t", "T", "1", "10", "on", "ON", "oN", "once")
FALSE = ("n", "N", "no", "f", "F", "0", "01", "of", "off", "oFt")
NEITHER = ("", "2", "maybe", "o", "ox", "-1", "+1", "e", "d")


@pytest.mark.parametrize("kind", BOOLEANS)
def test_booleans(kind: str) -> None:
    for text in TRUE:
        assert _values(_ask(f"a_{kind}={text}")) == {kind: "1" if kind == "bint" else "Y"}, text
    for text in FALSE:
        assert _values(_ask(f"a_{kind}={text}")) == {kind: "0" if kind == "bint" else "N"}, text
    for text in NEITHER:
        verdict = _ask(f"a_{kind}={text}")
        assert (verdict.errno, verdict.log) == (errno.EINVAL, (f"mod: `{text}' invalid for parameter `a_{kind}'",))


def test_old_kernels_know_fewer_booleans() -> None:
    old = replace(KERNEL, release="5.10.0-8-amd64")
    assert _ask("a_bool=true", profile=old).errno == errno.EINVAL
    assert _ask("a_bool=yes", profile=old).loads


def test_what_can_only_be_enabled_stays_enabled() -> None:
    verdict = _ask("a_bool_enable_only=1 a_bool_enable_only=0")
    assert verdict.errno == errno.EROFS
    assert verdict.log == ("mod: `0' invalid for parameter `a_bool_enable_only'",)
    assert _ask("a_bool_enable_only=0 a_bool_enable_only=1").loads


# --- texts ------------------------------------------------------------------------------------------------------------


def test_charp_has_a_longest_length_in_bytes() -> None:
    assert _ask(f"a_charp={'x' * 1024}").loads
    assert _ask(f"a_charp={'é' * 512}").loads
    verdict = _ask(f"a_charp={'é' * 513}")
    assert verdict.errno == errno.ENOSPC
    assert verdict.log[0] == "a_charp: string parameter too long"
    short = _ask(f"a_charp={'x' * 1025}")
    assert short.log[1].startswith("mod: `xxx")
    assert _values(_ask("a_charp=")) == {}


def test_strings_have_the_room_that_they_have() -> None:
    module = _module(Parameter("s", "string", permissions=0o444, capacity=4))
    assert _values(_ask("s=abc", module)) == {"s": "abc"}
    verdict = _ask("s=abcd", module)
    assert verdict.errno == errno.ENOSPC
    assert verdict.log == ("s: string doesn't fit in 3 chars.", "mod: `abcd' too large for parameter `s'")


# --- arrays -----------------------------------------------------------------------------------------------------------

ARRAYS = _module(
    Parameter("i", "array of int", permissions=0o444, is_array=True, capacity=3),
    Parameter("b", "array of bool", permissions=0o444, is_array=True, capacity=2),
    Parameter("c", "array of charp", permissions=0o444, is_array=True, capacity=2),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("i=1", {"i": "1"}),
        ("i=1,0x2,-3", {"i": "1,2,-3"}),
        ("b=y,off", {"b": "Y,N"}),
        ("c=a,", {"c": "a,"}),
        ('c="a b,c d"', {"c": "a b,c d"}),
    ],
)
def test_arrays(text: str, shown: dict[str, str]) -> None:
    assert _values(_ask(text, ARRAYS)) == shown


@pytest.mark.parametrize(
    ("text", "code", "lines"),
    [
        ("i=1,2,3,4", errno.EINVAL, ("i: can only take 3 arguments", "mod: `1' invalid for parameter `i'")),
        ("i=7,x,9", errno.EINVAL, ("mod: `7' invalid for parameter `i'",)),
        ("i=7,99999999999", errno.ERANGE, ("mod: `7' invalid for parameter `i'",)),
        ("i=x", errno.EINVAL, ("mod: `x' invalid for parameter `i'",)),
        ("i=1,", errno.EINVAL, ("mod: `1' invalid for parameter `i'",)),
        ("i=", errno.EINVAL, ("mod: `' invalid for parameter `i'",)),
        ("i", errno.EINVAL, ("mod: `' invalid for parameter `i'",)),
        ("b", errno.EINVAL, ("mod: `' invalid for parameter `b'",)),  # an array of booleans needs a value too
        ("b=y,", errno.EINVAL, ("mod: `y' invalid for parameter `b'",)),
        (
            f"c=a,{'x' * 1025}",
            errno.ENOSPC,
            ("c: string parameter too long", "mod: `a' too large for parameter `c'"),
        ),
    ],
)
def test_arrays_that_are_wrong(text: str, code: int, lines: tuple[str, ...]) -> None:
    verdict = _ask(text, ARRAYS)
    assert (verdict.errno, verdict.log) == (code, lines)


# --- what a parameter may do ------------------------------------------------------------------------------------------

RISKY = _module(
    Parameter("unsafe_one", "int", permissions=0o644, unsafe=True),
    Parameter("port", "int", permissions=0o444, hwparam=True),
    Parameter("hidden", "int", permissions=0),
)


def test_unsafe_parameters_taint() -> None:
    verdict = _ask("unsafe-one=1", RISKY)
    assert verdict.loads
    assert verdict.log == ("Setting dangerous option unsafe_one - tainting kernel",)
    assert verdict.state.taint == int(Taint.USER)
    assert verdict.record is not None
    assert verdict.record.taints == 0
    assert _ask("unsafe_one=x", RISKY).state.taint == int(Taint.USER)  # the taint comes before the value
    assert _ask("unsafe_one", RISKY).state.taint == 0


def test_hardware_parameters_under_lockdown() -> None:
    assert _ask("port=1", RISKY).loads
    verdict = _ask("port=1", RISKY, command_line="lockdown=integrity")
    assert verdict.errno == errno.EPERM
    assert verdict.log == (
        "Lockdown: modprobe: unsafe module parameters is restricted; see man kernel_lockdown.7",
        "mod: `1' invalid for parameter `port'",
    )


def test_only_parameters_with_permissions_show() -> None:
    verdict = _ask("hidden=1 port=2", RISKY)
    assert verdict.record is not None
    assert verdict.record.parameters == (("unsafe_one", ""), ("port", "2"))


def test_the_type_is_what_the_kernel_calls_and_not_what_modinfo_says() -> None:
    lying = replace(MODULE, modinfo=(("parmtype", "a_int:charp"), *MODULE.modinfo))
    assert _ask("a_int=x", lying).errno == errno.EINVAL


def test_types_of_the_modules_own_are_not_foretold() -> None:
    module = _module(Parameter("own", "mine", permissions=0o644))
    verdict = _ask("own=anything", module)
    assert verdict.loads
    assert verdict.undecidable[0] == "what the module's own code makes of own=anything"
    assert "what the module's init function returns" in verdict.undecidable


def test_an_undecidable_value_is_told_of_a_refused_module_too() -> None:
    module = _module(Parameter("own", "mine"), Parameter("number", "int"))
    assert _ask("own=1 number=x", module).undecidable == ("what the module's own code makes of own=1",)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from('a_int= "-,x01\t\n\\\u00e0\u00a0\udcff'), max_size=40))
def test_any_string_gets_an_answer(text: str) -> None:
    verdict = _ask(text)
    assert verdict.errno in {0, errno.EINVAL, errno.ERANGE, errno.ENOSPC}
