"""``lkm try``: the same module on three kernels in one command, and every verdict holds."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.key_pair import make_key_pair
from tests.support.other_kernels import debian_kernel
from tests.support.secure_boot import make_variables

from lkm.actions.signing.signatory import open_signatory
from lkm.formats.module_signature import append
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import
from lkm.kernels.vm.images import Image
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

_SUITES = ("trixie", "sid")


def _try(*words: str) -> tuple[int, dict[str, object]]:
    command = [str(Path(sys.executable).parent / "lkm"), "try", "--json", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def hello(tmp_path: Path, image: Image) -> Path:
    """A module for the distribution's own kernel, out of tree and unsigned."""
    profile = gather(ModuleTree(Root(), image.release))
    recipe = ModuleRecipe(
        "hello",
        usual_modinfo("hello", profile.vermagic, intree=False),
        imports=(Import("param_ops_int", weak=False, crc=profile.exports["param_ops_int"].crc),),
        parameters=(Parameter("count", "int", permissions=0o644),),
        layout_crc=profile.exports["module_layout"].crc,
    )
    path = tmp_path / "hello.ko"
    path.write_bytes(write(recipe))
    return path


def test_three_kernels_in_one_command(hello: Path, image: Image) -> None:
    others = [debian_kernel(suite) for suite in _SUITES]
    roots = [str(other.modules).partition("/usr/lib/")[0].partition("/lib/modules")[0] for other in others]
    status, printed = _try(str(hello), "count=5", "--kernel", image.release, *roots)
    assert status == 1  # two of them refuse it
    results = printed["results"]
    assert isinstance(results, list)
    assert [result["release"] for result in results] == [image.release, *(other.release for other in others)]
    assert [result["differences"] for result in results] == [[], [], []]
    assert [result["loads"] for result in results] == [True, False, False]
    assert results[0]["taints"] == ["O", "E"]
    assert results[0]["parameters"] == {"count": "5"}
    assert results[0]["unload_errno"] == 0
    assert all(result["errno"] and result["causes"] for result in results[1:])


def test_a_name_of_the_tree_with_what_it_needs(image: Image) -> None:
    status, printed = _try("vfat", "--kernel", image.release)
    assert status == 0
    results = printed["results"]
    assert isinstance(results, list)
    assert (results[0]["loads"], results[0]["differences"], results[0]["kernel_taint"]) == (True, [], 0)


@pytest.mark.parametrize(
    ("cmdline", "code"), [("module.sig_enforce=1", errno.EKEYREJECTED), ("lockdown=integrity", errno.EPERM)]
)
def test_the_command_line_decides(hello: Path, image: Image, cmdline: str, code: int) -> None:
    status, printed = _try(str(hello), "--kernel", image.release, "--cmdline", cmdline)
    assert status == 1
    results = printed["results"]
    assert isinstance(results, list)
    assert (results[0]["errno"], results[0]["differences"]) == (code, [])


def test_secure_boot_takes_what_the_owner_has_enrolled(hello: Path, image: Image, tmp_path: Path) -> None:
    make_variables()  # says what is not installed
    pair = make_key_pair(tmp_path, "owner")
    contents = hello.read_bytes()
    signatory = open_signatory(str(pair.key), str(pair.certificate))
    hello.write_bytes(append(contents, signatory.sign(contents, digest="sha256")))
    words = ("--secure-boot", "--trust", str(pair.certificate))
    status, printed = _try(str(hello), "--kernel", image.release, *words)
    assert status == 0
    results = printed["results"]
    assert isinstance(results, list)
    assert (results[0]["taints"], results[0]["differences"]) == (["O"], [])
