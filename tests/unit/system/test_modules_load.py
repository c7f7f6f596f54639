"""What is to be loaded at boot."""

from pathlib import Path

from lkm.errors import LkmError, Unreadable
from lkm.system.modules_load import wanted_at_boot
from lkm.system.root import Root


def _write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_by_base_name_and_the_first_directory_counts(tmp_path: Path) -> None:
    _write(tmp_path, "usr/lib/modules-load.d/b.conf", "vendor\n")
    _write(tmp_path, "etc/modules-load.d/b.conf", "mine\n")
    _write(tmp_path, "run/modules-load.d/a.conf", "# none\n\nearly\nlate\n")
    _write(tmp_path, "etc/modules-load.d/.hidden.conf", "hidden\n")
    _write(tmp_path, "etc/modules-load.d/readme", "readme\n")
    found = wanted_at_boot(Root(str(tmp_path)))
    assert [(entry.name, entry.line) for entry in found] == [("early", 3), ("late", 4), ("mine", 1)]
    assert found[2].file == f"{tmp_path}/etc/modules-load.d/b.conf"


def test_debians_own_file_is_a_link(tmp_path: Path) -> None:
    _write(tmp_path, "etc/modules", "loop\n")
    (tmp_path / "etc/modules-load.d").mkdir()
    (tmp_path / "etc/modules-load.d/modules.conf").symlink_to("../modules")
    assert [entry.name for entry in wanted_at_boot(Root(str(tmp_path)))] == ["loop"]


def test_a_link_to_dev_null_masks(tmp_path: Path) -> None:
    _write(tmp_path, "usr/lib/modules-load.d/a.conf", "vendor\n")
    (tmp_path / "etc/modules-load.d").mkdir(parents=True)
    (tmp_path / "etc/modules-load.d/a.conf").symlink_to("/dev/null")
    assert wanted_at_boot(Root(str(tmp_path))) == ()


def test_what_can_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc/modules-load.d/dir.conf").mkdir(parents=True)
    (tmp_path / "etc/modules-load.d/loop.conf").symlink_to("loop.conf")
    _write(tmp_path, "etc/modules-load.d/z.conf", "loop\n")
    told: list[LkmError] = []
    assert [entry.name for entry in wanted_at_boot(Root(str(tmp_path)), tell=told.append)] == ["loop"]
    assert all(isinstance(error, Unreadable) for error in told)
    assert [str(error).rpartition("/")[2].partition(":")[0] for error in told] == ["dir.conf", "loop.conf"]


def test_the_kernel_command_line_comes_first(tmp_path: Path) -> None:
    _write(tmp_path, "etc/modules-load.d/a.conf", "file\n")
    found = wanted_at_boot(Root(str(tmp_path)), "quiet modules-load=x,,y modules_load= modules_load=z")
    assert [entry.name for entry in found] == ["x", "y", "z", "file"]
    assert found[0].file == "/proc/cmdline"
