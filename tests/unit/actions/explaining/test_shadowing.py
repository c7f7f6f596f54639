"""Of lines that contradict each other, explain names the one that wins, with file and line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.shadowing import CASES, Case, write

from lkm.actions.explaining.story import explain
from lkm.actions.session import Session, Target
from lkm.kernels.emulated import EmulatedKernel
from lkm.rules.effective_lines import Effect, EffectiveLine


@pytest.fixture
def ask(own_sample: Path) -> Callable[[Case], list[tuple[str, Effect, str]]]:
    (own_sample / "etc/modprobe.d/quiet.conf").unlink()

    def asked(case: Case) -> list[tuple[str, Effect, str]]:
        write(case, own_sample)
        session = _booted(own_sample, case.cmdline)
        return [_plain(line, str(own_sample)) for line in explain(session, case.subject).stories[0].lines]

    return asked


def _booted(root: Path, cmdline: str) -> Session:
    """Open a system whose emulated kernel was booted with a command line."""
    session = Session(Target(str(root), kernel="emulated"))
    session.__dict__["kernel"] = EmulatedKernel(session.tree, None, cmdline=cmdline)  # a cached property
    return session


def _plain(line: EffectiveLine, root: str) -> tuple[str, Effect, str]:
    return line.where.removeprefix(root), line.effect, line.by.removeprefix(root)


@pytest.mark.parametrize("name", CASES)
def test_the_line_that_wins(name: str, ask: Callable[[Case], list[tuple[str, Effect, str]]]) -> None:
    assert ask(CASES[name]) == list(CASES[name].told)


def test_every_line_that_does_not_count_says_why(own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/a.conf").write_text("install dummy /bin/a\ninstall dummy /bin/b\n")
    session = Session(Target(str(own_sample), kernel="emulated"))
    lost = [line for line in explain(session, "dummy").stories[0].lines if line.effect is not Effect.COUNTS]
    assert [line.reason for line in lost] == ["the first line that matches is run"]
