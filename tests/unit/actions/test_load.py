"""Carrying a load out: what fails, what may fail, and what is reported."""

import errno
from pathlib import Path

import pytest
from tests.support.scripted_kernel import ScriptedKernel

from lkm.actions.load import LoadReport, carry_out
from lkm.errors import BuiltIn, CommandFailed, LoadRefused, ModuleNotFound, Unreadable
from lkm.kernels.base import LoadFlags
from lkm.rules.planning.load import LoadPlan
from lkm.rules.planning.steps import Absent, Insert, LoadStep, Present, RunInstall
from lkm.rules.resolving import Candidate
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root


def _insert(name: str, parameters: str = "", *, required: bool = True) -> Insert:
    return Insert(name, ModuleFile(Root("/nowhere"), f"/{name}.ko"), parameters, required)


def _run(name: str, command: str, *, required: bool = True) -> RunInstall:
    return RunInstall(name, command, "x=1", "test.conf:7", required)


def _do(kernel: ScriptedKernel, *steps: LoadStep, target: str = "top", first_time: bool = False) -> LoadReport:
    return carry_out(LoadPlan(Candidate(target), steps), kernel, fail_if_loaded=first_time)


def test_in_order_with_flags_and_announcements() -> None:
    kernel = ScriptedKernel()
    said: list[str] = []
    plan = LoadPlan(Candidate("top"), (Present("unix", builtin=True), _insert("low"), _insert("top", "a=1")))
    flags = LoadFlags.IGNORE_VERMAGIC
    report = carry_out(plan, kernel, flags=flags, announce=lambda step: said.append(step.name))
    assert kernel.calls == ["load low  2", "load top a=1 2"]
    assert (report.inserted, report.present, report.tolerated) == (["low", "top"], ["unix"], [])
    assert report.log == ["low: yes", "top: yes"]
    assert said == ["low", "top"]  # nothing is done to what is present


def test_a_refusal_ends_it_with_its_causes() -> None:
    kernel = ScriptedKernel(refusals={"low": [errno.ENOEXEC]})
    with pytest.raises(LoadRefused) as caught:
        _do(kernel, _insert("low"), _insert("top"))
    assert kernel.calls == ["load low  0"]
    assert [cause.id for cause in caught.value.causes] == ["not-this-kernel"]


def test_what_only_a_softdep_asked_for_may_fail() -> None:
    kernel = ScriptedKernel(refusals={"soft": [errno.ENODEV]})
    steps = (
        _insert("soft", required=False),
        _run("softer", "exit 3", required=False),
        Absent("ghost", required=False),
        _insert("top"),
    )
    report = _do(kernel, *steps)
    assert report.inserted == ["top"]
    assert [type(error) for error in report.tolerated] == [LoadRefused, CommandFailed, ModuleNotFound]
    assert report.log == ["soft: no", "top: yes"]


def test_somebody_else_was_faster() -> None:
    kernel = ScriptedKernel(refusals={"low": [errno.EEXIST]})
    report = _do(kernel, _insert("low"), _insert("top"))
    assert (report.present, report.inserted) == (["low"], ["top"])


def test_what_became_live_meanwhile_is_not_loaded_again() -> None:
    kernel = ScriptedKernel(live={"low"})
    report = _do(kernel, _insert("low"), _insert("top"))
    assert (report.present, kernel.calls) == (["low"], ["load top  0"])


@pytest.mark.parametrize(
    ("kernel", "step"),
    [
        (ScriptedKernel(), Present("top")),
        (ScriptedKernel(live={"top"}), _insert("top")),  # as for a file, of which no plan asks beforehand
        (ScriptedKernel(refusals={"top": [errno.EEXIST]}), _insert("top")),
    ],
)
def test_first_time(kernel: ScriptedKernel, step: LoadStep) -> None:
    with pytest.raises(LoadRefused) as caught:
        _do(kernel, Present("low"), step, first_time=True)
    assert caught.value.errno == errno.EEXIST
    assert [cause.id for cause in caught.value.causes] == ["already-loaded"]


def test_first_time_of_a_built_in() -> None:
    with pytest.raises(BuiltIn, match="top is built into the kernel"):
        _do(ScriptedKernel(), Present("top", builtin=True), first_time=True)


def test_nothing_there() -> None:
    with pytest.raises(ModuleNotFound, match="the alias 'nick' leads to top, and there is no module top"):
        _do(ScriptedKernel(), Absent("top", "nick"))
    with pytest.raises(ModuleNotFound, match=r"^there is no module top"):
        _do(ScriptedKernel(), Absent("top"))


def test_files_that_can_not_be_read_are_no_refusal() -> None:
    class Unread(ScriptedKernel):
        def load(self, module: ModuleFile, parameters: str, flags: LoadFlags = LoadFlags.NONE) -> tuple[str, ...]:
            _ = module.raw
            return ()

    with pytest.raises(Unreadable) as caught:
        _do(Unread(), _insert("top"))
    assert caught.value.where == "/nowhere/top.ko"


# --- install commands -------------------------------------------------------------------------------------------------


def test_commands_run_in_a_shell(tmp_path: Path) -> None:
    command = f'echo "$MODPROBE_MODULE [$CMDLINE_OPTS]" > {tmp_path}/out && exit 0'
    report = _do(ScriptedKernel(), _run("top", command))
    assert (tmp_path / "out").read_text() == "top [x=1]\n"
    assert report.inserted == ["top"]


@pytest.mark.parametrize(("command", "status"), [("exit 3", 3), ("kill -9 $$", -9), ("/no/such/program", 127)])
def test_commands_that_fail(command: str, status: int, capfd: pytest.CaptureFixture[str]) -> None:
    kernel = ScriptedKernel()
    with pytest.raises(CommandFailed) as caught:
        _do(kernel, _run("low", command), _insert("top"))
    assert (caught.value.status, caught.value.where) == (status, "test.conf:7")
    assert "lkm load --ignore-install low" in (caught.value.hint or "")
    assert kernel.calls == []
    capfd.readouterr()
