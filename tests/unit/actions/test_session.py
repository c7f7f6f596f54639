"""What a command works on, opened when it is first asked for."""

from pathlib import Path

import pytest

from lkm.actions.session import Session, Target
from lkm.errors import FormatError, UsageError
from lkm.kernels.emulated import EmulatedKernel
from lkm.kernels.live import LiveKernel


@pytest.mark.parametrize(
    "kernel", ["", "nonsense", "Live", "live:x", "live:", "emulated:", "vm:", "emulatedx", " vm", "vmx:"]
)
def test_unknown_kernels(kernel: str) -> None:
    with pytest.raises(UsageError, match="unknown kernel") as caught:
        Session(Target(kernel=kernel))
    assert "emulated:DIR" in (caught.value.hint or "")


def test_an_emulated_kernel_is_kept_in_a_directory(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="kept in a directory"):
        _ = Session(Target(root=str(sample), kernel=f"emulated:{tmp_path}/file")).kernel


def test_kernels(sample: Path, tmp_path: Path) -> None:
    assert isinstance(Session(Target()).kernel, LiveKernel)
    with Session(Target(root=str(sample), kernel=f"emulated:{tmp_path}/with:colon")) as session:
        assert isinstance(session.kernel, EmulatedKernel)
        module = session.tree.module("fat")
        assert module is not None
        session.kernel.load(module, "")
    assert (tmp_path / "with:colon/state.json").is_file()


def test_a_root_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(UsageError, match="is no directory"):
            _ = Session(Target(root=str(path))).root


def test_configuration_of_the_root(sample: Path) -> None:
    session = Session(Target(root=str(sample), kernel="emulated"))
    install = session.configuration.install_command("pcspkr")
    assert install is not None
    assert install.file == f"{sample}/etc/modprobe.d/quiet.conf"


def test_the_kernels_command_line_is_configuration(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "cmdline").write_text("modprobe.blacklist=fat dummy.numdummies=7\n")
    session = Session(Target(root=str(sample), kernel=f"emulated:{tmp_path}"))
    assert session.configuration.blacklisted("fat") is not None
    assert session.configuration.options_for("dummy") == "numdummies=7"
    assert session.resolver.lookup("fat")[0].name == "fat"


def test_a_text_is_no_kernel_to_boot(sample: Path) -> None:
    with pytest.raises(FormatError) as caught:
        Session(Target(str(sample), kernel="vm:/etc/passwd")).tree  # noqa: B018  looking it up is the point
    assert (caught.value.where, caught.value.hint) == (
        "/etc/passwd",
        "name a kernel image, such as /boot/vmlinuz-RELEASE",
    )
