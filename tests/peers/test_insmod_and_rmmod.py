"""insmod, rmmod and lsmod beside kmod's: their command lines, and files and names that are none.

Nothing is loaded or removed: no file here is a module, and no kernel has the modules that are named.
"""

from pathlib import Path

import pytest
from tests.support.front_ends import run_front_end, run_real

from lkm.formats.compression import Compression, compress

pytestmark = pytest.mark.peer

NOBODYS = "lkm_nobodys"


def compare(tool: str, *arguments: str) -> None:
    real = run_real(tool, *arguments)
    assert run_front_end(tool, *arguments).compared == real.compared
    assert real.status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        *[
            "",
            "-x",
            "--nope",
            "--f",
            "--s",
            "--ver=1",
            "--help=x",
            "-",
            "-p -",
            "-- -",
            "-f",
            "-fp",
            "/nosuch",
            "nosuch",
        ],
        *[". x=1", "/dev/null/x", "-f /nosuch x=1 y", "-x /nosuch", "/nosuch -x"],
    ],
)
def test_insmod_is_called_wrongly(arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with ``-s``, which kmod 30 ignores and later versions take for ``--syslog``."""
    monkeypatch.chdir(tmp_path)
    compare("insmod", *arguments.split())


@pytest.mark.parametrize("form", [Compression.XZ, Compression.ZSTD])
@pytest.mark.parametrize("spoil", ["cut", "changed"])
@pytest.mark.parametrize("option", [[], ["-f"]], ids=str)
def test_insmod_meets_damage(form: Compression, spoil: str, option: list[str], tmp_path: Path) -> None:
    data = bytearray(compress(bytes(range(256)) * 99, form))
    if spoil == "cut":
        # Of a longer beginning of zstd's kmod takes what there is for the module.
        data = data[: 5 if form is Compression.ZSTD else len(data) // 2]
    else:
        data[len(data) // 2] ^= 0xFF
    path = tmp_path / "x.ko"
    path.write_bytes(data)
    compare("insmod", *option, str(path))


@pytest.mark.parametrize(
    "arguments",
    [
        *["", "-x", "--nope", "--force=1", "-w", "-w x", "-f", "-s", "-v", "--", "-fs", "--f --v"],
        *[
            NOBODYS,
            f"{NOBODYS} {NOBODYS}",
            f"-v {NOBODYS}",
            f"{NOBODYS}.ko",
            f"a/b/{NOBODYS}.ko",
            "lkm-nobodys",
            "lkm.nobodys",
        ],
        *["/nosuch", "[x", "*"],
    ],
)
def test_rmmod_is_called_wrongly(arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    compare("rmmod", *arguments.split())


@pytest.mark.parametrize("arguments", ["-h", "--version", "x"])
def test_lsmod_takes_nothing(arguments: str) -> None:
    compare("lsmod", *arguments.split())
