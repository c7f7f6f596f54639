"""Who tainted a kernel, by what it says itself, and by texts."""

from pathlib import Path

import pytest

from lkm.actions.session import Session, Target
from lkm.actions.tainting import taint_of_kernel, taint_of_text, taint_of_word
from lkm.errors import ModuleSupportMissing, UsageError
from lkm.formats.proc_modules import LoadedModule
from lkm.rules.taint import Taint

PO = Taint.PROPRIETARY_MODULE | Taint.OOT_MODULE


class _Kernel:
    """A kernel that answers what it is told to."""

    release = "6.1.0-made-up"

    def __init__(self, mask: int, loaded: tuple[LoadedModule, ...] | None, log: tuple[str, ...]) -> None:
        self._mask, self._loaded, self._log = mask, loaded, log

    def taint(self) -> int:
        return self._mask

    def loaded(self) -> tuple[LoadedModule, ...]:
        if self._loaded is None:
            raise ModuleSupportMissing("this kernel can't load modules")
        return self._loaded

    def log(self) -> tuple[str, ...]:
        return self._log


def _session(kernel: _Kernel) -> Session:
    session = Session(Target(kernel="emulated"))
    session.__dict__["kernel"] = kernel
    return session


def test_modules_and_the_log_tell_who_it_was() -> None:
    loaded = (LoadedModule("fat", 1), LoadedModule("nvidia", 1, taints="PO"))
    log = (
        "gone: loading out-of-tree module taints kernel.",
        "nvidia: module license 'NVIDIA' taints kernel.",
        "nothing of it",
    )
    report = taint_of_kernel(_session(_Kernel(int(PO), loaded, log)))
    assert (report.letters, report.release, report.notes) == ("PO", "6.1.0-made-up", ())
    assert [(module.name, module.letters, module.loaded) for module in report.modules] == [
        ("nvidia", "PO", True),
        ("gone", "O", False),
    ]
    assert [module.name for module in report.modules_with("O")] == ["nvidia", "gone"]
    assert [event.line for event in report.events_of("P")] == [log[1]]


def test_what_can_not_be_found_out_is_told_where_there_is_taint() -> None:
    assert taint_of_kernel(_session(_Kernel(0, None, ()))).notes == ()
    notes = taint_of_kernel(_session(_Kernel(1, None, ()))).notes
    assert "can't load modules" in notes[0]
    assert "log" in notes[1]


@pytest.mark.parametrize(
    ("word", "mask"), [("4097", 4097), ("0x1001", 4097), ("PO", 4097), ("G  O", 4096), ("0", 0), ("Not tainted", 0)]
)
def test_words(word: str, mask: int) -> None:
    report = taint_of_word(word)
    assert report is not None
    assert report.mask == mask


@pytest.mark.parametrize("word", ["1x", "0x", "99999999999999999999999", "1_0"])
def test_what_looks_like_a_number_and_is_none(word: str) -> None:
    with pytest.raises(UsageError, match="no taint mask"):
        taint_of_word(word)


def test_a_file_goes_before_what_only_looks_like_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1.log").touch()
    monkeypatch.chdir(tmp_path)
    assert taint_of_word("1.log") is None
    assert taint_of_word("oops.txt") is None


def test_a_text_without_a_report_tells_of_modules_only() -> None:
    report = taint_of_text("hello: loading out-of-tree module taints kernel.\n")
    assert (report.letters, report.source) == ("O", "text")
    assert "only the flags" in report.notes[0]
    assert taint_of_text("12289\n").letters == "POE"
    with pytest.raises(UsageError, match="says nothing of taint"):
        taint_of_text("all is well")
