"""What was recorded of the kernels is still what they answer: some of it is asked again, each day something else."""

import datetime as dt

import pytest
from tests.support.require import require_tool
from tests.truth import records
from tests.truth.case import ENVIRONMENTS
from tests.truth.kernels import KERNELS, require_recorded
from tests.truth.record import ask
from tests.truth.suite import all_cases

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

_PART = 40  # one case of so many


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_kernel_answers_as_recorded(kernel: str) -> None:
    require_tool("qemu-system-x86_64")
    require_recorded(kernel)
    day = dt.datetime.now(dt.UTC).date().toordinal()
    environment = tuple(ENVIRONMENTS)[(day + KERNELS.index(kernel)) % len(ENVIRONMENTS)]
    truth = records.read(kernel)
    chosen = [case for case in all_cases() if case.id in truth][day % _PART :: _PART]
    answers = ask(kernel, chosen, [environment])
    assert answers
    expected = {name: {environment: truth[name][environment]} for name in answers}
    assert {name: expected[name] for name in answers} == answers
