"""Files of modprobe.d that don't count."""

from pathlib import Path

from lkm.system.configuration_survey import unread_files
from lkm.system.root import Root


def _write(root: Path, **files: str) -> None:
    for name, text in files.items():
        home, _, base = name.partition("__")
        place = root / home.replace("_", "/") / "modprobe.d" / base.replace("_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def test_hidden_by_an_earlier_directory(tmp_path: Path) -> None:
    _write(tmp_path, etc__a_conf="blacklist x\n", run__a_conf="blacklist y\n", lib__a_conf="", lib__b_conf="")
    found = [
        (file.path, file.hidden_by, file.masked, len(file.directives)) for file in unread_files(Root(str(tmp_path)))
    ]
    assert found == [
        ("/run/modprobe.d/a.conf", "/etc/modprobe.d/a.conf", False, 1),
        ("/lib/modprobe.d/a.conf", "/etc/modprobe.d/a.conf", False, 0),
    ]


def test_masked(tmp_path: Path) -> None:
    _write(tmp_path, lib__a_conf="blacklist x\n")
    (tmp_path / "etc/modprobe.d").mkdir(parents=True)
    (tmp_path / "etc/modprobe.d/a.conf").symlink_to("/dev/null")
    (file,) = unread_files(Root(str(tmp_path)))
    assert (file.path, file.masked) == ("/lib/modprobe.d/a.conf", True)


def test_other_names(tmp_path: Path) -> None:
    _write(tmp_path, etc__a_conf_bak="blacklist x\n", etc__b_alias="", etc__c_conf="")
    (tmp_path / "etc/modprobe.d/.hidden").write_text("blacklist z\n")
    (tmp_path / "etc/modprobe.d/directory").mkdir()
    assert [(file.path, file.hidden_by) for file in unread_files(Root(str(tmp_path)))] == [
        ("/etc/modprobe.d/a.conf.bak", None)
    ]


def test_nothing_there(tmp_path: Path) -> None:
    assert unread_files(Root(str(tmp_path))) == ()
