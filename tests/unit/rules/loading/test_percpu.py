"""Per-CPU variables: what fits into the little that is set aside."""

import errno
from dataclasses import replace

import pytest
from tests.support.loader import PROFILE, answer, configured, recipe
from tests.support.module_edit import with_section

from lkm.formats.elf.constants import SectionFlag, SectionType
from lkm.formats.module_writer import write
from lkm.rules.taint import Taint

GOOD = write(recipe())
FLAGS = SectionFlag.WRITE | SectionFlag.ALLOC


def _module(size: int, alignment: int = 8) -> bytes:
    return with_section(GOOD, ".data..percpu", SectionType.NOBITS, FLAGS, size=size, alignment=alignment)


@pytest.mark.parametrize("size", [1, 64, 8192])
def test_what_fits_may_still_find_too_little_left(size: int) -> None:
    verdict = answer(_module(size))
    assert (verdict.loads, verdict.log) == (True, ())
    assert f"whether {size} bytes of per-CPU memory are free" in verdict.undecidable


def test_nothing_needs_no_memory() -> None:
    assert not any("per-CPU" in question for question in answer(_module(0)).undecidable)
    assert not any("per-CPU" in question for question in answer(GOOD).undecidable)


def test_too_large_an_alignment_is_made_smaller() -> None:
    assert answer(_module(8, 8192)).log == ("mod: per-cpu alignment 8192 > 4096",)


@pytest.mark.parametrize("size", [8193, 32768])
def test_what_does_not_fit(size: int) -> None:
    verdict = answer(_module(size))
    assert (verdict.errno, verdict.stage) == (errno.ENOMEM, "per-CPU memory")
    assert verdict.log == (
        f"percpu: allocation failed, size={size} align=8 atomic=0, alloc from reserved chunk failed",
        f"mod: Could not allocate {size} bytes percpu data",
    )
    assert answer(_module(size), profile=configured(MEM_ALLOC_PROFILING=True)).loads


def test_what_fits_nowhere_is_a_warning() -> None:
    verdict = answer(_module(32769))
    assert verdict.errno == errno.ENOMEM
    assert verdict.log[1] == "illegal size (32769) or align (8) for percpu allocation"
    assert verdict.state.taint == Taint.WARN


def test_a_kernel_for_one_processor_knows_no_such_section() -> None:
    alone = PROFILE.vermagic.replace("SMP ", "")
    module = write(recipe(vermagic=alone))
    large = with_section(module, ".data..percpu", SectionType.NOBITS, FLAGS, size=1 << 20, alignment=8)
    assert answer(large, profile=replace(PROFILE, vermagic=alone)).loads
