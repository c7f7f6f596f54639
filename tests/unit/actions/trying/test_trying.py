"""Holding what a kernel does with a module against what was foretold; here the kernels are emulated."""

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from lkm.actions.session import Session, Target
from lkm.actions.trying.trying import Observation, Trial, differences, observe, planned
from lkm.errors import Blocked, LkmError, Unreadable


def _session(root: Path) -> Session:
    return Session(Target(root=str(root), kernel="emulated"))


def _seen(root: Path, subject: str, parameters: str = "") -> Observation:
    session = _session(root)
    return observe(session.kernel, planned(session, subject, parameters))


def test_a_module_that_loads_and_goes(sample: Path) -> None:
    seen = _seen(sample, f"{sample}/home/you/hello.ko")
    assert (seen.loads, seen.errno, seen.taints, seen.unload_errno, seen.failed) == (True, 0, "OE", 0, None)
    assert seen.log[0] == "hello: loading out-of-tree module taints kernel."
    assert seen.kernel_taint == 1 << 12 | 1 << 13


def test_what_it_needs_comes_first(sample: Path) -> None:
    assert [step.name for step in planned(_session(sample), "fs-vfat", "")] == ["fat", "vfat"]
    assert _seen(sample, "vfat").loads


def test_parameters_are_shown(sample: Path) -> None:
    assert _seen(sample, "dummy", "numdummies=4").parameters == {"numdummies": "4", "label": ""}


def test_a_refusal_has_a_cause(sample: Path) -> None:
    seen = _seen(sample, f"{sample}/home/you/old.ko")
    assert (seen.loads, seen.errno, seen.unload_errno) == (False, errno.ENOEXEC, None)
    assert [cause.id for cause in seen.causes] == ["vermagic"]


def test_a_dependency_that_is_refused(own_sample: Path) -> None:
    fat = own_sample / "lib/modules/6.1.0-sample/kernel/fs/fat/fat.ko"
    fat.write_bytes(b"\x7fELF" + bytes(200))
    seen = _seen(own_sample, "vfat")
    assert not seen.loads
    assert seen.failed is not None
    assert seen.failed.startswith("its dependency fat is refused: ")


def test_a_module_that_is_there_already_is_not_tried(sample: Path) -> None:
    session = _session(sample)
    steps = planned(session, "fat", "")
    session.kernel.load(steps[0].module, "")
    seen = observe(session.kernel, steps)
    assert seen.failed == "the machine itself needs fat and has loaded it already"


def test_what_can_not_be_planned(sample: Path, own_sample: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        planned(_session(sample), f"{tmp_path}/none.ko", "")
    with pytest.raises(LkmError, match="built into"):
        planned(_session(sample), "unix", "")
    (own_sample / "etc/modprobe.d/b.conf").write_text("blacklist vfat\n")
    with pytest.raises(Blocked):
        planned(_session(own_sample), "fs-vfat", "")


def test_differences_are_told_in_words(sample: Path) -> None:
    seen = _seen(sample, f"{sample}/home/you/hello.ko")
    assert differences(seen, seen) == ()
    assert differences(seen, replace(seen, parameters={"label": "other"}, log=(*seen.log, "hello, world"))) == ()
    told = differences(seen, replace(seen, taints="O", unload_errno=errno.EBUSY, log=("a line",), kernel_taint=1))
    assert [text.partition(":")[0] for text in told] == [
        "the module's taints",
        "whether it can be removed",
        "the kernel's lines",
        "the kernel's taint mask",
    ]


def test_an_init_function_that_fails_is_no_wrong_verdict(sample: Path) -> None:
    seen = _seen(sample, f"{sample}/home/you/hello.ko")
    failed = replace(seen, errno=errno.ENODEV, taints="", unload_errno=None)
    trial = Trial("6.1", seen, failed, differences(seen, failed))
    assert (trial.init_failed, trial.differences) == (True, ())
    refused = replace(failed, log=("something else",))
    assert not Trial("6.1", seen, refused, ()).init_failed
    assert [text.partition(":")[0] for text in differences(seen, refused)] == [
        "whether it loads",
        "errno",
        "the module's taints",
        "whether it can be removed",
        "the kernel's lines",
    ]


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        (errno.ENOENT, ["dummy: Unknown symbol more (err -2)"]),
        (errno.EINVAL, ["dummy: `x' invalid for parameter `numdummies'"]),
        (errno.ENOEXEC, []),
        (errno.EKEYREJECTED, ["Loading of unsigned module is rejected"]),
    ],
)
def test_a_refusal_that_was_not_foretold_is_not_laid_on_init(sample: Path, code: int, lines: list[str]) -> None:
    """No line was foretold, and with none every log begins."""
    seen = _seen(sample, "dummy")
    assert seen.log == ()
    refused = Observation(errno=code, log=tuple(lines))
    assert "whether it loads" in differences(seen, refused)[0]
    assert not Trial("6.1", seen, refused, ()).init_failed
    own = Observation(errno=errno.EINVAL, log=("dummy: no such card here",))
    assert differences(seen, own) == ()


def test_a_refusal_that_prints_more_than_foretold(sample: Path) -> None:
    seen = _seen(sample, f"{sample}/home/you/old.ko")
    told = differences(seen, replace(seen, log=(*seen.log, "more")))
    assert [text.partition(":")[0] for text in told] == ["the kernel's lines"]
    assert differences(seen, Observation(failed="the machine is lost")) == ()


def test_who_loads_the_module_does_not_count() -> None:
    told = "unsigned module loading is restricted; see man kernel_lockdown.7"
    expected = Observation(errno=errno.EPERM, log=(f"Lockdown: modprobe: {told}",))
    assert differences(expected, replace(expected, log=(f"Lockdown: python: {told}",))) == ()
    assert differences(expected, replace(expected, log=("Lockdown: python: something else",)))
