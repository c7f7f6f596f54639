"""Real machines. One boot serves the tests that use the ``machine`` fixture; the others boot one of their own."""

import errno
import lzma
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lkm.errors import LoadRefused, MachineError, MachineLost, MachineTimeout, UnloadRefused
from lkm.formats import modules_dep
from lkm.kernels.vm import accelerator, boot_modules, processes
from lkm.kernels.vm.images import Image
from lkm.kernels.vm.kernel import VmKernel
from lkm.kernels.vm.machine import Machine
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

pytestmark = pytest.mark.kernel

BOOT_TIMEOUT = 150.0


def descendants() -> set[int]:
    """The processes that this one has started, and theirs."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_until_gone(pids: set[int]) -> set[int]:
    deadline = time.monotonic() + 10
    while (left := {pid for pid in pids if is_running(pid)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def test_the_release_is_the_kernels_own(machine: Machine, image: Image) -> None:
    assert machine.release == image.release
    assert machine.run(["uname", "-r"]).stdout.decode() == f"{image.release}\n"
    assert machine.release != os.uname().release


def test_output_error_output_and_status_are_kept_apart(machine: Machine) -> None:
    done = machine.run(["sh", "-c", "echo out; echo error >&2; exit 3"])
    assert (done.status, done.stdout, done.stderr, done.timed_out) == (3, b"out\n", b"error\n", False)


def test_a_signal_is_a_negative_status(machine: Machine) -> None:
    assert machine.run(["sh", "-c", "kill -SEGV $$"]).status == -11


def test_input_of_any_bytes_and_any_size_comes_back(machine: Machine) -> None:
    data = os.urandom(5_000_000)
    done = machine.run(["sh", "-c", "tee /dev/stderr"], stdin=data)
    assert done.stdout == data
    assert done.stderr == data


def test_output_without_end_does_not_end_the_machine(machine: Machine) -> None:
    machine.run(["mount", "-o", "remount,size=8m", "/run"])
    done = machine.run(["cat", "/dev/zero"])
    assert done.status == -signal.SIGPIPE
    assert 4 << 20 < len(done.stdout) <= 8 << 20
    assert machine.run(["mount", "-o", "remount,size=50%", "/run"]).status == 0


def test_environment_and_directory_are_the_callers(machine: Machine) -> None:
    done = machine.run(["sh", "-c", 'echo "$ANSWER $HOME"; pwd'], env={"ANSWER": "4 2"}, cwd="/usr/bin")
    assert done.stdout == b"4 2 /root\n/usr/bin\n"


def test_arguments_that_are_not_utf8_arrive(machine: Machine) -> None:
    assert machine.run(["printf", "%s", os.fsdecode(b"\xff\n")]).stdout == b"\xff\n"


@pytest.mark.parametrize(("argv", "cwd"), [(["no-such-program"], "/"), (["true"], "/no/such/directory")])
def test_what_can_not_be_started_is_an_error(machine: Machine, argv: list[str], cwd: str) -> None:
    with pytest.raises(MachineError, match=r"can't be started in the machine: .*No such file"):
        machine.run(argv, cwd=cwd)
    assert machine.run(["true"]).status == 0


def test_a_command_that_takes_too_long_is_ended_and_the_machine_goes_on(machine: Machine) -> None:
    done = machine.run(["sh", "-c", "echo before; sleep 1000 & sleep 1000"], timeout=1.0)
    assert (done.status, done.stdout, done.timed_out) == (-9, b"before\n", True)
    assert machine.run(["sh", "-c", "ps ax | grep -c '[s]leep 1000'"]).stdout == b"0\n"


def test_nobody_waits_for_what_a_command_leaves_running(machine: Machine) -> None:
    start = time.monotonic()
    done = machine.run(["sh", "-c", "sleep 77 & echo done"])
    assert done.stdout == b"done\n"
    assert time.monotonic() - start < 30
    assert machine.run(["pkill", "-fx", "sleep 77"]).status == 0


def test_the_hosts_files_are_visible_as_they_are_now(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert machine.run(["cat", str(file)]).status != 0
    for contents in ("first", "second, and longer", "third"):
        file.write_text(contents)
        assert machine.run(["cat", str(file)]).stdout.decode() == contents
    file.unlink()
    assert machine.run(["cat", str(file)]).status != 0


def test_writes_stay_in_the_machine(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("the host's")
    script = "echo more >> file; touch new; cat file"
    assert machine.run(["sh", "-c", script], cwd=str(tmp_path)).stdout == b"the host'smore\n"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "the host's")]
    (tmp_path / "later").touch()
    assert machine.run(["ls", str(tmp_path)]).stdout == b"file\nlater\nnew\n"


def test_modprobe_and_its_kernel_helper_find_the_tree(machine: Machine, image: Image) -> None:
    loaded = machine.run(["modprobe", "-v", "vfat"])
    assert loaded.stdout.decode().split()[-1] == f"/lib/modules/{image.release}/kernel/fs/fat/vfat.ko"
    assert machine.run(["lsmod"]).stdout.split().count(b"vfat") == 2  # itself, and as a user of fat
    assert machine.run(["modprobe", "-r", "vfat"]).status == 0
    assert b"vfat" not in machine.run(["lsmod"]).stdout
    # The kernel's own helper is started in the root of process 1.
    machine.run(["mount", "-t", "vfat", "none", "/mnt"])
    assert b"vfat" in machine.run(["lsmod"]).stdout
    assert machine.run(["modprobe", "-r", "vfat"]).status == 0


def test_file_systems_that_tools_expect_are_there(machine: Machine) -> None:
    kinds = {
        line.split()[1]: line.split()[2] for line in machine.run(["cat", "/proc/mounts"]).stdout.decode().splitlines()
    }
    expected = {"/": "overlay", "/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs", "/run": "tmpfs"}
    assert kinds.items() >= expected.items()
    assert kinds["/sys/kernel/security"] == "securityfs"
    assert machine.run(["sh", "-c", "cat < /dev/null > /dev/stdout; ls /dev/fd /dev/shm"]).status == 0


def test_the_log_begins_with_the_boot_and_shows_no_trace_of_us(machine: Machine) -> None:
    before = machine.kernel_log()
    assert before[0].startswith(f"Linux version {machine.release} ")
    machine.run(["true"])
    assert machine.kernel_log() == before


@pytest.fixture
def small_tree(image: Image, tmp_path: Path) -> Path:
    """A module tree in another place: only what a machine needs, and compressed."""
    tree = tmp_path / "lib/modules" / image.release
    rows = (image.modules / "modules.dep").read_text()
    for path in boot_modules.load_order(modules_dep.parse(rows.encode()), ()):
        rows = rows.replace(path, f"{path}.xz")
        target = tree / f"{path}.xz"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(lzma.compress((image.modules / path).read_bytes(), preset=0))
    (tree / "modules.dep").write_text(rows)
    return tree


def test_a_machine_with_its_own_tree_ends_with_its_panic_and_leaves_nothing(image: Image, small_tree: Path) -> None:
    before = descendants()
    with Machine(image.kernel, small_tree, cmdline="answer=42", boot_timeout=BOOT_TIMEOUT) as machine:
        assert machine.run(["grep", "-o", "answer=42", "/proc/cmdline"]).stdout == b"answer=42\n"
        assert machine.run(["ls", f"/lib/modules/{image.release}"]).stdout == b"kernel\nmodules.dep\n"
        assert machine.run(["ls", str(small_tree)]).stdout == b"kernel\nmodules.dep\n"
        started = descendants() - before
        assert len(started) == 2  # the keeper and QEMU
        with pytest.raises(MachineLost, match="kernel panicked: sysrq triggered crash") as caught:
            machine.run(["sh", "-c", "echo c > /proc/sysrq-trigger"])
        assert not wait_until_gone(started)
        assert machine.console
        with pytest.raises(MachineError, match="not running"):
            machine.run(["true"])
    assert any("Kernel panic - not syncing: sysrq triggered crash" in line for line in caught.value.console)


def test_a_machine_that_does_not_start_in_time_is_ended(image: Image) -> None:
    before = descendants()
    with pytest.raises(MachineTimeout, match=r"did not start within 0\.5 s"):
        Machine(image.kernel, image.modules, boot_timeout=0.5).__enter__()
    assert descendants() <= before


def test_a_machine_that_can_not_be_prepared_says_so(image: Image) -> None:
    with pytest.raises(MachineLost, match="Attempted to kill init") as caught:
        Machine(image.kernel, image.modules, cmdline="rdinit=/busybox", boot_timeout=BOOT_TIMEOUT).__enter__()
    assert caught.value.console


OWNER = """
import os, sys, time
from lkm.kernels.vm import processes
process = processes.start([sys.argv[1], "-M", "none", "-nodefaults", "-display", "none"])
print(process.pid, flush=True)
time.sleep(1000)
"""


def test_qemu_ends_when_its_owner_is_killed(image: Image) -> None:
    qemu = processes.find_qemu()
    before = descendants()
    with subprocess.Popen([sys.executable, "-c", OWNER, qemu], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        keeper = int(owner.stdout.readline())
        deadline = time.monotonic() + 10
        while not (started := descendants() - before - {owner.pid, keeper}) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert started
        owner.kill()
    assert not wait_until_gone(started | {keeper})


def test_the_probe_recognises_what_works(image: Image) -> None:
    assert accelerator.works(processes.find_qemu(), "tcg")


def test_the_kernel_answers_through_the_agent(machine: Machine) -> None:
    kernel = VmKernel(machine)
    assert kernel.release == machine.release
    assert "overlay" in [module.name for module in kernel.loaded()]
    assert kernel.state("overlay") == "live"
    assert kernel.state("no_such_module") is None
    assert kernel.parameters("overlay")["redirect_dir"] in {"Y", "N"}
    assert kernel.command_line().startswith("console=ttyS0")
    assert kernel.log() == machine.kernel_log()
    assert kernel.security().modules_disabled is False


def test_modules_are_loaded_and_refused_through_the_agent(machine: Machine) -> None:
    kernel = VmKernel(machine)
    tree = ModuleTree(Root(), machine.release)
    fat, vfat = tree.module("fat"), tree.module("vfat")
    assert fat is not None
    assert vfat is not None
    with pytest.raises(LoadRefused) as refused:
        kernel.load(vfat, "")
    assert refused.value.errno == errno.ENOENT
    assert any("vfat: Unknown symbol fat_" in line for line in refused.value.log)
    kernel.load(fat, "")
    kernel.load(vfat, "")
    assert [(module.name, module.used_by) for module in kernel.loaded()][:2] == [("vfat", ()), ("fat", ("vfat",))]
    with pytest.raises(UnloadRefused) as in_use:
        kernel.unload("fat")
    assert in_use.value.errno == errno.EAGAIN
    kernel.unload("vfat")
    kernel.unload("fat")
    assert kernel.state("fat") is None
