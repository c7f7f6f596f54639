"""What was recorded of the kernels is still what they answer: some of it is asked again, each day something else.

Where the distribution has moved on to another kernel, the rules are held against that one.
"""

import datetime as dt

import pytest
from tests.support.require import require_tool
from tests.truth import records
from tests.truth.case import ENVIRONMENTS
from tests.truth.kernels import KERNELS, gathered, is_recorded
from tests.truth.known import known_on
from tests.truth.record import ask
from tests.truth.replay import disagreements
from tests.truth.suite import all_cases

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

_PART = 40  # one case of so many


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_kernel_answers_as_recorded(kernel: str) -> None:
    require_tool("qemu-system-x86_64")
    day = dt.datetime.now(dt.UTC).date().toordinal()
    environment = tuple(ENVIRONMENTS)[(day + KERNELS.index(kernel)) % len(ENVIRONMENTS)]
    truth = records.read(kernel)
    chosen = [case for case in all_cases() if case.id in truth][day % _PART :: _PART]
    answers = ask(kernel, chosen, [environment])
    assert answers
    if is_recorded(kernel):
        assert {name: {environment: truth[name][environment]} for name in answers} == answers
    news = [
        each for each in disagreements(kernel, gathered(kernel), chosen, answers) if each.case not in known_on(kernel)
    ]
    assert not news, "".join(map(str, news))
