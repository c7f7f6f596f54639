"""Setting parameters: checked first, then written where they win, and the kernel told."""

from pathlib import Path

import pytest

from lkm.actions.load import carry_out
from lkm.actions.load_names import plans_for
from lkm.actions.parameters.facts import facts_of, require_parameter
from lkm.actions.parameters.persisting import EARLY, LATE
from lkm.actions.parameters.setting import Manner, SetOptions, SetResult, set_parameters
from lkm.actions.parameters.subject import find_subject
from lkm.actions.parameters.unsetting import unset_parameters
from lkm.actions.session import Session
from lkm.errors import InUse, LkmError, ModuleNotFound, NotLoaded, UsageError
from lkm.kernels.emulated import EmulatedKernel

PERSIST = SetOptions(persist=True, command="lkm param set")
RELOAD = SetOptions(reload=True)
LIVE = SetOptions()


def _load(session: Session, parameters: str = "") -> None:
    for plan in plans_for(session, ["tunable"], parameters=parameters, ignore_commands=False, blacklist_names=False):
        carry_out(plan, session.kernel)


def _set(session: Session, *words: str, options: SetOptions = LIVE) -> SetResult:
    return set_parameters(session, "tunable", words, options)


def _lines(root: Path, path: str = EARLY) -> list[str]:
    place = root / path[1:]
    return place.read_text().splitlines()[1:] if place.exists() else []


def _live(session: Session, name: str) -> str | None:
    live = require_parameter(session, find_subject(session, "tunable"), name).live
    return live.value if live else None


# --- live -------------------------------------------------------------------------------------------------------------


def test_live(session: Session) -> None:
    _load(session, "level=1")
    result = _set(session, "level=0x10", "flag", "name=")
    assert [done.manner for done in result.done] == [Manner.SET] * 3
    assert result.done[0].now == "16"
    assert (_live(session, "level"), _live(session, "flag")) == ("16", "Y")
    assert not result.outcome.changes
    again = _set(session, "level=16", "flag=1")
    assert [done.manner for done in again.done] == [Manner.SAME, Manner.SAME]


def test_a_dangerous_one_taints(session: Session) -> None:
    _load(session)
    _set(session, "risky=1")
    assert session.kernel.taint()
    assert "Setting dangerous option risky - tainting kernel" in session.kernel.log()


@pytest.mark.parametrize("name", ["once", "hidden"])
def test_what_can_only_be_set_at_load(session: Session, name: str) -> None:
    _load(session)
    with pytest.raises(UsageError, match="while the module is in the kernel") as caught:
        _set(session, f"{name}=1")
    assert "--persist" in str(caught.value.hint)


def test_not_loaded(session: Session) -> None:
    with pytest.raises(NotLoaded) as caught:
        _set(session, "level=1")
    assert "lkm load tunable level=1" in str(caught.value.hint)


def test_a_root_without_its_kernel(elsewhere: Session) -> None:
    with pytest.raises(UsageError, match="not that of this root"):
        _set(elsewhere, "level=1")
    result = _set(elsewhere, "level=1", options=PERSIST)
    assert result.done[0].manner is Manner.ELSEWHERE


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("level=abc", "a number of type int"),
        ("level=99999999999", "out of the range"),
        ("level", "a number"),
        ("flag=maybe", "yes or no"),
        ("list=1,2,3,4", "3 values at most"),
        ("list=1,x", "several between commas"),
        ("short_text=12345678", "7 bytes at most"),
        ("name=" + "x" * 2000, "1024 bytes at most"),
        ('name=a "b', "can't be written"),
        ("name=a\nb", "can't be written"),
        ("=1", "names no parameter"),
    ],
)
def test_wrong_values_change_nothing(session: Session, root: Path, word: str, reason: str) -> None:
    _load(session)
    with pytest.raises(UsageError, match=reason):
        _set(session, "risky=1", word, options=PERSIST)
    assert _lines(root) == []
    assert _live(session, "risky") != "1"


def test_unknown_parameters_and_modules(session: Session) -> None:
    with pytest.raises(LkmError, match="no parameter 'levl'") as caught:
        _set(session, "levl=1", options=PERSIST)
    assert caught.value.hint == "did you mean level?"
    with pytest.raises(ModuleNotFound):
        set_parameters(session, "tunabel", ["level=1"], PERSIST)
    with pytest.raises(UsageError, match="twice"):
        _set(session, "short-text=a", "short_text=b", options=PERSIST)


# --- persisted --------------------------------------------------------------------------------------------------------


def test_persisting_is_idempotent_and_merges(session: Session, root: Path) -> None:
    assert _set(session, "level=1", "flag", options=PERSIST).outcome.number == 1
    assert _lines(root) == ["options tunable level=1 flag"]
    assert not _set(session, "level=1", "flag=1", options=PERSIST).outcome.changes
    assert not _set(session, "level=0x1", options=PERSIST).outcome.changes
    _set(session, "level=2", "name=a b", options=PERSIST)
    assert _lines(root) == ['options tunable level=2 flag name="a b"']


def test_quotes_may_be_written_as_modprobe_d_has_them(session: Session, root: Path) -> None:
    _set(session, 'name="a b"', options=PERSIST)
    assert _lines(root) == ['options tunable name="a b"']
    _load(session)
    assert _live(session, "name") == "a b"


def test_the_line_keeps_its_place_and_comments_stay(session: Session, root: Path) -> None:
    _set(session, "level=1", options=PERSIST)
    path = root / EARLY[1:]
    path.write_text(path.read_text() + "# mine\noptions tunable \\\n  flag=n\noptions other x=1\n")
    _set(session, "level=3", options=PERSIST)
    assert _lines(root) == ["options tunable level=3 flag=n", "# mine", "options other x=1"]


def test_a_persisted_value_is_there_at_load(session: Session) -> None:
    _set(session, "once=5", r"name=C:\temp", options=PERSIST)
    _load(session)
    assert _live(session, "once") == "5"
    assert _live(session, "name") == r"C:\temp"


def test_ours_wins_over_a_later_file(session: Session, root: Path) -> None:
    (root / "etc/modprobe.d/vendor.conf").write_text("options tunable level=7 once=7\n")
    _set(session, "level=1", "flag=y", options=PERSIST)
    assert _lines(root) == ["options tunable flag=y"]
    assert _lines(root, LATE) == ["options tunable level=1"]
    winner = require_parameter(session, find_subject(session, "tunable"), "level").winner
    assert winner is not None
    assert winner.file.endswith(LATE)
    _load(session)
    assert (_live(session, "level"), _live(session, "once")) == ("1", "7")
    (root / "etc/modprobe.d/vendor.conf").unlink()
    session.reread()
    _set(session, "level=2", options=PERSIST)
    assert _lines(root) == ["options tunable flag=y level=2"]
    assert _lines(root, LATE) == []


def test_what_a_file_of_others_says_already_needs_no_line(session: Session, root: Path) -> None:
    (root / "etc/modprobe.d/vendor.conf").write_text("options tunable level=0x7\n")
    result = _set(session, "level=7", options=PERSIST)
    assert not result.outcome.changes
    assert result.done[0].persisted == "same"


def test_what_beats_ours_is_named(session: Session, root: Path, tmp_path: Path) -> None:
    (root / "etc/modprobe.d/zzz.conf").write_text("options tunable level=7\n")
    result = _set(session, "level=1", options=PERSIST)
    assert result.done[0].beaten_by is not None
    assert result.done[0].beaten_by.where.endswith("zzz.conf:1")
    (tmp_path / "kernel").mkdir(exist_ok=True)
    (tmp_path / "kernel/cmdline").write_text("tunable.level=9")
    session.reread()
    result = _set(session, "level=2", options=PERSIST)
    assert result.done[0].beaten_by is not None
    assert result.done[0].beaten_by.is_command_line


def test_dry_run_writes_nothing(session: Session, root: Path) -> None:
    _load(session)
    result = _set(session, "level=5", options=SetOptions(persist=True, dry_run=True))
    assert "+options tunable level=5" in result.outcome.diff.splitlines()
    assert _lines(root) == []
    assert _live(session, "level") != "5"


def test_a_built_in_belongs_on_the_kernel_command_line(session: Session, root: Path) -> None:
    modinfo = next(root.rglob("modules.builtin.modinfo"))
    modinfo.write_bytes(modinfo.read_bytes() + b"unix.parmtype=backlog:int\0unix.parm=backlog:How long\0")
    with pytest.raises(UsageError) as caught:
        set_parameters(session, "unix", ["backlog=5"], PERSIST)
    assert caught.value.hint == "put this on the kernel command line: unix.backlog=5"


# --- reloading --------------------------------------------------------------------------------------------------------


def test_reload(session: Session, root: Path) -> None:
    _load(session)
    result = _set(session, "once=4", options=RELOAD)
    assert (result.done[0].manner, result.done[0].now) == (Manner.RELOADED, "4")
    assert _lines(root) == []
    result = _set(session, "once=6", options=SetOptions(persist=True, reload=True, command="x"))
    assert result.done[0].now == "6"
    assert _lines(root) == ["options tunable once=6"]


def test_what_is_in_use_is_not_reloaded_and_nothing_is_written(session: Session, root: Path) -> None:
    _load(session)
    assert isinstance(session.kernel, EmulatedKernel)
    session.kernel.hold("tunable", 1)
    with pytest.raises(InUse, match="reference count is 1"):
        _set(session, "once=6", options=SetOptions(persist=True, reload=True, command="x"))
    assert _lines(root) == []


# --- unset ------------------------------------------------------------------------------------------------------------


def test_unset(session: Session, root: Path) -> None:
    (root / "etc/modprobe.d/vendor.conf").write_text("options tunable level=7\n")
    _set(session, "level=1", "flag=y", "once=2", options=PERSIST)
    _, elsewhere, outcome = unset_parameters(session, "tunable", ["level", "flag"], "lkm param unset")
    assert outcome.changes
    assert list(elsewhere) == ["level"]
    assert _lines(root) == ["options tunable once=2"]
    assert not unset_parameters(session, "tunable", ["level"], "lkm param unset")[2].changes
    unset_parameters(session, "tunable", [], "lkm param unset")
    assert not (root / EARLY[1:]).exists()
    assert (root / "etc/modprobe.d/vendor.conf").read_text() == "options tunable level=7\n"


def test_what_the_module_no_longer_has_can_be_unset(session: Session, root: Path) -> None:
    _set(session, "level=1", options=PERSIST)
    path = root / EARLY[1:]
    path.write_text(path.read_text().replace("level=1", "level=1 gone=3"))
    unset_parameters(session, "tunable", ["gone"], "lkm param unset")
    assert _lines(root) == ["options tunable level=1"]


# --- facts ------------------------------------------------------------------------------------------------------------


def test_facts(session: Session, root: Path) -> None:
    (root / "etc/modprobe.d/a.conf").write_text("options tunable level=1 odd=3\noptions tunable level=2\n")
    _load(session)
    facts = {one.name: one for one in facts_of(session, find_subject(session, "tunable"))}
    assert facts["level"].parameter.description == "How much"
    assert facts["level"].default == "0"
    assert [(place.value, place.line, place.wins) for place in facts["level"].configured] == [
        ("1", 1, False),
        ("2", 2, True),
    ]
    assert facts["level"].configured[0].reason.endswith("a.conf:2")
    assert facts["hidden"].live is None
    live = facts["level"].live
    assert live is not None
    assert (live.value, live.is_writable) == ("2", True)
    assert facts["odd"].parameter.type is None  # the module has none such


def test_what_is_wrong_with_configured_values_is_said(session: Session, root: Path) -> None:
    (root / "etc/modprobe.d/a.conf").write_text("options tunable level=abc odd=1\n")
    facts = {one.name: one for one in facts_of(session, find_subject(session, "tunable"))}
    winner = facts["level"].winner
    assert winner is not None
    assert winner.is_refused
    assert winner.reason.startswith("the kernel refuses it, and the module with it: it takes a number of type int")
    assert facts["odd"].configured[0].reason == "the module has no such parameter: the kernel ignores it"
