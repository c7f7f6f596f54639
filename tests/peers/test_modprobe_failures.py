"""What modprobe and rmmod say when a command of modprobe.d, or the kernel, lets them down; nothing is really loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.front_ends import run_front_end, run_real
from tests.support.pretend import pretending
from tests.support.require import require_tool

from lkm.kernels.live import LiveKernel
from lkm.system.root import Root

pytestmark = pytest.mark.peer

RELEASE = "made-up"
NOBODYS = "lkm_nobodys"  # a module that no kernel has, so that no test removes one
CONFIGURATION = r"""
install good echo good "$MODPROBE_MODULE" [$CMDLINE_OPTS]
install bad echo bad; exit 3
install spelt echo $CMD$CMDLINE_OPTSLINE_OPTS end
install needs-bad echo needs
install two exit 2
alias both good
alias both bad
alias promised missing
softdep soft pre: bad promised good post: two
install soft exit 1
softdep good pre: [x post: y]
softdep [n]ext pre: good
install next echo never: a softdep turns it off
options good x=1
options bad y="a b"
remove good echo removed "$MODPROBE_MODULE" [$CMDLINE_OPTS]
remove bad exit 4
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system whose tree is empty and whose kernel says that it has one module."""
    root = tmp_path / "root"
    (root / "lib/modules" / RELEASE).mkdir(parents=True)
    (root / "etc/modprobe.d").mkdir(parents=True)
    (root / "etc/modprobe.d/a.conf").write_text(CONFIGURATION + f"alias mine {NOBODYS}\n")
    (root / "proc").mkdir()
    (root / "proc/cmdline").write_text("quiet\n")
    (root / "proc/modules").write_text(f"{NOBODYS} 4096 0 - Live 0x0000000000000000\n")
    (root / f"sys/module/{NOBODYS}/holders").mkdir(parents=True)
    (root / f"sys/module/{NOBODYS}/initstate").write_text("live\n")
    (root / f"sys/module/{NOBODYS}/refcnt").write_text("0\n")

    def live_kernel(kernel: LiveKernel) -> None:
        kernel.release, kernel._root = RELEASE, Root(str(root))

    monkeypatch.setattr(LiveKernel, "__init__", live_kernel)
    monkeypatch.setenv("LKM_ROOT", str(root))
    monkeypatch.setenv("LKM_RELEASE", RELEASE)
    monkeypatch.delenv("LKM_KERNEL", raising=False)
    return root


@pytest.mark.parametrize(
    "arguments",
    [
        *["good", "bad", "spelt", "two", "both", "promised", "soft", "next", "-i good", "-q bad", "-q promised"],
        *["-a good bad promised two", "-v bad", "-v soft", "-nv soft", "-r bad", "-r good", "-rv good bad", "-ra bad"],
        *["-qr bad", "--first-time good", "good a=1 b='c"],
    ],
)
def test_commands_that_fail(arguments: str, root: Path) -> None:
    """As processes: what a command writes goes past the tool, and ``-v``'s lines into a pipe come when it ends."""
    words = arguments.split(" ")
    environment = pretending(root, RELEASE)
    real = subprocess.run([require_tool("modprobe"), *words], capture_output=True, check=False, env=environment)
    # Ours needs no pretence but for the kernel.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", _OURS, str(root), *words]
    ours = subprocess.run(command, capture_output=True, check=False, env=environment)
    output, errors = (stream.decode().replace(str(root), "") for stream in (ours.stdout, ours.stderr))
    kept = [line for line in errors.splitlines() if ": hint: " not in line]
    assert (ours.returncode, output, kept) == (real.returncode, real.stdout.decode(), real.stderr.decode().splitlines())


_OURS = f"""
import sys
from lkm.interfaces.cli.main import main
from lkm.kernels.live import LiveKernel
from lkm.system.root import Root
root = sys.argv.pop(1)
def start(kernel):
    kernel.release, kernel._root = {RELEASE!r}, Root(root)
LiveKernel.__init__ = start
sys.exit(main(["modprobe", *sys.argv[1:]]))
"""


@pytest.mark.parametrize("arguments", ["-r mine", "-rq mine", "-ra mine mine", "-r -w 1 mine", "-rf mine", "-rv mine"])
def test_the_kernel_refuses_a_removal(arguments: str, root: Path) -> None:
    real = run_real("modprobe", *arguments.split(), environment=pretending(root, RELEASE))
    assert run_front_end("modprobe", *arguments.split()).compared == real.compared
    assert real.status == 1


@pytest.mark.parametrize("arguments", [NOBODYS, f"-f {NOBODYS}", "-f nosuch", f"nosuch {NOBODYS}", f"-v {NOBODYS}"])
def test_the_kernel_refuses_rmmod(arguments: str, root: Path) -> None:
    real = run_real("rmmod", *arguments.split(), environment=pretending(root, RELEASE))
    assert run_front_end("rmmod", *arguments.split()).compared == real.compared
    assert real.status == 1
