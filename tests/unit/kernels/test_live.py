"""The running kernel, with its files and system calls replaced: which call is made, and what comes back."""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lkm.errors import FormatError, LoadRefused, ModuleSupportMissing, UnloadRefused, Unreadable
from lkm.formats.compression import Compression, compress
from lkm.kernels import syscalls
from lkm.kernels.base import LoadFlags, UnloadFlags
from lkm.kernels.live import LiveKernel
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

CONTENTS = b"\x7fELF and the rest of a module"


@dataclass
class _Calls:
    """The system calls that were made, and what they answer."""

    made: list[tuple[object, ...]] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)

    def _note(self, name: str, *arguments: object) -> None:
        self.made.append((name, *arguments))
        if self.answers.get(name):
            raise OSError(self.answers[name], os.strerror(self.answers[name]))

    def finit(self, fd: int, parameters: bytes, flags: int) -> None:
        self._note("finit_module", os.pread(fd, 100, 0), parameters, flags)

    def init(self, contents: bytes, parameters: bytes) -> None:
        self._note("init_module", contents, parameters)

    def delete(self, name: str, flags: int) -> None:
        self._note("delete_module", name, flags)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> _Calls:
    calls = _Calls()
    monkeypatch.setattr(syscalls, "finit_module", calls.finit)
    monkeypatch.setattr(syscalls, "init_module", calls.init)
    monkeypatch.setattr(syscalls, "delete_module", calls.delete)
    return calls


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A root with the files of a kernel that has modules."""
    root = tmp_path / "system"
    for path, text in {
        "proc/modules": "vfat 20480 1 - Live 0x0000000000000000 (OE)\nfat 86016 1 vfat, Live 0x0000000000000000\n",
        "proc/cmdline": "root=/dev/vda1 quiet\n",
        "proc/sys/kernel/tainted": "12288\n",
        "proc/sys/kernel/modules_disabled": "0\n",
        "sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
        "sys/module/module/parameters/sig_enforce": "Y\n",
        "sys/module/vfat/initstate": "live\n",
        "sys/module/vfat/parameters/limit": "3\n",
        "sys/module/vfat/parameters/text": "a b\n\n",
        "sys/module/printk/parameters/time": "Y\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.fixture
def kernel(system: Path) -> LiveKernel:
    kernel = LiveKernel()
    kernel._root = Root(str(system))
    return kernel


def _module(tmp_path: Path, data: bytes = CONTENTS, name: str = "mod.ko") -> ModuleFile:
    (tmp_path / name).write_bytes(data)
    return ModuleFile(Root(str(tmp_path)), f"/{name}")


# --- loading ----------------------------------------------------------------------------------------------------------


def test_a_plain_file_goes_by_descriptor(kernel: LiveKernel, calls: _Calls, tmp_path: Path) -> None:
    kernel.load(_module(tmp_path), "a=1 b=\udcff", LoadFlags.IGNORE_VERMAGIC)
    assert calls.made == [("finit_module", CONTENTS, b"a=1 b=\xff", 2)]


@pytest.mark.parametrize("kind", [Compression.GZIP, Compression.XZ, Compression.ZSTD])
def test_the_kernel_unpacks_what_it_can(
    kernel: LiveKernel, calls: _Calls, tmp_path: Path, system: Path, kind: Compression
) -> None:
    packed = compress(CONTENTS, kind)
    module = _module(tmp_path, packed)
    kernel.load(module, "")
    assert calls.made == [("init_module", CONTENTS, b"")]  # it can unpack nothing, so it gets what we unpacked
    (system / "sys/module/compression").write_text(f"{kind.value}\n")
    kernel.load(module, "", LoadFlags.IGNORE_MODVERSIONS)
    assert calls.made[1:] == [("finit_module", packed[:100], b"", 5)]


def test_flags_need_a_descriptor_even_of_what_we_unpacked(kernel: LiveKernel, calls: _Calls, tmp_path: Path) -> None:
    kernel.load(_module(tmp_path, compress(CONTENTS, Compression.XZ)), "x", LoadFlags.IGNORE_VERMAGIC)
    assert calls.made == [("finit_module", CONTENTS, b"x", 2)]


def test_kernels_before_finit_module(kernel: LiveKernel, calls: _Calls, tmp_path: Path) -> None:
    calls.answers["finit_module"] = errno.ENOSYS
    kernel.load(_module(tmp_path), "a=1")
    assert [call[0] for call in calls.made] == ["finit_module", "init_module"]


def test_a_refusal(kernel: LiveKernel, calls: _Calls, tmp_path: Path) -> None:
    calls.answers["finit_module"] = errno.ENOEXEC
    with pytest.raises(LoadRefused) as caught:
        kernel.load(_module(tmp_path), "")
    error = caught.value
    assert (error.module, error.errno, error.where) == ("mod", errno.ENOEXEC, f"{tmp_path}/mod.ko")


def test_no_descriptor_is_left_open(kernel: LiveKernel, calls: _Calls, tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    packed = _module(tmp_path, compress(CONTENTS, Compression.XZ), "packed.ko")
    kernel.load(packed, "", LoadFlags.IGNORE_VERMAGIC)
    calls.answers["finit_module"] = errno.EPERM
    for module in (_module(tmp_path), packed):
        with pytest.raises(LoadRefused):
            kernel.load(module, "", LoadFlags.IGNORE_VERMAGIC)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_files_that_are_none(kernel: LiveKernel, calls: _Calls, tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        kernel.load(ModuleFile(Root(str(tmp_path)), "/none.ko"), "")
    with pytest.raises(FormatError):
        kernel.load(_module(tmp_path, b"\xfd7zXZ\0 cut"), "")
    assert calls.made == []


# --- removing ---------------------------------------------------------------------------------------------------------


def test_removing(kernel: LiveKernel, calls: _Calls) -> None:
    kernel.unload("vfat")
    kernel.unload("fat", UnloadFlags.FORCE)
    assert calls.made == [("delete_module", "vfat", 0o4000), ("delete_module", "fat", 0o5000)]
    calls.answers["delete_module"] = errno.EAGAIN
    with pytest.raises(UnloadRefused) as caught:
        kernel.unload("vfat")
    assert (caught.value.module, caught.value.errno) == ("vfat", errno.EAGAIN)


# --- a kernel without modules -----------------------------------------------------------------------------------------


def test_a_kernel_without_modules_says_so(kernel: LiveKernel, calls: _Calls, tmp_path: Path, system: Path) -> None:
    (system / "proc/modules").unlink()
    calls.answers = {"finit_module": errno.EPERM, "delete_module": errno.ENOSYS}
    for ask in (kernel.loaded, lambda: kernel.load(_module(tmp_path), ""), lambda: kernel.unload("x")):
        with pytest.raises(ModuleSupportMissing, match="can't load modules") as caught:
            ask()
        assert os.uname().release in str(caught.value)
        assert "--kernel emulated:DIR" in (caught.value.hint or "")


def test_no_such_call_is_no_support(kernel: LiveKernel, calls: _Calls, tmp_path: Path) -> None:
    calls.answers = {"finit_module": errno.ENOSYS, "init_module": errno.ENOSYS}
    with pytest.raises(ModuleSupportMissing):
        kernel.load(_module(tmp_path), "")


# --- asking -----------------------------------------------------------------------------------------------------------


def test_what_is_loaded(kernel: LiveKernel) -> None:
    first, second = kernel.loaded()
    assert (first.name, first.size, first.taints) == ("vfat", 20480, "OE")
    assert (second.refcount, second.used_by) == (1, ("vfat",))
    assert kernel.state("vfat") == "live"
    assert kernel.state("printk") is None  # a built-in
    assert kernel.state("nobody") is None


def test_parameters(kernel: LiveKernel) -> None:
    assert kernel.parameters("vfat") == {"limit": "3", "text": "a b"}
    assert kernel.parameters("printk") == {"time": "Y"}
    assert kernel.parameters("nobody") == {}


@pytest.mark.parametrize("name", ["../../proc", "a/b", "", ".", "..", "x\0y", "\udcff", "x" * 5000])
def test_hostile_names(kernel: LiveKernel, system: Path, name: str) -> None:
    (system / "proc/initstate").write_text("live")
    assert kernel.state(name) is None
    assert kernel.parameters(name) == {}


def test_taint_and_command_line(kernel: LiveKernel, system: Path) -> None:
    assert (kernel.taint(), kernel.command_line()) == (12288, "root=/dev/vda1 quiet")
    (system / "proc/cmdline").unlink()
    assert kernel.command_line() == ""
    (system / "proc/sys/kernel/tainted").write_text("-1\n")
    with pytest.raises(Unreadable, match="holds no taint mask"):
        kernel.taint()
    (system / "proc/sys/kernel/tainted").unlink()
    with pytest.raises(Unreadable):
        kernel.taint()


@pytest.mark.parametrize(
    ("lockdown", "enforce", "disabled", "expected"),
    [
        ("none [integrity] confidentiality", "Y", "0", ("integrity", True, False)),
        ("[none] integrity confidentiality", "N", "1", ("none", False, True)),
        (None, None, None, (None, None, False)),
        ("", "?", "", (None, None, False)),
    ],
)
def test_security(
    kernel: LiveKernel,
    system: Path,
    lockdown: str | None,
    enforce: str | None,
    disabled: str | None,
    expected: tuple[str | None, bool | None, bool],
) -> None:
    for path, text in (
        ("sys/kernel/security/lockdown", lockdown),
        ("sys/module/module/parameters/sig_enforce", enforce),
        ("proc/sys/kernel/modules_disabled", disabled),
    ):
        if text is None:
            (system / path).unlink()
        else:
            (system / path).write_text(f"{text}\n")
    security = kernel.security()
    assert (security.lockdown, security.sig_enforce, security.modules_disabled) == expected


def test_bad_proc_modules(kernel: LiveKernel, system: Path) -> None:
    (system / "proc/modules").write_text("nonsense\n")
    with pytest.raises(FormatError):
        kernel.loaded()


# --- the system calls -------------------------------------------------------------------------------------------------


def test_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.uname()
    expected = {
        "x86_64": (175, 176, 313),
        "aarch64": (105, 106, 273),
        "riscv64": (105, 106, 273),
        "i686": (128, 129, 350),
    }
    for machine, numbers in expected.items():
        answer = os.uname_result((*real[:4], machine))
        monkeypatch.setattr(os, "uname", lambda answer=answer: answer)
        assert syscalls._numbers() == numbers
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((*real[:4], "vax")))
    with pytest.raises(ModuleSupportMissing, match="vax"):
        syscalls._numbers()


def test_a_real_call_fails_with_its_errno() -> None:
    """Whatever this kernel is: a name that no module has, or no privilege, or no modules."""
    with pytest.raises(OSError, match=r"\w+") as caught:
        syscalls.delete_module("no_module_is_called_so", os.O_NONBLOCK)
    assert caught.value.errno in {errno.ENOENT, errno.EPERM, errno.ENOSYS}


def test_a_file_in_memory_is_open_for_reading_alone() -> None:
    with syscalls.memory_file(b"contents") as fd:
        assert os.read(fd, 100) == b"contents"
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(fd, b"x")
