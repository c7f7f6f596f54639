"""Ask the rules what the real kernels were asked, and hold the verdicts against what was recorded.

``python -m tests.truth.replay --kernel 6.12`` prints every disagreement;
``--case 'symbol/*'`` looks at some cases only.
"""

import argparse
import fnmatch
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tests.truth import records
from tests.truth.case import ENVIRONMENTS, Case, Init, Load, Step, Unload
from tests.truth.kernels import KERNELS, KernelFacts, gathered, known
from tests.truth.maker import Maker
from tests.truth.records import Record
from tests.truth.suite import all_cases

from lkm.rules.loading.attempt import KernelState, Request
from lkm.rules.loading.stages import judge
from lkm.rules.taint import letters
from lkm.rules.unloading import judge_unload
from lkm.system.kernel_profile import KernelProfile

__all__ = ["Disagreement", "disagreements", "main", "steps_of"]


@dataclass(frozen=True)
class Disagreement:
    """A step of a case that the rules see differently.

    :param step: counted from 1
    """

    kernel: str
    case: str
    environment: str
    step: int
    truth: Record
    verdict: Record

    def __str__(self) -> str:
        where = f"{self.case} (step {self.step}) on {self.kernel}, {self.environment}"
        return f"{where}\n  truth:   {_shown(self.truth)}\n  verdict: {_shown(self.verdict)}\n"


def _shown(record: Record) -> str:
    if record.crash:
        return record.crash
    return f"errno {record.errno}, taints {record.taints!r}, kernel {record.kernel_taint}, log {list(record.log)}"


def disagreements(
    kernel: str, facts: KernelFacts, cases: Iterable[Case], truth: records.Truth
) -> Iterator[Disagreement]:
    """Judge the cases that a kernel was asked.

    :param facts: of the kernel as it is here; as they were recorded they serve for made-up modules
    """
    maker = Maker(kernel, facts)
    for case in cases:
        if case.id in truth:
            steps = steps_of(case, maker)
            for environment, results in truth[case.id].items():
                yield from _compared(maker.profile, kernel, case.id, environment, steps, results)


def steps_of(case: Case, maker: Maker) -> Sequence[Step]:
    """Make the steps of a case."""
    return case.steps(maker)


def _compared(
    profile: KernelProfile, kernel: str, case: str, environment: str, steps: Sequence[Step], results: Sequence[Record]
) -> Iterator[Disagreement]:
    state = KernelState(command_line=ENVIRONMENTS[environment])
    for number, (step, result) in enumerate(zip(steps, results, strict=False), 1):
        if result.crash:
            return  # that a kernel falls over its own feet is no verdict
        truth = result
        verdict, state, undecidable = _judged(profile, state, step)
        refused_by_init = False
        if isinstance(step, Load) and step.init is not Init.SILENT and verdict.errno == 0 and undecidable:
            truth = replace(truth, log=truth.log[: len(verdict.log)])  # what init prints comes last
            refused_by_init = step.init is Init.DECIDES and truth.errno != 0
        if refused_by_init:
            truth = replace(truth, errno=0, taints=verdict.taints)
        if verdict != truth:
            yield Disagreement(kernel, case, environment, number, truth, verdict)
            return  # what follows is judged in another state
        if refused_by_init:
            return


def _judged(profile: KernelProfile, state: KernelState, step: Step) -> tuple[Record, KernelState, bool]:
    """Judge a step.

    :returns: the verdict as the truth is written down, the state afterwards, and whether something can't be decided
    """
    match step:
        case Load():
            request = Request(
                step.contents,
                step.parameters,
                step.flags,
                privileged=step.privileged,
                command=step.command,
            )
            try:
                verdict = judge(profile, state, request)
            except Exception as error:  # noqa: BLE001  that too is a disagreement, and the next case is asked all the same
                return Record(crash=f"{type(error).__name__}: {error}"), state, False
            taints = letters(verdict.record.taints) if verdict.record else ""
            record = Record(verdict.errno, verdict.log, taints, verdict.state.taint)
            return record, verdict.state, bool(verdict.undecidable)
        case Unload():
            removal = judge_unload(profile, state, step.name, force=step.force)
            return Record(removal.errno, removal.log, "", removal.state.taint), removal.state, False
    return Record(kernel_taint=state.taint), replace(state, modules_disabled=True), False


def main() -> None:
    """Print the disagreements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", action="append", choices=KERNELS, help="one of them (repeatable)")
    parser.add_argument("--case", default="*", help="only cases like this (with * and ?)")
    chosen = parser.parse_args()
    cases = [case for case in all_cases() if fnmatch.fnmatchcase(case.id, chosen.case)]
    count = 0
    for kernel in chosen.kernel or KERNELS:
        truth = records.read(kernel)
        for real, facts in ((False, known(kernel)), (True, gathered(kernel))):
            for found in disagreements(kernel, facts, [case for case in cases if case.real is real], truth):
                print(found)
                count += 1
    print(f"{count} disagreements", file=sys.stderr)
    sys.exit(bool(count))


if __name__ == "__main__":
    main()
