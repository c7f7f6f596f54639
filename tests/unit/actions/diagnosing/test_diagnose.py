"""What a system adds to a cause: the line at fault, the file, who has it."""

from pathlib import Path

import pytest

from lkm.actions.diagnosing.diagnose import diagnose
from lkm.actions.sample_tree import RELEASE
from lkm.actions.session import Session, Target

NOT_FOUND = "modprobe: FATAL: Module {} not found in directory /lib/modules/6.1.0-sample"


def _details(root: Path, text: str, kernel: str = "emulated") -> tuple[str, ...]:
    with Session(Target(root=str(root), kernel=kernel)) as session:
        return diagnose(text, session).found[0].details


def test_the_line_that_sets_a_bad_value(own_sample: Path) -> None:
    lines = "# first\noptions dummy numdummies=2\noptions dummy numdummies=banana\noptions fat x=1\n"
    (own_sample / "etc/modprobe.d/more.conf").write_text(lines)
    text = "dummy: `banana' invalid for parameter `numdummies'"
    found = _details(own_sample, text)
    assert f"{own_sample}/etc/modprobe.d/more.conf:3 sets it: options dummy numdummies=banana" in found
    assert "numdummies of dummy takes a value of the type int" in found
    assert not any("fat" in detail for detail in found)


def test_an_invalid_argument_alone_points_to_all_lines_for_the_module(own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/more.conf").write_text("options dummy numdummies=x\n")
    (found,) = _details(own_sample, "modprobe: ERROR: could not insert 'dummy': Invalid argument")
    assert found.endswith("more.conf:1 may be at fault: options dummy numdummies=x")


def test_the_kernel_command_line_may_be_at_fault(own_sample: Path, tmp_path: Path) -> None:
    directory = tmp_path / "kernel"
    directory.mkdir()
    (directory / "cmdline").write_text("quiet dummy.numdummies=x module_blacklist=fat,pcspkr\n")
    text = "dummy: `x' invalid for parameter `numdummies'"
    found = _details(own_sample, text, f"emulated:{directory}")
    assert "the kernel command line sets it: dummy.numdummies=x" in found
    found = _details(own_sample, "Module pcspkr is blacklisted", f"emulated:{directory}")
    assert found == ("the kernel command line says so: module_blacklist=fat,pcspkr",)


def test_an_unknown_parameter_has_a_neighbour(sample: Path) -> None:
    (found,) = _details(sample, "dummy: unknown parameter 'numdummys' ignored")
    assert found == "dummy has no parameter numdummys; like it is numdummies"


def test_the_install_command_has_a_line(sample: Path) -> None:
    text = "modprobe: ERROR: Error running install command '/bin/false' for module pcspkr: retcode 1"
    assert _details(sample, text) == (f"{sample}/etc/modprobe.d/quiet.conf:2 says so: install pcspkr /bin/false",)


def test_a_name_that_was_not_found(own_sample: Path) -> None:
    assert _details(own_sample, NOT_FOUND.format("vfatt")) == ("like it is vfat, fat",)
    assert _details(own_sample, NOT_FOUND.format("unix")) == ("unix is built into the kernel 6.1.0-sample",)
    assert "is there" in _details(own_sample, NOT_FOUND.format("vfat"))[0]
    other = own_sample / "lib/modules/6.9.9"
    other.mkdir()
    (other / "modules.dep").write_text("kernel/new_one.ko:\n")
    with Session(Target(root=str(own_sample), kernel="emulated", release=RELEASE)) as session:
        (found,) = diagnose(NOT_FOUND.format("new_one"), session).found[0].details
    assert found == f"the tree of 6.9.9 has it; that of {RELEASE} has not"


def test_modules_for_no_kernel_and_for_others(sample: Path) -> None:
    text = "modprobe: can't change directory to '6.9.9': No such file or directory"
    assert _details(sample, text) == (f"there are modules for {RELEASE}; the kernel that runs is {RELEASE}",)


def test_who_offers_a_symbol(sample: Path) -> None:
    found = _details(sample, "vfat: Unknown symbol fat_attach (err -2)\nvfat: Unknown symbol nobody_has_it (err -2)")
    assert found == (f"fat_attach is offered by fat in the tree of {RELEASE}",)


def test_the_file_and_what_it_is_built_for(sample: Path) -> None:
    text = "fat: version magic '5.1 SMP ' should be '6.1.0-sample SMP '"
    (found,) = _details(sample, text)
    assert found.startswith(f"{sample}/lib/modules/{RELEASE}/kernel/")
    assert found.endswith(f" was built for {RELEASE}")
    found, *_ = _details(sample, "modprobe: ERROR: could not insert 'fat': Key was rejected by service")
    assert found.endswith(" has a signature")


def test_a_file_system_has_a_module(sample: Path) -> None:
    assert _details(sample, "mount: /mnt: unknown filesystem type 'vfat'.") == ("the module vfat is for it",)
    (found,) = _details(sample, "mount: /mnt: unknown filesystem type 'nosuch'.")
    assert found == f"no module in the tree of {RELEASE} is for nosuch"


def test_what_is_in_the_kernel_now(sample: Path) -> None:
    assert _details(sample, "rmmod: ERROR: Module fat is in use") == ()
    (found,) = _details(sample, "insmod: ERROR: could not insert module fat.ko: File exists")
    assert found == "it is not in the kernel now"


def test_firmware_that_is_there_by_now(own_sample: Path) -> None:
    text = "iwlwifi 0000:04:00.0: Direct firmware load for iwl.ucode failed with error -2"
    assert _details(own_sample, text) == ()
    place = own_sample / "lib/firmware"
    place.mkdir()
    (place / "iwl.ucode.zst").touch()
    assert _details(own_sample, text) == (f"{place}/iwl.ucode.zst is there by now",)


@pytest.mark.parametrize(
    "text",
    [
        "could not insert '../../etc/passwd': Invalid argument",
        "could not insert 'a\x00b': Invalid argument",
        "fat: `x' invalid for parameter `'",
        "mount: unknown filesystem type '['",
        "Direct firmware load for ../../../etc/passwd failed with error -2",
        "x: Direct firmware load for ../../../etc/passwd failed with error -2",
        "could not insert 'fat': Exec format error",
    ],
)
def test_hostile_names(sample: Path, text: str) -> None:
    with Session(Target(root=str(sample), kernel="emulated")) as session:
        for found in diagnose(text, session).found:
            assert all("passwd" not in detail for detail in found.details)


def test_a_damaged_module_does_not_hide_the_cause(own_sample: Path) -> None:
    path = next((own_sample / "lib/modules").rglob("fat.ko*"))
    path.write_bytes(b"\x7fELF damaged")
    assert _details(own_sample, "modprobe: ERROR: could not insert 'fat': Exec format error") == ()


def test_a_text_that_shows_nothing() -> None:
    report = diagnose("all is well\nfrob: error 42\nfrob: error 42\nit failed somehow\n")
    assert (report.found, report.unknown, report.lines) == ((), ("frob: error 42", "it failed somehow"), 4)
    assert diagnose("").lines == 0


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Key was rejected by service", "signature-refused"),
        ("ENOKEY", "signature-refused"),
        ("-ENOKEY", "signature-refused"),
        ("Invalid module format.", "not-this-kernel"),
        ("Unknown symbol in module, or unknown parameter (see dmesg)", "unresolved"),
    ],
)
def test_an_error_text_alone(text: str, cause: str) -> None:
    assert [found.cause.id for found in diagnose(text).found] == [cause]
