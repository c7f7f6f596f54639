"""All cases, and the modules that they make for one kernel."""

from collections.abc import Iterator, Mapping, Sequence

from tests.truth.case import Case, Step
from tests.truth.cases import (
    compiled,
    elf,
    exports,
    files,
    inside,
    layout,
    lifetime,
    modinfo,
    parameters,
    real,
    signatures,
    symbols,
)
from tests.truth.maker import Maker

__all__ = ["all_cases", "made"]

_SUBJECTS = (files, elf, modinfo, symbols, exports, layout, parameters, signatures, inside, lifetime, real, compiled)


def all_cases() -> tuple[Case, ...]:
    """List the cases; no two have one id."""
    found = tuple(_each())
    assert len({case.id for case in found}) == len(found), sorted(case.id for case in found)
    return found


def _each() -> Iterator[Case]:
    for subject in _SUBJECTS:
        yield from subject.cases()


def made(maker: Maker, cases: Sequence[Case]) -> Mapping[str, Sequence[Step]]:
    """Make the steps of cases; those that do not concern this kernel are missing."""
    steps = {case.id: case.steps(maker) for case in cases}
    return {name: each for name, each in steps.items() if each}
