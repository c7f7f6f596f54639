"""The rules give the answers that real kernels gave, case by case (recorded by ``python -m tests.truth.record``)."""

import pytest
from tests.truth import records
from tests.truth.case import ENVIRONMENTS
from tests.truth.kernels import KERNELS, require_recorded
from tests.truth.known import KNOWN
from tests.truth.replay import disagreements
from tests.truth.suite import all_cases

_LEAST_CASES = 200


def _check(kernel: str, *, real: bool) -> None:
    cases = all_cases()
    truth = records.read(kernel)
    found = {each.case: each for each in disagreements(kernel, cases, truth, real=real)}
    of_kind = {case.id for case in cases if case.real is real}
    expected = {name for known in KNOWN if kernel in known.kernels for name in known.cases if name in of_kind}
    news = [str(each) for name, each in found.items() if name not in expected]
    assert not news, f"{len(news)} disagreements\n{''.join(news)}"
    assert expected <= set(found), "these agree now; take them off the list of known disagreements"


@pytest.mark.parametrize("kernel", KERNELS)
def test_made_up_modules(kernel: str) -> None:
    _check(kernel, real=False)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.xdist_group("kernel")
def test_modules_of_the_kernels_own(kernel: str) -> None:
    require_recorded(kernel)
    _check(kernel, real=True)


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
