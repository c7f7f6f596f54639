"""One value, as the kernel would parse it."""

import errno

import pytest

from lkm.formats.parameters import Parameter
from lkm.rules.parameter_values import judge, settings_in, with_kind
from lkm.system.kernel_profile import KernelProfile

_PROFILE = KernelProfile("6.1.0-56-amd64", 62, "", None, {})


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("int", "x=-5", "-5"),
        ("int", "x=010", "8"),
        ("uint", "x=0x10", "16"),
        ("bool", "x", "Y"),
        ("bool", "x=off", "N"),
        ("invbool", "x=y", "Y"),
        ("charp", 'x="a b"', "a b"),
        ("charp", "x=", ""),
        ("array of int", "x=1,0x2,3", "1,2,3"),
    ],
)
def test_what_the_kernel_takes(kind: str, text: str, shown: str) -> None:
    found = judge(Parameter("x", kind), text, _PROFILE)
    assert (found.errno, found.shown, found.is_certain) == (0, shown, True)


@pytest.mark.parametrize(
    ("kind", "text", "code", "reason"),
    [
        ("int", "x=1k", errno.EINVAL, "a number of type int"),
        ("byte", "x=256", errno.ERANGE, "out of the range of byte"),
        ("int", "x", errno.EINVAL, "a number"),
        ("bool", "x=2", errno.EINVAL, "yes or no"),
        ("charp", f"x={'y' * 1025}", errno.ENOSPC, "1024 bytes"),
        ("array of bool", "x=y,z", errno.EINVAL, "between commas"),
    ],
)
def test_what_the_kernel_refuses(kind: str, text: str, code: int, reason: str) -> None:
    found = judge(Parameter("x", kind), text, _PROFILE)
    assert (found.errno, found.shown) == (code, None)
    assert reason in found.reason


def test_own_code_without_a_value() -> None:
    """Before the module's code is asked, the kernel wants a value (kernel/params.c ``parse_one``)."""
    found = judge(Parameter("x", None, ops="own_param_ops"), "x", _PROFILE)
    assert (found.errno, found.reason) == (errno.EINVAL, "it takes a value")


def test_what_only_the_modules_own_code_knows() -> None:
    found = judge(Parameter("x", "xint", ops=""), "x=whatever", _PROFILE)
    assert (found.errno, found.is_certain) == (0, False)
    assert with_kind(Parameter("x", "xint")).ops is None


def test_letters_differ_by_version() -> None:
    old = KernelProfile("5.10.0-1", 62, "", None, {})
    assert judge(Parameter("x", "bool"), "x=t", old).errno == errno.EINVAL
    assert judge(Parameter("x", "bool"), "x=t", _PROFILE).shown == "Y"


def test_a_parameter_string_is_parted_as_the_kernel_does() -> None:
    found = settings_in('a=1  "b=x y" c="z w" d -- e=2')
    assert [(one.name, one.value, one.text) for one in found] == [
        ("a", "1", "a=1"),
        ("b", "x y", '"b=x y"'),
        ("c", "z w", 'c="z w"'),
        ("d", None, "d"),
    ]
    assert settings_in("") == ()
    assert [one.text for one in settings_in("x=\u00e0 y=1")] == ["x=\udcc3", "y=1"]  # a blank to the kernel is inside
    assert len(settings_in("a " * 50_000)) == 50_000
