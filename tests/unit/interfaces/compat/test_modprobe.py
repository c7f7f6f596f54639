"""modprobe on an emulated kernel; the texts are those of kmod 30."""

import errno
import os
from pathlib import Path

import pytest
from tests.support.front_ends import Run

from lkm.actions.sample_tree import RELEASE, VERMAGIC
from lkm.errors import UnloadRefused
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.kernels.base import UnloadFlags
from lkm.kernels.emulated import EmulatedKernel

LIBRARY = "../libkmod/libkmod-module.c"


@pytest.fixture
def tree(sample: Path) -> str:
    return f"{sample}/lib/modules/{RELEASE}"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    directory = tmp_path / "modprobe.d"
    directory.mkdir()
    return directory / "x.conf"


def loaded(run: Run) -> list[str]:
    return [line.split()[0] for line in run("lsmod").output.splitlines()[1:]]


# --- inserting --------------------------------------------------------------------------------------------------------


def test_dependencies_come_first_and_are_announced(run: Run, tree: str) -> None:
    outcome = run("modprobe", "-v", "fs-vfat")
    assert (outcome.status, outcome.errors) == (0, [])
    assert outcome.output == f"insmod {tree}/kernel/fs/fat/fat.ko \ninsmod {tree}/kernel/fs/fat/vfat.ko \n"
    assert run("modprobe", "-v", "vfat").output == ""
    assert loaded(run) == ["vfat", "fat"]


def test_parameters_follow_those_of_modprobe_d(run: Run, tree: str, conf: Path) -> None:
    conf.write_text("options dummy numdummies=2\n")
    outcome = run("modprobe", "-v", "-C", str(conf), "dummy", "label=a b", "numdummies=3")
    assert outcome.output == f'insmod {tree}/kernel/drivers/net/dummy.ko numdummies=2 label="a b" numdummies=3\n'


def test_show_depends_changes_nothing_and_heeds_nothing_loaded(run: Run, tree: str) -> None:
    run("modprobe", "fat")
    outcome = run("modprobe", "-D", "vfat")
    assert outcome.output == f"insmod {tree}/kernel/fs/fat/fat.ko \ninsmod {tree}/kernel/fs/fat/vfat.ko \n"
    assert run("modprobe", "-aD", "unix").output == "builtin unix\n"
    assert loaded(run) == ["fat"]


def test_a_dry_run_heeds_what_is_loaded(run: Run, tree: str) -> None:
    run("modprobe", "fat")
    assert run("modprobe", "-nv", "vfat").output == f"insmod {tree}/kernel/fs/fat/vfat.ko \n"
    assert run("modprobe", "-n", "vfat").output == ""
    assert loaded(run) == ["fat"]


def test_resolve_alias_prints_names(run: Run) -> None:
    assert run("modprobe", "-R", "fs-vfat").output == "vfat\n"
    assert run("modprobe", "-aR", "rtnl-link-dummy", "unix").output == "dummy\nunix\n"
    assert run("modprobe", "--show-alias", "fs-vfat").output == "vfat\n"


def test_first_time(run: Run) -> None:
    assert run("modprobe", "--first-time", "fat").status == 0
    for arguments in (["fat"], ["-n", "fat"], ["unix"]):
        outcome = run("modprobe", "--first-time", *arguments)
        assert outcome.status == 1
        assert outcome.errors == [f"modprobe: ERROR: could not insert '{arguments[-1]}': Module already in kernel"]
    assert run("modprobe", "fat").status == 0


def test_what_is_not_found_ends_a_single_insert(run: Run, tree: str) -> None:
    outcome = run("modprobe", "vfatt")
    assert outcome.status == 1
    assert outcome.errors == [f"modprobe: FATAL: Module vfatt not found in directory {tree}"]
    assert outcome.hints == ["did you mean vfat or fat?"]


def test_what_is_not_found_is_a_warning_among_several(run: Run, tree: str) -> None:
    outcome = run("modprobe", "-a", "nosuch", "fat")
    assert outcome.status == 1
    assert outcome.errors == [f"modprobe: WARNING: Module nosuch not found in directory {tree}"]
    assert loaded(run) == ["fat"]


def test_quiet_says_nothing_and_still_fails(run: Run) -> None:
    outcome = run("modprobe", "-q", "nosuch")
    assert (outcome.status, outcome.errors, outcome.hints) == (1, [], [])
    outcome = run("modprobe", "-q", "dummy", "numdummies=many")
    assert (outcome.status, outcome.errors, outcome.hints) == (1, [], [])


def test_a_refusal_has_modprobes_words_and_a_cause(run: Run) -> None:
    outcome = run("modprobe", "dummy", "numdummies=many")
    assert outcome.status == 1
    assert outcome.errors == ["modprobe: ERROR: could not insert 'dummy': Invalid argument"]
    assert "'many'" in outcome.hints[0]
    assert outcome.hints[1].startswith("try: ")


def test_an_alias_that_leads_nowhere(run: Run, conf: Path) -> None:
    conf.write_text("alias promised missing\n")
    outcome = run("modprobe", "-C", str(conf), "promised")
    assert outcome.errors == [
        f"modprobe: ERROR: {LIBRARY}:895 kmod_module_insert_module() could not find module by name='missing'",
        "modprobe: ERROR: could not insert 'missing': Unknown symbol in module, or unknown parameter (see dmesg)",
    ]
    assert "promised" in outcome.hints[0]
    assert run("modprobe", "-q", "-C", str(conf), "promised").errors == []


def test_the_blacklist_is_for_aliases_and_with_b_for_names(run: Run, conf: Path, tree: str) -> None:
    conf.write_text("blacklist fat\nalias a-fat fat\n")
    arguments = ["-C", str(conf), "-D"]
    assert run("modprobe", *arguments, "a-fat").output == ""
    assert run("modprobe", *arguments, "fat").output == f"insmod {tree}/kernel/fs/fat/fat.ko \n"
    outcome = run("modprobe", *arguments, "-b", "fat")
    assert (outcome.status, outcome.output, outcome.errors) == (0, "", [])


def test_the_roots_own_configuration_is_read(run: Run) -> None:
    assert run("modprobe", "-D", "pcspkr").output == "install /bin/false \n"
    outcome = run("modprobe", "pcspkr")
    failed = "Error running install command '/bin/false' for module pcspkr: retcode 1"
    assert outcome.errors == [
        f"modprobe: ERROR: {LIBRARY}:1047 command_do() {failed}",
        "modprobe: ERROR: could not insert 'pcspkr': Invalid argument",
    ]
    assert "/bin/false" in outcome.hints[0]
    assert run("modprobe", "-i", "pcspkr").status == 0


def test_install_commands_get_the_parameters_and_the_options(run: Run, conf: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    conf.write_text(f'install dummy echo "$MODPROBE_MODULE" $CMDLINE_OPTS "[$MODPROBE_OPTIONS]" > {log}\n')
    outcome = run("modprobe", "-C", str(conf), "-v", "dummy", "numdummies=1")
    assert outcome.status == 0
    assert outcome.output.startswith("install echo ")
    assert log.read_text() == f"dummy numdummies=1 [-C {conf} -v]\n"
    assert "MODPROBE_OPTIONS" not in os.environ


def test_options_of_the_environment_are_kept_for_commands(
    run: Run, conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    conf.write_text(f'install fat echo "$MODPROBE_OPTIONS" > {log}\n')
    monkeypatch.setenv("MODPROBE_OPTIONS", f"-C {conf}")
    assert run("modprobe", "-v", "fat").status == 0
    assert log.read_text() == f"-C {conf} -C {conf} -v\n"
    assert os.environ["MODPROBE_OPTIONS"] == f"-C {conf}"


def test_a_module_for_another_kernel_can_be_forced(run: Run, sample: Path) -> None:
    assert run("insmod", str(sample / "home/you/old.ko")).status == 1
    assert run("insmod", "--force-vermagic", str(sample / "home/you/old.ko")).status == 0


# --- removing ---------------------------------------------------------------------------------------------------------


def test_what_is_left_over_goes_too(run: Run) -> None:
    run("modprobe", "vfat")
    outcome = run("modprobe", "-rv", "vfat")
    assert outcome.output == "rmmod vfat\nrmmod fat\n"
    assert loaded(run) == []


def test_a_dry_removal_prints_the_steps_that_are_sure(run: Run) -> None:
    run("modprobe", "vfat")
    assert run("modprobe", "-rnv", "vfat").output == "rmmod vfat\n"
    assert run("modprobe", "-rD", "dummy").output == "rmmod dummy\n"
    assert loaded(run) == ["vfat", "fat"]


def test_what_is_in_use_ends_a_removal(run: Run) -> None:
    run("modprobe", "vfat")
    outcome = run("modprobe", "-r", "fat", "vfat")
    assert outcome.status == 1
    assert outcome.errors == ["modprobe: FATAL: Module fat is in use."]
    assert "vfat" in outcome.hints[0]
    assert loaded(run) == ["vfat", "fat"]


def test_quiet_removals_go_on(run: Run) -> None:
    run("modprobe", "vfat")
    outcome = run("modprobe", "-rq", "fat", "vfat")
    assert (outcome.status, outcome.errors, outcome.hints) == (1, [], [])
    assert loaded(run) == []


def test_holders_can_be_removed_first(run: Run) -> None:
    run("modprobe", "vfat")
    assert run("modprobe", "-rv", "--remove-holders", "fat").output == "rmmod vfat\nrmmod fat\n"


def test_a_holder_that_has_the_module_as_a_soft_dependency(run: Run, conf: Path) -> None:
    conf.write_text("softdep vfat pre: fat\n")
    run("modprobe", "vfat")
    assert run("modprobe", "-C", str(conf), "-rnv", "--remove-holders", "fat").output == "rmmod vfat\n"
    outcome = run("modprobe", "-C", str(conf), "-rv", "--remove-holders", "fat")
    assert (outcome.status, outcome.output, loaded(run)) == (0, "rmmod vfat\nrmmod fat\n", [])
    conf.write_text("softdep vfat pre: fat\nremove fat echo x\n")
    run("modprobe", "vfat")
    outcome = run("modprobe", "-C", str(conf), "-rnv", "--remove-holders", "fat")
    assert outcome.output == "rmmod vfat\nremove echo x\nremove echo x\n"


def test_what_the_kernel_keeps_is_said_in_the_librarys_words(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without ``--wait`` the tool leaves that to libkmod, place in its source included."""

    def refuse(kernel: EmulatedKernel, name: str, flags: UnloadFlags = UnloadFlags.NONE) -> tuple[str, ...]:
        del kernel, flags
        raise UnloadRefused(name, errno.EBUSY)

    run("modprobe", "vfat")
    monkeypatch.setattr(EmulatedKernel, "unload", refuse)
    outcome = run("modprobe", "-r", "vfat")
    place = f"{LIBRARY}:856 kmod_module_remove_module()"
    assert (outcome.status, outcome.errors) == (
        1,
        [f"modprobe: ERROR: {place} could not remove 'vfat': Device or resource busy"],
    )
    assert run("modprobe", "-r", "-w", "1", "vfat").errors == [
        "modprobe: ERROR: could not remove 'vfat': Device or resource busy"
    ]
    assert run("modprobe", "-qr", "vfat").errors == []


def test_waiting_ends(run: Run) -> None:
    run("modprobe", "vfat")
    outcome = run("modprobe", "-r", "-w", "1", "fat")
    assert outcome.errors == ["modprobe: ERROR: could not remove 'fat': Resource temporarily unavailable"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["unix"], "FATAL: Module unix is builtin."),
        (["nosuch"], "FATAL: Module nosuch not found."),
        (["--first-time", "fat"], "FATAL: Module fat is not in kernel."),
        (["-a", "--first-time", "fat"], "WARNING: Module fat is not in kernel."),
    ],
)
def test_what_can_not_be_removed(run: Run, arguments: list[str], error: str) -> None:
    outcome = run("modprobe", "-r", *arguments)
    assert (outcome.status, outcome.errors) == (1, [f"modprobe: {error}"])


def test_what_is_not_loaded_needs_no_removing(run: Run) -> None:
    outcome = run("modprobe", "-r", "fat")
    assert (outcome.status, outcome.output, outcome.errors) == (0, "", [])


def test_a_loaded_module_that_the_tree_does_not_know(run: Run, sample: Path) -> None:
    run("insmod", str(sample / "home/you/hello.ko"))
    outcome = run("modprobe", "-r", "hello")
    assert outcome.errors == ["modprobe: FATAL: Module hello not found."]
    assert outcome.hints[0].endswith("rmmod hello")


def test_remove_commands(run: Run, conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("CMDLINE_OPTS", "of the shell")  # which never sees the word
    conf.write_text(f"remove fat echo gone $CMDLINE_OPTS > {log}\nremove dummy exit 3\n")
    assert run("modprobe", "-C", str(conf), "-rv", "fat").output == f"remove echo gone  > {log}\n"
    assert log.read_text() == "gone\n"
    outcome = run("modprobe", "-C", str(conf), "-r", "dummy")
    assert outcome.errors == ["modprobe: FATAL: Error running remove command for dummy"]
    assert "exit 3" in outcome.hints[0]


# --- asking -----------------------------------------------------------------------------------------------------------


def test_the_configuration_by_kinds_then_the_indexes(run: Run, conf: Path) -> None:
    conf.write_text(
        "softdep a post: c pre: b\noptions a  x=1\nalias b-* c\nblacklist d\n"
        "remove e f\nweakdep m n  o\ninstall g h i\nsoftdep j pre: k l\n"
    )
    before, _, after = run("modprobe", "-c", "-C", str(conf)).output.partition(
        "\n# End of configuration files. Dumping indexes now:\n\n"
    )
    assert before == (
        "blacklist d\ninstall g h i\nremove e f\nalias b_* c\noptions a  x=1\n"
        "softdep a pre: bpost: c\nsoftdep j pre: k l\nweakdep m n o\n"
    )
    assert "alias fs_vfat vfat\n" in after
    assert "alias symbol:fat_attach fat\n" in after


def test_bad_lines_are_said(run: Run, conf: Path) -> None:
    conf.write_text("nonsense\n")
    outcome = run("modprobe", "-q", "-C", str(conf), "-D", "fat")
    assert outcome.status == 0
    place = "libkmod: ERROR ../libkmod/libkmod-config.c:712 kmod_config_parse"
    assert outcome.errors == [f"{place}: {conf} line 1: ignoring bad line starting with 'nonsense'"]


def test_modversions_and_exports_of_a_file(run: Run, tree: str) -> None:
    path = f"{tree}/kernel/fs/fat/fat.ko"
    assert run("modprobe", "--show-modversions", path).output == "0x2a7a0f8b\tmodule_layout\n0x92997ed8\t_printk\n"
    assert run("modprobe", "--show-exports", path).output == "0x1b1f5e3c\tfat_attach\n0xa7c1d4f0\tfat_build_inode\n"


def test_modversions_and_exports_of_a_name(run: Run, tree: str, conf: Path) -> None:
    conf.write_text("alias both fat\nalias both dummy\n")
    path = f"{tree}/kernel/fs/fat/fat.ko"
    assert run("modprobe", "--show-exports", "fat").output == run("modprobe", "--show-exports", path).output != ""
    assert "fat_attach" in run("modprobe", "--show-modversions", "fs-vfat").output
    outcome = run("modprobe", "-C", str(conf), "--show-modversions", "both")
    assert "register_netdev" in outcome.output
    assert run("modprobe", "--show-exports", "unix").errors == [
        "modprobe: FATAL: could not get symbols of unix: No such file or directory"
    ]


def test_files_that_can_not_be_shown(run: Run, tmp_path: Path, sample: Path) -> None:
    text = tmp_path / "text"
    text.write_text("hello, world\n" * 9)
    for option, what in (("--show-modversions", "modversions"), ("--show-exports", "symbols")):
        assert run("modprobe", option, "nosuch").errors == ["modprobe: FATAL: Module nosuch not found."]
        outcome = run("modprobe", option, str(text))
        assert outcome.errors == [f"modprobe: FATAL: could not get {what} of {text}: Exec format error"]
        outcome = run("modprobe", option, str(tmp_path))
        assert outcome.errors == [f"modprobe: FATAL: could not get {what} of {tmp_path}: Is a directory"]
    old = sample / "home/you/old.ko"
    outcome = run("modprobe", "--show-exports", str(old))
    assert outcome.errors == [f"modprobe: FATAL: could not get symbols of {old}: No such file or directory"]


def test_another_tree_can_be_chosen(run: Run, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LKM_ROOT", "LKM_RELEASE", "LKM_KERNEL"):
        monkeypatch.delenv(name)
    outcome = run("modprobe", "-d", str(sample), "-D", "fat")  # the only tree of that root
    assert outcome.output == f"insmod {sample}/lib/modules/{RELEASE}/kernel/fs/fat/fat.ko \n"
    monkeypatch.chdir(sample)
    outcome = run("modprobe", "-d", "..", "-S", RELEASE, "-D", "fat")
    assert outcome.errors == [f"modprobe: FATAL: Module fat not found in directory {sample}/../lib/modules/{RELEASE}"]
    outcome = run("modprobe", "-d", str(sample), "-S", "", "-D", "fat")
    assert outcome.errors == [f"modprobe: FATAL: Module fat not found in directory {sample}/lib/modules/"]


# --- paths of files ---------------------------------------------------------------------------------------------------


def test_a_path_is_inserted_with_the_dependencies_of_its_name(
    run: Run, tree: str, conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf.write_text("options vfat x=1\nblacklist vfat\n")
    mine = tmp_path / "vfat.ko"
    mine.write_bytes(Path(f"{tree}/kernel/fs/fat/vfat.ko").read_bytes())
    monkeypatch.chdir(tmp_path)
    outcome = run("modprobe", "-C", str(conf), "-D", "./vfat.ko", "y=2")
    assert outcome.output == f"insmod {tree}/kernel/fs/fat/fat.ko \ninsmod {tmp_path}/./vfat.ko x=1 y=2\n"
    assert run("modprobe", "-v", str(mine)).output == f"insmod {tree}/kernel/fs/fat/fat.ko \ninsmod {mine} \n"
    assert loaded(run) == ["vfat", "fat"]
    assert run("modprobe", "--first-time", str(mine)).errors == [
        "modprobe: ERROR: could not insert 'vfat': Module already in kernel"
    ]
    assert run("modprobe", "-R", "./vfat.ko").output == "vfat\n"
    assert run("modprobe", "-b", "-C", str(conf), "-D", "./vfat.ko").output == ""


def test_a_path_that_the_tree_does_not_know(run: Run, tree: str, tmp_path: Path) -> None:
    recipe = ModuleRecipe("new", usual_modinfo("new", VERMAGIC, depends=("fat",)), layout_crc=0x2A7A0F8B)
    path = tmp_path / "new.ko"
    path.write_bytes(write(recipe))
    assert run("modprobe", "-D", str(path)).output == f"insmod {tree}/kernel/fs/fat/fat.ko \ninsmod {path} \n"
    outcome = run("modprobe", "-a", str(path), "dummy")
    assert (outcome.status, outcome.errors) == (0, [])
    assert loaded(run) == ["dummy", "new", "fat"]


def test_paths_of_what_is_no_module(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run("modprobe", "/nosuch/x.ko")
    assert (outcome.status, outcome.output) == (1, "")
    assert outcome.errors == ["modprobe: FATAL: Failed to get module from path /nosuch/x.ko: No such file or directory"]
    outcome = run("modprobe", "-a", "./nosuch", "fat")
    assert (outcome.status, loaded(run)) == (1, ["fat"])
    assert "Failed to get module from path ./nosuch: " in outcome.errors[0]
    text = tmp_path / "text.ko"
    text.write_text("hello, world\n" * 9)
    assert run("modprobe", "-D", str(text)).output == f"insmod {text} \n"
    outcome = run("modprobe", str(text))
    assert outcome.errors == ["modprobe: ERROR: could not insert 'text': Exec format error"]


def test_a_path_with_a_root_of_its_own(run: Run, tree: str, sample: Path) -> None:
    """What is named is the machine's, whatever root the tree is taken from."""
    path = f"/lib/modules/{RELEASE}/kernel/fs/fat/vfat.ko"
    assert not Path(path).exists()
    outcome = run("modprobe", "-d", str(sample), "-D", path)
    assert outcome.errors == [f"modprobe: FATAL: Failed to get module from path {path}: No such file or directory"]


# --- names that are none ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a\0b", "\udcff", "[x", "x]", "*", "?", "n" * 10_000])
def test_hostile_names_are_not_found(run: Run, tree: str, name: str) -> None:
    shown = name.replace("\0", r"\x00").replace("\udcff", r"\xff")
    outcome = run("modprobe", "--", name)
    assert outcome.status == 1
    assert outcome.errors == [f"modprobe: FATAL: Module {shown} not found in directory {tree}"]
    outcome = run("modprobe", "-r", "--", name)
    assert outcome.status == 1
    assert outcome.errors == [f"modprobe: FATAL: Module {shown} not found."]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no index", []),  # kmod is silent about what is too short to have a header
        (b"no index at all", [":790 index_mm_open() magic check fail: 6e6f2069 instead of b007f457"]),
        (
            bytes.fromhex("b007f457 00030001 00000000"),
            [":797 index_mm_open() major version check fail: 3 instead of 2"],
        ),
    ],
)
def test_a_damaged_index_is_said(run: Run, tmp_path: Path, data: bytes, said: list[str]) -> None:
    root = tmp_path / "root"
    (root / "lib/modules/1").mkdir(parents=True)
    (root / "lib/modules/1/modules.dep.bin").write_bytes(data)
    outcome = run("modprobe", "-d", str(root), "-S", "1", "fat")
    assert outcome.errors == [
        *(f"modprobe: ERROR: ../libkmod/libkmod-index.c{line}" for line in said),
        f"modprobe: FATAL: Module fat not found in directory {root}/lib/modules/1",
    ]
    assert "index" in outcome.hints[0]
    assert run("modprobe", "-q", "-d", str(root), "-S", "1", "fat").errors == []


def test_soft_dependencies_that_can_be_no_names_are_said(run: Run, conf: Path) -> None:
    conf.write_text("softdep fat pre: [x dummy post: y]\n")
    place = f"modprobe: ERROR: {LIBRARY}:1567 lookup_softdep() failed to lookup soft dependency"
    said = [f"{place} '{name}', continuing anyway." for name in ("[x", "y]")]
    assert run("modprobe", "-C", str(conf), "-D", "fat").errors == said
    assert run("modprobe", "-C", str(conf), "-r", "fat").errors == said
    assert run("modprobe", "-C", str(conf), "-qD", "fat").errors == []


def test_version_and_help(run: Run) -> None:
    assert run("modprobe", "-V").output.split()[2] == "30"
    assert run("modprobe", "--help").output.startswith("Usage:")
    assert run("modprobe", "--foo").errors == ["modprobe: unrecognized option '--foo'"]


@pytest.mark.parametrize("tool", ["insmod", "modinfo", "modprobe", "rmmod"])
def test_a_kernel_that_is_unknown(run: Run, sample: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    monkeypatch.setenv("LKM_KERNEL", "nonsense")
    outcome = run(tool, str(sample / "home/you/hello.ko"))
    assert outcome.status == 1
    assert len(outcome.errors) == 1
    assert "nonsense" in " ".join([*outcome.errors, *outcome.hints])


def test_a_file_that_the_index_promises_and_that_is_gone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LKM_KERNEL")
    root = tmp_path / "root"
    (root / "lib/modules/1").mkdir(parents=True)
    (root / "lib/modules/1/modules.dep").write_text("a.ko:\n")
    outcome = run("modprobe", "-d", str(root), "-S", "1", "a")
    assert outcome.errors == [
        "modprobe: ERROR: could not insert 'a': Unknown symbol in module, or unknown parameter (see dmesg)"
    ]
    assert outcome.hints[0] == f"{root}/lib/modules/1/a.ko: no such file or directory"
