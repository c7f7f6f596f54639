"""What is said of each taint flag."""

from lkm.rules.taint import Taint
from lkm.rules.taint_flags import flags_of, unknown_bits


def test_there_is_something_to_say_about_every_flag() -> None:
    flags = flags_of((1 << 64) - 1)
    assert [flag.mask for flag in flags] == list(Taint)
    assert "".join(flag.letter for flag in flags) == "PFSRMBUDAWCIOELKXTNJ"
    for flag in flags:
        assert Taint[flag.name] == flag.mask
        assert flag.meaning
        assert flag.advice
        assert not flag.advice.endswith(".")


def test_flags_that_not_every_kernel_has_say_so() -> None:
    assert {flag.letter: flag.since for flag in flags_of((1 << 64) - 1) if flag.since} == {"N": "6.0", "J": "6.15"}


def test_modules_have_some_of_them() -> None:
    assert "".join(flag.letter for flag in flags_of((1 << 64) - 1) if flag.of_modules) == "PFCOEKN"


def test_bits_without_a_name() -> None:
    assert unknown_bits(1 << 20 | 1 << 63 | 1) == (20, 63)
    assert unknown_bits(sum(Taint)) == ()
