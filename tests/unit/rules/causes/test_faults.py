"""The faults that people meet: the first cause is the true one, and says what a person needs to know."""

import pytest
from tests.support.faults import FAULTS, Fault

from lkm.errors import LoadRefused
from lkm.rules.causes import causes_in_text, causes_of_load, causes_of_verdict
from lkm.rules.loading.request import Verdict
from lkm.rules.loading.stages import judge

IDS = [fault.title for fault in FAULTS]


def _verdict(fault: Fault) -> Verdict:
    return judge(fault.kernel(), fault.state, fault.request())


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
def test_the_first_cause_is_the_true_one(fault: Fault) -> None:
    verdict = _verdict(fault)
    first, *others = causes_of_verdict(verdict, name="mod", file=fault.file, profile=fault.kernel())
    assert first.id == fault.cause, (verdict.stage, verdict.log)
    for name in fault.names:
        assert name in first.summary
    assert not [cause.id for cause in others]
    assert first.remedy


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
def test_it_is_known_without_the_profile_too(fault: Fault) -> None:
    causes = causes_of_verdict(_verdict(fault), name="mod", file=fault.file)
    assert causes[0].id == fault.cause


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
def test_a_real_kernels_lines_tell_it_as_well(fault: Fault) -> None:
    verdict = _verdict(fault)
    if not [line for line in verdict.log if "taint" not in line]:
        return  # the kernel says nothing, and a stage is not known of a real one
    causes = causes_of_load(LoadRefused("mod", verdict.errno, verdict.log, where=fault.file), "mod")
    assert causes[0].id == fault.cause
    text = "\n".join(f"[ 1234.567890] {line}" for line in verdict.log)
    pasted = causes_in_text(f"{text}\ninsmod: ERROR: could not insert module {fault.file}: Whatever")
    assert fault.cause in [cause.id for cause in pasted] or fault.cause in {"parameter-out-of-range", "compressed"}


def test_there_are_enough() -> None:
    assert len(FAULTS) >= 25
    assert len({fault.title for fault in FAULTS}) == len(FAULTS)
