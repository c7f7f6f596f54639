"""What else is worth knowing about an answer."""

from dataclasses import replace

import pytest
from tests.support.loader import answer, recipe

from lkm.actions.checking.reasons import panic_note
from lkm.rules.loading.state import KernelState


@pytest.mark.parametrize(
    ("command_line", "mask"),
    [
        ("", 0),
        ("panic_on_taint=1000", 0x1000),
        ("panic_on_taint=0x1000,nousertaint", 0x1000),
        ("panic_on_taint=2000 panic_on_taint=1000", 0x1000),
        ("panic_on_taint=2000 panic_on_taint=none", 0x2000),
        ("panic_on_taint", 0),
        ("panic_on_taint=-1", 0),
        ("panic_on_taint=1_0", 0),
        ("quiet -- panic_on_taint=1000", 0),
    ],
)
def test_which_taints_are_fatal(command_line: str, mask: int) -> None:
    assert KernelState(command_line=command_line).panics_on == mask


def test_a_kernel_that_panics() -> None:
    state = KernelState(command_line="panic_on_taint=1000")
    (note,) = panic_note(state, answer(recipe(intree=False), state=state))
    assert note == "the kernel panics as soon as this taints it: panic_on_taint=1000 is on its command line"
    assert panic_note(state, answer(recipe(), state=state)) == ()
    other = replace(state, command_line="panic_on_taint=1")
    assert panic_note(other, answer(recipe(intree=False), state=other)) == ()
