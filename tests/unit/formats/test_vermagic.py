"""The version magic, and when the kernel takes two for equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.formats import vermagic

DEBIAN = "6.1.0-56-amd64 SMP preempt mod_unload modversions "
ARM64 = "6.12.9 SMP preempt_rt mod_unload aarch64"


def test_parts_of_debians() -> None:
    magic = vermagic.parse(DEBIAN)
    assert magic.text == DEBIAN
    assert magic.release == "6.1.0-56-amd64"
    assert magic.flags == ("SMP", "preempt", "mod_unload", "modversions")
    assert (magic.smp, magic.preemption, magic.mod_unload, magic.modversions) == (True, "preempt", True, True)
    assert magic.architecture == ()


def test_parts_of_another_architecture() -> None:
    magic = vermagic.parse(ARM64)
    assert (magic.preemption, magic.modversions, magic.architecture) == ("preempt_rt", False, ("aarch64",))


def test_no_flags() -> None:
    magic = vermagic.parse("2.6.0")
    assert (magic.release, magic.flags, magic.smp, magic.preemption, magic.mod_unload) == (
        "2.6.0",
        (),
        False,
        None,
        False,
    )


@pytest.mark.parametrize(
    ("module", "kernel", "has_crcs", "same"),
    [
        (DEBIAN, DEBIAN, False, True),
        (DEBIAN, DEBIAN, True, True),
        (DEBIAN.replace("-56-", "-55-"), DEBIAN, True, True),
        (DEBIAN.replace("-56-", "-55-"), DEBIAN, False, False),
        (DEBIAN.rstrip(), DEBIAN, True, False),  # the trailing space is part of it
        (DEBIAN.replace("preempt ", ""), DEBIAN, True, False),
        ("", DEBIAN, True, False),
        ("6.1", "6.2", True, True),  # without a space nothing is left to compare
    ],
)
def test_same_magic(module: str, kernel: str, *, has_crcs: bool, same: bool) -> None:
    assert vermagic.same_magic(module, kernel, has_crcs=has_crcs) is same


@given(st.text(alphabet="6.1-é\udcff ", max_size=60), st.text(alphabet=" ab\t", max_size=20))
def test_any_text_is_a_vermagic(release: str, rest: str) -> None:
    magic = vermagic.parse(release + rest)
    assert (release + rest).startswith(magic.release)
    assert " " not in "".join(magic.flags)
    assert vermagic.same_magic(magic.text, magic.text, has_crcs=False)
