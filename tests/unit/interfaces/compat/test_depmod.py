"""depmod on small trees; the texts are those of kmod 30, ``-m`` and ``-o`` as in kmod 34."""

import errno
import os
import time
from pathlib import Path

import pytest
from tests.support.front_ends import Run, run_front_end

from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.formats.symbol_versions import Import

RELEASE = "6.1.0-test"


@pytest.fixture
def run(no_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A front-end; where no base is given it finds no tree, and no depmod.d."""
    monkeypatch.delenv("POSIXLY_CORRECT", raising=False)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("LKM_ROOT", str(tmp_path / "elsewhere"))
    return run_front_end


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root whose tree has a, and b that needs it."""
    root = tmp_path / "root"
    add(root, "a", exports="offered")
    add(root, "b", needs="offered printk")
    build_files(root / "lib/modules" / RELEASE, order="kernel/a.ko\nkernel/b.ko\n")
    return root


def build_files(tree: Path, order: str = "") -> None:
    (tree / "modules.order").write_text(order)
    for name in ("modules.builtin", "modules.builtin.modinfo"):
        (tree / name).write_bytes(b"")


def add(
    root: Path, name: str, *, exports: str = "", needs: str = "", place: str = f"lib/modules/{RELEASE}/kernel"
) -> Path:
    recipe = ModuleRecipe(
        name=name,
        modinfo=(("alias", f"alias-{name}"),),
        exports=tuple(Export(symbol, 7, gpl_only=False, namespace=None) for symbol in exports.split()),
        imports=tuple(Import(symbol, weak=False, crc=7) for symbol in needs.split()),
    )
    path = root / place / f"{name}.ko"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write(recipe))
    return path


def dep(root: Path) -> str | None:
    path = root / "lib/modules" / RELEASE / "modules.dep"
    return path.read_text() if path.exists() else None


BOTH = "kernel/a.ko:\nkernel/b.ko: kernel/a.ko\n"

# --- what is indexed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["-a"], ["--all"], ["-q", "-a"]])
def test_all_modules_of_a_base_are_indexed(run: Run, root: Path, options: list[str]) -> None:
    outcome = run("depmod", "-b", str(root), *options, RELEASE)
    assert (outcome.status, outcome.output) == (0, "")
    assert dep(root) == BOTH


def test_a_relative_base_and_the_environments_root(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert run("depmod", "-b", ".", RELEASE).status == 0
    assert dep(root) == BOTH
    (root / "lib/modules" / RELEASE / "modules.dep").unlink()
    monkeypatch.setenv("LKM_ROOT", str(root))
    assert run("depmod", RELEASE).status == 0
    assert dep(root) == BOTH


def test_files_that_are_named_are_all_that_is_indexed(run: Run, root: Path) -> None:
    tree = root / "lib/modules" / RELEASE
    outside = add(root, "c", needs="offered", place="home")
    assert run("depmod", "-b", str(root), RELEASE, f"{tree}/kernel/a.ko", str(outside)).status == 0
    assert dep(root) == f"kernel/a.ko:\n{outside}: kernel/a.ko\n"
    assert run("depmod", "-a", "-b", str(root), RELEASE, str(outside)).status == 0
    assert dep(root) == BOTH


def test_files_that_can_not_be_indexed(run: Run, root: Path) -> None:
    a = f"{root}/lib/modules/{RELEASE}/kernel/a.ko"
    other = add(root, "a", place="home")
    library = "../libkmod/libkmod-module.c:428 kmod_module_new_from_path()"
    places = f"kmod_module 'a' already exists with different path: new-path='{other}' old-path='{a}'"
    for files, said in (
        (["a.ko"], ["FATAL: a.ko: not absolute path."]),
        (["/nosuch.ko"], ["FATAL: could not create module /nosuch.ko: No such file or directory"]),
        ([a, a], ["ERROR: hash_add_unique a: File exists", f"FATAL: could not add module {a}: File exists"]),
        ([a, str(other)], [f"ERROR: {library} {places}", f"FATAL: could not create module {other}: File exists"]),
    ):
        outcome = run("depmod", "-b", str(root), RELEASE, *files)
        assert (outcome.status, outcome.errors) == (1, [f"depmod: {line}" for line in said])
        assert dep(root) is None


def test_another_directory_of_trees(run: Run, root: Path) -> None:
    add(root, "z", place=f"usr/lib/modules/{RELEASE}")
    build_files(root / "usr/lib/modules" / RELEASE)
    assert run("depmod", "-b", str(root), "-m", "/usr/lib/modules", RELEASE).status == 0
    assert (root / "usr/lib/modules" / RELEASE / "modules.dep").read_text() == "z.ko:\n"
    assert dep(root) is None


def test_another_place_to_write_to(run: Run, root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        assert run("depmod", "-b", str(root), "-o", str(out), RELEASE).status == 0
        assert (out / "lib/modules" / RELEASE / "modules.dep").read_text() == BOTH
        assert (out / "lib/modules" / RELEASE / "modules.alias.bin").exists()
    assert run("depmod", "-b", str(root), "-m", "usr/m", "--outdir", str(out), RELEASE).status == 1
    build_files(add(root, "z", place=f"usr/m/{RELEASE}").parent)
    assert run("depmod", "-b", str(root), "-m", "usr/m", "--outdir", str(out), RELEASE).status == 0
    assert (out / "usr/m" / RELEASE / "modules.dep").read_text() == "z.ko:\n"
    assert dep(root) is None


def test_a_place_that_can_not_be_written_to(run: Run, root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outcome = run("depmod", "-b", str(root), "-o", str(tmp_path / "file"), RELEASE)
    assert outcome.status == 1
    assert outcome.errors[0].startswith("depmod: ERROR: Could not write the indexes: ")


def test_a_file_system_that_is_read_only(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kmod complains, and ends well."""

    def refuse(path: str, flags: int, mode: int = 0) -> int:
        if flags & os.O_CREAT and "/modules." in path:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return plain_open(path, flags, mode)

    plain_open = os.open
    monkeypatch.setattr(os, "open", refuse)
    outcome = run("depmod", "-b", str(root), RELEASE)
    assert (outcome.status, outcome.output) == (0, "")
    (line,) = outcome.errors
    assert line.startswith(f"depmod: ERROR: openat({root}/lib/modules/{RELEASE}, modules.dep.")
    assert line.endswith(", 301, 644): Read-only file system")
    assert outcome.hints == ["no index was written; all are as they were"]
    assert dep(root) is None


def test_a_directory_where_an_index_should_be(run: Run, root: Path) -> None:
    where = root / "lib/modules" / RELEASE
    (where / "modules.dep/x").mkdir(parents=True)
    outcome = run("depmod", "-b", str(root), RELEASE)
    assert outcome.status == 1
    (line,) = outcome.errors
    assert line.startswith(f"depmod: FATAL: renameat({where}, modules.dep.")
    assert line.endswith(f", {where}, modules.dep): Is a directory")


def test_a_tree_that_is_not_there(run: Run, root: Path) -> None:
    outcome = run("depmod", "-b", str(root), "6.9")
    assert outcome.status == 1
    where = f"{root}/lib/modules/6.9"
    assert outcome.errors == [
        f"depmod: ERROR: could not open directory {where}: No such file or directory",
        "depmod: FATAL: could not search modules: No such file or directory",
    ]


# --- configuration ----------------------------------------------------------------------------------------------------


def test_configuration_is_named_or_the_machines(run: Run, root: Path, tmp_path: Path) -> None:
    add(root, "b", place=f"lib/modules/{RELEASE}/updates")
    add(root, "b", place=f"lib/modules/{RELEASE}/extra")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/a.conf").write_text("search extra built-in\n")
    (tmp_path / "one").write_text("override b * kernel\n")
    base = ("-b", str(root))
    for options, row in (
        ([], "updates/b.ko:\n"),
        (["-C", str(tmp_path / "conf")], "extra/b.ko:\n"),
        (["--config", str(tmp_path / "one")], "kernel/b.ko: kernel/a.ko\n"),
        (["-C", str(tmp_path / "conf"), "-C", str(tmp_path / "one")], "kernel/b.ko: kernel/a.ko\n"),
        (["-C", str(tmp_path / "nosuch")], "updates/b.ko:\n"),
    ):
        assert run("depmod", *base, *options, RELEASE).status == 0
        assert row in str(dep(root)), options


def test_bad_lines_of_the_configuration_are_said(run: Run, root: Path, tmp_path: Path) -> None:
    (tmp_path / "one").write_text("# fine\nsearch \\\nupdates\nnonsense x\n")
    outcome = run("depmod", "-b", str(root), "-C", str(tmp_path / "one"), RELEASE)
    assert outcome.status == 0
    assert outcome.errors == [f"depmod: ERROR: {tmp_path}/one:4: ignoring bad line starting with 'nonsense'"]


def test_modules_outside_of_the_tree(run: Run, root: Path, tmp_path: Path) -> None:
    outside = add(tmp_path, "c", needs="offered", place="outside")
    (tmp_path / "one").write_text(f"external ^6[.]1 {outside.parent}\nexternal ^5 /nosuch\n")
    assert run("depmod", "-b", str(root), "-C", str(tmp_path / "one"), RELEASE).errors == []
    assert f"{outside}: kernel/a.ko\n" in str(dep(root))
    (tmp_path / "one").write_text("exclude kernel\n")
    assert run("depmod", "-b", str(root), "-C", str(tmp_path / "one"), RELEASE).status == 0
    assert dep(root) == ""


# --- quick, dry, and telling more -------------------------------------------------------------------------------------


def test_quick_does_nothing_unless_something_changed(run: Run, root: Path) -> None:
    quick = ("depmod", "-A", "-b", str(root), RELEASE)
    outcome = run(*quick)
    where = f"{root}/lib/modules/{RELEASE}"
    assert outcome.errors == [f"depmod: ERROR: could not fstatat({where}, modules.dep): No such file or directory"]
    assert dep(root) == BOTH
    path = root / "lib/modules" / RELEASE / "modules.dep"

    def is_touched() -> bool:
        path.with_suffix(".alias").write_text("spoilt\n")
        assert run(*quick).errors == []
        return path.with_suffix(".alias").read_text() != "spoilt\n"

    assert not is_touched()
    new = add(root, "c", needs="offered")
    os.utime(new, (1, 1))  # older than the indexes: kmod 30 does not notice
    assert is_touched()
    assert not is_touched()
    os.utime(new, (time.time() + 9, time.time() + 9))
    assert is_touched()
    os.utime(new, (1, 1))
    assert not is_touched()
    new.unlink()  # neither does it notice this
    assert is_touched()
    assert dep(root) == BOTH


def test_quick_and_no_tree_or_a_dry_run(run: Run, root: Path) -> None:
    outcome = run("depmod", "-A", "-b", str(root), "6.9")
    where = f"{root}/lib/modules/6.9"
    assert outcome.status == 1
    assert outcome.errors[0] == f"depmod: ERROR: could not open directory {where}: No such file or directory"
    assert run("depmod", "-n", "-A", "-b", str(root), RELEASE).compared == (0, "", [])


@pytest.mark.parametrize("option", ["-n", "--dry-run", "--show"])
def test_a_dry_run_prints_the_text_files(run: Run, root: Path, option: str) -> None:
    outcome = run("depmod", option, "-b", str(root), RELEASE)
    assert outcome.status == 0
    assert outcome.output.startswith(f"{BOTH}# Aliases extracted from modules themselves.\nalias alias-a a\n")
    assert "alias symbol:offered a\n" in outcome.output
    assert dep(root) is None


def test_who_needs_whom(run: Run, root: Path) -> None:
    where = f"{root}/lib/modules/{RELEASE}/kernel"
    outcome = run("depmod", "-v", "-b", str(root), RELEASE)
    assert outcome.output == f'{where}/b.ko needs "offered": {where}/a.ko\n'
    assert dep(root) == BOTH


def test_what_comes_twice(run: Run, root: Path) -> None:
    recipe = ModuleRecipe(name="d", modinfo=(("alias", "a-b"), ("alias", "a-b"), ("alias", "alias-a")))
    (root / "lib/modules" / RELEASE / "kernel/d.ko").write_bytes(write(recipe))
    assert run("depmod", "-b", str(root), RELEASE).errors == []
    for option in ("-w", "--warn"):
        said = run("depmod", option, "-b", str(root), RELEASE).errors
        assert said == ["depmod: WARNING: duplicate module alias:", "a_b d"]


def test_symbols_that_nothing_offers(run: Run, root: Path, tmp_path: Path) -> None:
    where = f"{root}/lib/modules/{RELEASE}/kernel/b.ko"
    versions, symbols = tmp_path / "Module.symvers", tmp_path / "System.map"
    versions.write_text("0x00000007\tkmalloc\tvmlinux\tEXPORT_SYMBOL\t\n")
    symbols.write_text("c0294200 R __ksymtab_kmalloc\n")
    for option, file in (("-E", versions), ("-F", symbols), ("--symvers", versions), ("--filesyms", symbols)):
        outcome = run("depmod", "-e", option, str(file), "-b", str(root), RELEASE)
        assert outcome.status == 0
        assert f"depmod: WARNING: {where} needs unknown symbol printk" in outcome.errors
        assert run("depmod", option, str(file), "-b", str(root), RELEASE).errors == []
    versions.write_text("0x00000008\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n")
    outcome = run("depmod", "-e", "-E", str(versions), "-b", str(root), RELEASE)
    assert f"depmod: WARNING: {where} disagrees about version of symbol printk" in outcome.errors
    assert run("depmod", "-e", "-b", str(root), RELEASE).errors == ["depmod: WARNING: -e needs -E or -F"]
    outcome = run("depmod", "-e", "-F", "/nosuch", "-b", str(root), RELEASE)
    assert (outcome.status, outcome.errors) == (
        1,
        ["depmod: FATAL: could not load /nosuch: No such file or directory"],
    )


def test_a_prefix_of_symbols(run: Run, root: Path, tmp_path: Path) -> None:
    symbols = tmp_path / "System.map"
    symbols.write_text("c0294200 R ___ksymtab_printk\n")
    base = ("-e", "-F", str(symbols), "-b", str(root), RELEASE)
    assert [line for line in run("depmod", *base).errors if line.endswith("unknown symbol printk")]
    assert not [line for line in run("depmod", "-P", "_", *base).errors if line.endswith("unknown symbol printk")]
    outcome = run("depmod", "-P", "ab", *base)
    assert (outcome.status, outcome.errors) == (1, ["depmod: FATAL: -P only takes a single char"])


def test_modules_that_need_each_other(run: Run, root: Path) -> None:
    assert run("depmod", "-b", str(root), RELEASE).status == 0
    add(root, "a", exports="offered more", needs="other")
    add(root, "b", exports="other", needs="offered more")
    outcome = run("depmod", "-b", str(root), RELEASE)
    assert outcome.status == 1
    assert outcome.errors[0] in {f"depmod: ERROR: Cycle detected: {way}" for way in ("a -> b -> a", "b -> a -> b")}
    assert outcome.errors[1:] == ["depmod: ERROR: Found 2 modules in dependency cycles!"]
    assert sorted(outcome.hints) == ["a needs other of b", "b needs offered, more of a"]
    assert dep(root) == BOTH


def test_no_facts_are_kept_where_none_are_wanted(run: Run, root: Path) -> None:
    (root / "var/cache").mkdir(parents=True)
    time.sleep(0.12)  # what has just been written is not kept
    assert run("depmod", "--no-cache", "-b", str(root), RELEASE).status == 0
    assert not (root / "var/cache/lkm").exists()
    assert run("depmod", "-b", str(root), RELEASE).status == 0
    assert (root / "var/cache/lkm").exists()


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-x"], "invalid option -- 'x'"),
        (["-b"], "option requires an argument -- 'b'"),
        (["nonsense"], "ERROR: Bad version passed nonsense"),
        (["--all=1"], "option '--all' doesn't allow an argument"),
        (["6.1/../.."], "FATAL: '6.1/../..' is no kernel release"),
    ],
)
def test_mistakes(run: Run, arguments: list[str], said: str) -> None:
    outcome = run("depmod", *arguments)
    assert (outcome.status, outcome.output, outcome.errors) == (1, "", [f"depmod: {said}"])


@pytest.mark.parametrize("option", ["-u", "-q", "-r", "--unresolved-error", "--quiet", "--root", "--map"])
def test_old_options_are_ignored(run: Run, root: Path, option: str) -> None:
    outcome = run("depmod", option, "-b", str(root), RELEASE)
    assert (outcome.status, outcome.errors) == (0, [f"depmod: WARNING: Ignored deprecated option {option}"])


def test_version_and_help(run: Run) -> None:
    assert run("depmod", "-V").output.split()[2] == "30"
    assert run("depmod", "--help").output.startswith("Usage:")
