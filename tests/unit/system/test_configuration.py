"""The configuration of modprobe, from all its places."""

from pathlib import Path

import pytest

from lkm.formats.modprobe_conf import Alias, Blacklist, Install, Options, ProblemKind, Remove, Softdep, Weakdep
from lkm.system import configuration
from lkm.system.configuration import Configuration
from lkm.system.root import Root


def write(root: Path, files: dict[str, str]) -> Root:
    for inside, text in files.items():
        path = root / inside.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Root(str(root))


def read(root: Path, **files: str) -> Configuration:
    """Read directives from one file a keyword."""
    return configuration.read(write(root, {f"/etc/modprobe.d/{name}.conf": text for name, text in files.items()}))


# --- files ------------------------------------------------------------------------------------------------------------


def test_files_are_read_by_base_name_and_the_earlier_directory_wins(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "/lib/modprobe.d/b.conf": "blacklist lib_b",
            "/usr/local/lib/modprobe.d/b.conf": "blacklist local_b",
            "/run/modprobe.d/a.conf": "blacklist run_a",
            "/lib/modprobe.d/a.conf": "blacklist lib_a",
            "/etc/modprobe.d/z.conf": "blacklist etc_z",
            "/lib/modprobe.d/B.conf": "blacklist lib_upper",
            "/lib/modprobe.d/é.conf": "blacklist lib_last",
        },
    )
    found = configuration.read(root)
    assert [line.module for line in found.blacklist] == ["lib_upper", "run_a", "local_b", "etc_z", "lib_last"]
    assert found.blacklist[1].file == f"{tmp_path}/run/modprobe.d/a.conf"
    assert found.problems == ()


def test_usr_lib_is_read_before_lib_where_they_are_two(tmp_path: Path) -> None:
    """As kmod 31 and later do."""
    files = {
        "/usr/lib/modprobe.d/a.conf": "blacklist usr_a",
        "/lib/modprobe.d/a.conf": "blacklist lib_a",
        "/lib/modprobe.d/b.conf": "blacklist lib_b",
        "/usr/local/lib/modprobe.d/c.conf": "blacklist local_c",
        "/usr/lib/modprobe.d/c.conf": "blacklist usr_c",
    }
    found = configuration.read(write(tmp_path, files))
    assert [line.module for line in found.blacklist] == ["usr_a", "lib_b", "local_c"]


@pytest.mark.parametrize("target", ["usr/lib", "/usr/lib"])
def test_nothing_is_read_twice_where_lib_is_a_link_to_usr_lib(tmp_path: Path, target: str) -> None:
    root = write(tmp_path, {"/usr/lib/modprobe.d/a.conf": "blacklist a\nwrong", "/usr/lib/modprobe.d/d.conf/x": ""})
    (tmp_path / "lib").symlink_to(target)
    found = configuration.read(root)
    assert [line.file for line in found.blacklist] == [f"{tmp_path}/lib/modprobe.d/a.conf"]  # as kmod 30 names it
    assert [problem.kind for problem in found.problems] == [ProblemKind.NESTED_DIRECTORY, ProblemKind.BAD_LINE]


def test_only_conf_and_alias_files_count(tmp_path: Path) -> None:
    names = ["a.conf", "b.alias", ".c.conf", "d.conf~", "e", "f.conf.dpkg-new", ".conf"]
    root = write(tmp_path, {f"/etc/modprobe.d/{name}": f"blacklist {name[0]}" for name in names})
    assert [line.module for line in configuration.read(root).blacklist] == ["a", "b"]


def test_paths_given_replace_the_directories(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "/etc/modprobe.d/a.conf": "blacklist etc",
            "/x/b.conf": "blacklist directory",
            "/y/plain": "blacklist file",
            "/z/b.conf": "blacklist hidden",
        },
    )
    found = configuration.read(root, directories=["/x", "/y/plain", "/z/b.conf"])
    assert [line.module for line in found.blacklist] == ["directory", "file"]
    assert configuration.read(root, directories=[]).directives == ()


def test_the_trees_softdeps_come_under_their_name(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "/etc/modprobe.d/a.conf": "softdep a pre: first",
            "/etc/modprobe.d/z.conf": "softdep a pre: last",
            "/lib/modules/6.1/modules.softdep": "# head\nsoftdep a pre: tree",
            "/lib/modules/6.1/modules.weakdep": "weakdep a w",
        },
    )
    found = configuration.read(root, tree_directory="/lib/modules/6.1")
    assert [line.pre for line in found.softdeps] == [("first",), ("tree",), ("last",)]
    assert found.weakdep("a") == Weakdep("a", ("w",), f"{tmp_path}/lib/modules/6.1/modules.weakdep", 1)
    assert configuration.read(root, tree_directory="/nowhere").problems == ()
    replaced = configuration.read(root, directories=["/lib/modules/6.1/modules.softdep"], tree_directory="/nowhere")
    assert replaced.softdeps == ()


def test_the_command_line_comes_last(tmp_path: Path) -> None:
    root = write(tmp_path, {"/etc/modprobe.d/a.conf": "options m x=1\nblacklist b"})
    found = configuration.read(root, cmdline="m.y=2 modprobe.blacklist=c a].b=1")
    assert found.options_for("m") == "x=1 y=2"
    assert [line.module for line in found.blacklist] == ["b", "c"]
    assert [line.file for line in found.options] == [f"{tmp_path}/etc/modprobe.d/a.conf", "/proc/cmdline"]
    assert [problem.kind for problem in found.problems] == [ProblemKind.BAD_COMMAND_LINE]


# --- what can't be read -----------------------------------------------------------------------------------------------


def test_a_missing_path_is_a_problem_only_where_it_was_asked_for(tmp_path: Path) -> None:
    root = Root(str(tmp_path))
    assert configuration.read(root).problems == ()
    (problem,) = configuration.read(root, directories=["/missing"]).problems
    assert problem.kind is ProblemKind.MISSING
    assert problem.file == f"{tmp_path}/missing"
    assert not problem.kind.is_printed


def test_a_directory_called_conf_is_a_problem(tmp_path: Path) -> None:
    root = write(tmp_path, {"/etc/modprobe.d/x.conf/y.conf": "blacklist y", "/etc/modprobe.d/z.conf": "blacklist z"})
    found = configuration.read(root)
    assert [line.module for line in found.blacklist] == ["z"]
    directory = f"{tmp_path}/etc/modprobe.d/x.conf"
    assert [problem.text for problem in found.problems] == [
        f"Directories inside directories are not supported: {directory}"
    ]


def test_loops_of_links_are_problems(tmp_path: Path) -> None:
    root = write(tmp_path, {"/etc/modprobe.d/a.conf": "blacklist a"})
    (tmp_path / "etc/modprobe.d/b.conf").symlink_to("b.conf")
    (tmp_path / "etc/loop").symlink_to("modprobe.d")
    (tmp_path / "etc/modprobe.d/c.conf").symlink_to("../run/modprobe.d")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/modprobe.d").symlink_to("modprobe.d")
    found = configuration.read(root)
    assert [line.module for line in found.blacklist] == ["a"]
    assert sorted((problem.kind.name, Path(problem.file).name) for problem in found.problems) == [
        ("MISSING", "modprobe.d"),
        ("UNREADABLE", "b.conf"),
        ("UNREADABLE", "c.conf"),
    ]


def test_links_stay_inside_the_root(tmp_path: Path) -> None:
    root = write(tmp_path, {"/data/real": "blacklist inside"})
    (tmp_path / "etc/modprobe.d").mkdir(parents=True)
    (tmp_path / "etc/modprobe.d/a.conf").symlink_to("/data/real")
    (line,) = configuration.read(root).blacklist
    assert (line.module, line.file) == ("inside", f"{tmp_path}/etc/modprobe.d/a.conf")


def test_a_link_to_dev_null_hides_a_file_without_a_problem(tmp_path: Path) -> None:
    root = write(tmp_path, {"/lib/modprobe.d/a.conf": "blacklist hidden"})
    (tmp_path / "etc/modprobe.d").mkdir(parents=True)
    (tmp_path / "etc/modprobe.d/a.conf").symlink_to("/dev/null")
    found = configuration.read(root)
    assert found.directives == ()
    assert found.problems == ()


def test_the_null_device_is_an_empty_file() -> None:
    assert configuration.read(Root(), directories=["/dev/null"]).problems == ()


def test_a_dangling_link_is_a_problem(tmp_path: Path) -> None:
    root = write(tmp_path, {"/etc/modprobe.d/b.conf": "blacklist b"})
    (tmp_path / "etc/modprobe.d/a.conf").symlink_to("nowhere")
    found = configuration.read(root)
    assert [problem.kind for problem in found.problems] == [ProblemKind.UNREADABLE]
    assert len(found.blacklist) == 1


def test_a_huge_file_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "LARGEST_FILE", 100)
    found = read(tmp_path, a="#" * 101, b="blacklist b")
    assert [problem.kind for problem in found.problems] == [ProblemKind.UNREADABLE]
    assert "larger" in found.problems[0].text
    assert len(found.blacklist) == 1


def test_what_may_not_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, *_: object) -> int:
        raise PermissionError(13, "Permission denied", path)

    root = write(tmp_path, {"/etc/modprobe.d/a.conf": "blacklist a"})
    with monkeypatch.context() as patched:
        patched.setattr("os.open", refuse)
        (problem,) = configuration.read(root).problems
    assert problem.kind is ProblemKind.UNREADABLE
    assert problem.text == f"{tmp_path}/etc/modprobe.d/a.conf: permission denied"
    with monkeypatch.context() as patched:
        patched.setattr("os.listdir", refuse)
        (problem,) = configuration.read(root).problems
    assert problem.kind is ProblemKind.UNREADABLE_DIRECTORY
    assert problem.text == f"opendir({tmp_path}/etc/modprobe.d): Permission denied"


def test_problems_of_files_name_file_and_line(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, a="\nnonsense\n").problems
    assert problem.text == f"{tmp_path}/etc/modprobe.d/a.conf line 2: ignoring bad line starting with 'nonsense'"


# --- questions --------------------------------------------------------------------------------------------------------


def test_options_join_for_name_and_alias_in_order() -> None:
    found = Configuration(
        [
            Options("m", "a=1", "f", 1),
            Options("x", "no", "f", 2),
            Options("net_pf_10", "b=2 ", "f", 3),
            Options("m", "", "f", 4),
            Options("m", " c=3", "f", 5),
        ]
    )
    assert found.options_for("m", "net_pf_10") == "a=1 b=2   c=3"
    assert found.options_for("m") == "a=1  c=3"
    assert found.options_for("m", "m") == "a=1  c=3"
    assert found.options_for("none") == ""
    assert [line.line for line in found.options_lines("m", "net_pf_10")] == [1, 3, 4, 5]


def test_dashes_in_names_do_not_matter() -> None:
    found = Configuration([Options("snd_hda", "a", "f", 1), Blacklist("snd_hda", "f", 2)])
    assert found.options_for("snd-hda") == "a"
    assert found.blacklisted("snd-hda") == Blacklist("snd_hda", "f", 2)


def test_the_first_command_that_matches_counts() -> None:
    lines = [Install("b", "one", "f", 1), Install("[ab]", "two", "f", 2), Install("*", "three", "f", 3)]
    found = Configuration([*lines, Remove("a*", "four", "f", 4)])
    assert found.install_command("b") == lines[0]
    assert found.install_command("a") == lines[1]
    assert found.install_command("c") == lines[2]
    assert Configuration(reversed(lines)).install_command("b") == lines[2]
    assert found.remove_command("abc") == Remove("a*", "four", "f", 4)
    assert found.remove_command("b") is None


def test_only_the_first_softdep_counts_for_kmod_but_all_are_known() -> None:
    lines = [Softdep("a*", ("x",), (), "f", 1), Softdep("ab", ("y",), (), "f", 2), Softdep("c", (), (), "f", 3)]
    found = Configuration(lines)
    assert found.softdep("ab") == lines[0]
    assert found.all_softdeps("ab") == (lines[0], lines[1])
    assert found.softdep("d") is None
    assert found.all_softdeps("d") == ()


def test_the_first_blacklist_line_is_the_evidence() -> None:
    found = Configuration([Blacklist("a", "f", 1), Blacklist("a", "g", 2), Blacklist("b-c", "h", 1)])
    assert found.blacklisted("a") == Blacklist("a", "f", 1)
    assert found.blacklisted("b") is None
    assert found.blacklisted("b_c") is None


def test_every_alias_that_matches_counts() -> None:
    lines = [Alias("net_pf_*", "a", "f", 1), Alias("x", "b", "f", 2), Alias("net_pf_10", "c", "f", 3)]
    found = Configuration(lines)
    assert found.matching_aliases("net_pf_10") == (lines[0], lines[2])
    assert found.matching_aliases("net_pf_") == (lines[0],)
    assert found.matching_aliases("y") == ()


def test_weakdeps_are_found_like_softdeps() -> None:
    line = Weakdep("a?", ("b",), "f", 1)
    assert Configuration([line]).weakdep("ab") == line
    assert Configuration([line]).weakdep("a") is None
