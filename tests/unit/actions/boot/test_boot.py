"""What is loaded at boot, what does not count, and changing it without a touch to others' files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lkm.actions.boot.changing import OWN_FILE, Kept, add, remove
from lkm.actions.boot.listing import list_boot
from lkm.actions.boot.resolving import BootResolver, Fate
from lkm.actions.session import Session, Target
from lkm.errors import ModuleNotFound, UsageError


@pytest.fixture
def session(own_sample: Path) -> Session:
    return Session(Target(str(own_sample)))


@pytest.fixture
def write(own_sample: Path) -> Callable[[str, str], Path]:
    def written(path: str, text: str) -> Path:
        place = own_sample / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    return written


Write = Callable[[str, str], Path]


def _own(root: Path) -> list[str] | None:
    path = root / OWN_FILE[1:]
    return path.read_text().splitlines()[1:] if path.exists() else None


# --- list -------------------------------------------------------------------------------------------------------------


def test_what_counts_and_what_is_hidden(session: Session, own_sample: Path, write: Write) -> None:
    write("/usr/lib/modules-load.d/a.conf", "dummy\n")
    write("/usr/lib/modules-load.d/b.conf", "pcspkr\n")
    write("/etc/modules-load.d/b.conf", "# mine\nvfat\nunix\nno-such\nvfat\n")
    (own_sample / "etc/modules-load.d/a.conf").symlink_to("/dev/null")
    found = list_boot(session)
    assert [(entry.mention.name, entry.resolved.fate, entry.mention.line) for entry in found.entries] == [
        ("vfat", Fate.LOADS, 2),
        ("unix", Fate.BUILT_IN, 3),
        ("no-such", Fate.MISSING, 4),
        ("vfat", Fate.LOADS, 5),
    ]
    assert found.entries[3].also == f"{own_sample}/etc/modules-load.d/b.conf:2"
    assert found.entries[0].loaded is None  # the running kernel is not of this root
    assert [(file.path.removeprefix(str(own_sample)), file.masked, file.names) for file in found.hidden] == [
        ("/usr/lib/modules-load.d/a.conf", True, ("dummy",)),
        ("/usr/lib/modules-load.d/b.conf", False, ("pcspkr",)),
    ]


def test_the_kernel_command_line(own_sample: Path, tmp_path: Path) -> None:
    (tmp_path / "k").mkdir()
    (tmp_path / "k/cmdline").write_text("modules_load=dummy,vfat rd.modules_load=x quiet modules-load=unix")
    found = list_boot(Session(Target(str(own_sample), kernel=f"emulated:{tmp_path}/k")))
    assert [entry.mention.name for entry in found.entries] == ["dummy", "vfat", "unix"]
    assert {entry.mention.file for entry in found.entries} == {None}
    assert found.entries[0].loaded is False


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("blacklist vfat\n", "blacklisted"),
        ("install vfat /bin/false\n", "forbids vfat"),
        ("install fat /bin/true\n", "forbids fat, which vfat needs"),
    ],
)
def test_what_modprobe_d_keeps_out(session: Session, write: Write, lines: str, reason: str) -> None:
    write("/etc/modprobe.d/more.conf", lines)
    found = BootResolver(session).resolve("vfat")
    assert found.fate is Fate.BLOCKED
    assert reason in found.reason
    assert "more.conf:1" in found.reason


def test_what_the_kernel_keeps_out(own_sample: Path, tmp_path: Path) -> None:
    (tmp_path / "k").mkdir()
    (tmp_path / "k/cmdline").write_text("module_blacklist=dummy,vfat")
    found = BootResolver(Session(Target(str(own_sample), kernel=f"emulated:{tmp_path}/k"))).resolve("vfat")
    assert found.fate is Fate.BLOCKED
    assert "module_blacklist" in found.reason


def test_a_line_with_parameters_is_no_name(session: Session) -> None:
    found = BootResolver(session).resolve("dummy numdummies=2")
    assert found.fate is Fate.MISSING
    assert "lkm param" in found.reason


def test_without_a_module_tree_the_lines_are_listed(tmp_path: Path) -> None:
    (tmp_path / "etc/modules-load.d").mkdir(parents=True)
    (tmp_path / "etc/modules-load.d/a.conf").write_text("vfat\n")
    found = list_boot(Session(Target(str(tmp_path))))
    assert found.entries[0].resolved.fate is Fate.UNKNOWN
    assert "module tree" in found.problems[0]


def test_debians_file_that_nothing_leads_to(session: Session, own_sample: Path, write: Write) -> None:
    write("/etc/modules", "# comment\nvfat\n")
    assert "not read by systemd" in list_boot(session).problems[0]
    (own_sample / "etc/modules-load.d").mkdir()
    (own_sample / "etc/modules-load.d/modules.conf").symlink_to("../modules")
    found = list_boot(session)
    assert found.problems == ()
    assert found.entries[0].mention.name == "vfat"


# --- add --------------------------------------------------------------------------------------------------------------


def test_adding_is_idempotent(session: Session, own_sample: Path) -> None:
    found, outcome = add(session, ["vfat", "dummy"], "lkm boot add vfat dummy")
    assert outcome.number == 1
    assert [added.written for added in found] == [True, True]
    assert _own(own_sample) == ["vfat", "dummy"]
    found, outcome = add(session, ["dummy", "VFAT".lower()], "lkm boot add dummy")
    assert (outcome.number, outcome.changes) == (None, False)
    assert found[0].present.endswith("lkm-boot.conf:3")


def test_what_others_ask_for_or_is_built_in_needs_no_line(session: Session, own_sample: Path, write: Write) -> None:
    write("/usr/lib/modules-load.d/a.conf", "dummy\n")
    found, outcome = add(session, ["dummy", "unix"], "lkm boot add")
    assert not outcome.changes
    assert found[0].present.endswith("a.conf:1")
    assert found[1].resolved.fate is Fate.BUILT_IN
    assert _own(own_sample) is None


def test_unknown_names_are_refused_with_what_is_alike(session: Session, own_sample: Path) -> None:
    with pytest.raises(ModuleNotFound, match="vfatt") as caught:
        add(session, ["dummy", "vfatt"], "lkm boot add")
    assert caught.value.hint is not None
    assert "did you mean vfat" in caught.value.hint
    assert _own(own_sample) is None
    add(session, ["to-come"], "lkm boot add", unchecked=True)
    assert _own(own_sample) == ["to-come"]


@pytest.mark.parametrize("name", ["", "#x", ";x", "a b", "a\nb", "a\0b", "-x", "x" * 300, "./vfat.ko", "/lib/x.ko"])
def test_what_can_be_no_line_is_refused(session: Session, own_sample: Path, name: str) -> None:
    with pytest.raises(UsageError):
        add(session, [name], "lkm boot add", unchecked=True)
    assert _own(own_sample) is None


def test_comments_in_our_own_file_stay(session: Session, own_sample: Path) -> None:
    add(session, ["vfat", "dummy"], "lkm boot add")
    path = own_sample / OWN_FILE[1:]
    path.write_text(path.read_text().replace("vfat\n", "vfat\n; mine \\\n\n"))
    remove(session, ["vfat"], "lkm boot remove")
    add(session, ["pcspkr"], "lkm boot add")
    assert _own(own_sample) == ["; mine \\", "", "dummy", "pcspkr"]


# --- remove -----------------------------------------------------------------------------------------------------------


def test_removing_our_line_and_the_empty_file(session: Session, own_sample: Path) -> None:
    add(session, ["vfat", "dummy"], "lkm boot add")
    found, _ = remove(session, ["vfat"], "lkm boot remove")
    assert found[0].taken == (f"{own_sample}{OWN_FILE}:2",)
    assert _own(own_sample) == ["dummy"]
    remove(session, ["dummy"], "lkm boot remove")
    assert _own(own_sample) is None


def test_a_vendors_file_is_hidden_only_when_asked(session: Session, own_sample: Path, write: Write) -> None:
    vendor = write("/usr/lib/modules-load.d/vendor.conf", "vfat\ndummy\npcspkr\n")
    write("/usr/lib/modules-load.d/z.conf", "pcspkr\n")
    found, outcome = remove(session, ["vfat"], "lkm boot remove")
    assert not outcome.changes
    assert [why for _, why in found[0].kept] == [Kept.VENDORS]
    found, outcome = remove(session, ["vfat"], "lkm boot remove", mask=True)
    assert not found[0].kept
    assert found[0].masked == ((str(vendor), ("dummy", "pcspkr")),)
    assert str((own_sample / "etc/modules-load.d/vendor.conf").readlink()) == "/dev/null"
    assert _own(own_sample) == ["dummy"]  # the other one is asked for elsewhere, too
    assert vendor.read_text() == "vfat\ndummy\npcspkr\n"
    assert [entry.mention.name for entry in list_boot(session).entries] == ["dummy", "pcspkr"]


def test_lines_of_the_administrator_and_the_command_line_stay(own_sample: Path, write: Write, tmp_path: Path) -> None:
    write("/etc/modules-load.d/mine.conf", "vfat\n")
    (tmp_path / "k").mkdir()
    (tmp_path / "k/cmdline").write_text("modules_load=vfat")
    session = Session(Target(str(own_sample), kernel=f"emulated:{tmp_path}/k"))
    found, outcome = remove(session, ["vfat"], "lkm boot remove", mask=True)
    assert not outcome.changes
    assert [why for _, why in found[0].kept] == [Kept.COMMAND_LINE, Kept.ADMINISTRATORS]


def test_what_nothing_asks_for(session: Session, write: Write) -> None:
    write("/etc/modules-load.d/mine.conf", "dummy\n")
    found, outcome = remove(session, ["dumy"], "lkm boot remove")
    assert not outcome.changes
    assert found[0].alike == ("dummy",)
