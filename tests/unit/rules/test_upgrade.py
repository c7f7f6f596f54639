"""What becomes of modules and their configuration when another kernel takes over."""

from pathlib import Path

import pytest
from tests.support.next_kernel import NEXT_RELEASE, add_next_kernel

from lkm.actions.session import Session, Target
from lkm.rules.resolving import Resolver
from lkm.rules.upgrade import Change, Finding, changes_of, lines_without_object

CONF = """\
options dummy numdummies=2 label="a b" made_up=1
options fat cache=3 other=1
options unix x=1
softdep vfat pre: nothing
blacklist pcspkr
blacklist nobody
alias beep pcspkr
options pc* y=1
"""


@pytest.fixture
def sides(own_sample: Path) -> tuple[Resolver, Resolver]:
    """The sample kernel and the next, with lines about their modules."""
    add_next_kernel(own_sample)
    (own_sample / "etc/modprobe.d/quiet.conf").unlink()
    (own_sample / "etc/modprobe.d/a.conf").write_text(CONF)
    return _side(own_sample, "6.1.0-sample"), _side(own_sample, NEXT_RELEASE)


def _side(root: Path, release: str) -> Resolver:
    return Session(Target(str(root), release, "emulated")).resolver


def _told(sides: tuple[Resolver, Resolver], name: str) -> list[tuple[Change, bool, str]]:
    return [(found.change, found.is_problem, found.text) for found in changes_of(name, *sides)]


def test_a_module_that_becomes_built_in_is_out_of_reach_for_options(sides: tuple[Resolver, Resolver]) -> None:
    built_in, moved = changes_of("fat", *sides)
    assert (built_in.change, built_in.is_problem) == (Change.BUILT_IN, False)
    assert (moved.change, moved.is_problem) == (Change.PARAMETER_MOVED, True)
    assert "put fat.cache=3 on the kernel command line" in moved.text
    assert moved.where is not None
    assert moved.where.endswith("/etc/modprobe.d/a.conf:2")


def test_a_parameter_that_is_gone(sides: tuple[Resolver, Resolver]) -> None:
    (found,) = changes_of("dummy", *sides)  # numdummies is still there, and made_up never was
    assert (found.change, found.is_problem) == (Change.PARAMETER_GONE, True)
    assert "no parameter label any more" in found.text


def test_a_dependency_that_is_new(sides: tuple[Resolver, Resolver]) -> None:
    assert _told(sides, "vfat") == [(Change.DEPENDENCY, False, "vfat needs nls as well")]


def test_a_new_dependency_that_is_forbidden(sides: tuple[Resolver, Resolver], own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/b.conf").write_text("install nls /bin/false\n")
    (found,) = changes_of("vfat", sides[0], _side(own_sample, NEXT_RELEASE))
    assert (found.change, found.is_problem, found.subject) == (Change.DEPENDENCY, True, "nls")
    assert found.where is not None
    assert found.where.endswith("b.conf:1")


def test_a_module_whose_place_another_takes(sides: tuple[Resolver, Resolver]) -> None:
    told = "pcspkr is gone; what it answers to leads to beeper"
    assert _told(sides, "pcspkr") == [(Change.REPLACED, False, told)]


def test_a_module_that_is_gone(sides: tuple[Resolver, Resolver]) -> None:
    old, new = sides
    assert _told((new, old), "nls")[0][:2] == (Change.GONE, True)  # the way back
    assert _told(sides, "nobody") == [(Change.GONE, False, "neither kernel has a module nobody")]


def test_a_built_in_that_becomes_a_module(sides: tuple[Resolver, Resolver]) -> None:
    assert [found[:2] for found in _told(sides, "unix")] == [(Change.MODULE, False)]


def test_lines_about_modules_that_are_gone(sides: tuple[Resolver, Resolver]) -> None:
    found = tuple(lines_without_object(*sides))
    assert [(line.where or "").rpartition(":")[2] for line in found] == ["5", "7"]
    blacklist, alias = found
    assert (blacklist.is_problem, alias.is_problem) == (True, False)  # beeper would come in pcspkr's place
    assert isinstance(alias, Finding)
    assert "leads to beeper now" in blacklist.text
