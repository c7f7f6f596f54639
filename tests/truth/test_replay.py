"""The rules give the answers that real kernels gave, case by case (recorded by ``python -m tests.truth.record``)."""

import pytest
from tests.truth import records
from tests.truth.case import ENVIRONMENTS, Case
from tests.truth.kernels import KERNELS, KernelFacts, gathered, is_recorded, known
from tests.truth.known import KNOWN, known_on
from tests.truth.replay import disagreements
from tests.truth.suite import all_cases

_LEAST_CASES = 200


def _check(kernel: str, facts: KernelFacts, cases: list[Case]) -> None:
    found = {each.case: each for each in disagreements(kernel, facts, cases, records.read(kernel))}
    expected = known_on(kernel) & {case.id for case in cases}
    news = [str(each) for name, each in found.items() if name not in expected]
    assert not news, f"{len(news)} disagreements\n{''.join(news)}"
    assert expected <= set(found), "these agree now; take them off the list of known disagreements"


@pytest.mark.parametrize("kernel", KERNELS)
def test_made_up_modules(kernel: str) -> None:
    _check(kernel, known(kernel), [case for case in all_cases() if not case.real])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.xdist_group("kernel")
def test_modules_of_the_kernels_own(kernel: str) -> None:
    if not is_recorded(kernel):
        pytest.skip("these are other modules than those that were recorded: tests/kernels asks this kernel itself")
    _check(kernel, gathered(kernel), [case for case in all_cases() if case.real])


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_case_was_put_to_the_kernel_in_every_environment(kernel: str) -> None:
    truth = records.read(kernel)
    assert len(truth) >= _LEAST_CASES
    assert {case.id for case in all_cases() if not case.real} <= set(truth)
    assert all(tuple(results) == tuple(ENVIRONMENTS) for results in truth.values())
    assert set(truth) <= {case.id for case in all_cases()}


def test_known_disagreements_name_cases() -> None:
    assert {name for known in KNOWN for name in known.cases} <= {case.id for case in all_cases()}
    assert all(known.reason and set(known.kernels) <= set(KERNELS) for known in KNOWN)
