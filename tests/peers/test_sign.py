"""`lkm sign` beside sign-file: the same bytes in modules, in signatures of their own, and inside of packed modules."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.key_pair import KeyPair, make_key_pair
from tests.support.require import missing, require_tool

from lkm.formats.module_writer import ModuleRecipe, write
from lkm.interfaces.cli.main import main

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("sign-file")]

MODULE = write(ModuleRecipe(name="some"))
PACKERS = {
    "gz": ("gzip", "-dc"),
    "xz": ("xz", "-dc"),
    "zst": ("zstd", "-qdc"),
}
PACK = {"gz": ("gzip", "-n"), "xz": ("xz", "--check=crc64"), "zst": ("zstd", "-q", "--rm", "-19")}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return make_key_pair(tmp_path_factory.mktemp("pair"), "Peer test")


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "some.ko"
    path.write_bytes(MODULE)
    return path


def real(*words: object) -> None:
    found = sorted(Path("/usr/lib").glob("linux-kbuild-*/scripts/sign-file"))
    if not found:
        missing("no sign-file: no linux-kbuild package is installed")
    subprocess.run([found[-1], *map(str, words)], check=True)


def ours(pair: KeyPair, *words: object) -> int:
    return main(["sign", "--key", str(pair.key), "--certificate", str(pair.certificate), *map(str, words)])


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
@pytest.mark.parametrize("option", [[], ["-k"]])
def test_a_module(pair: KeyPair, module: Path, digest: str, option: list[str]) -> None:
    theirs = module.with_name("theirs.ko")
    real(*option, digest, pair.key, pair.certificate, module, theirs)
    assert ours(pair, "--hash", digest, *option, module) == 0
    assert module.read_bytes() == theirs.read_bytes()
    real(digest, pair.key, pair.certificate, module)  # a second time, which leaves both signatures
    assert main(["sign", "--strip", str(module)]) == 0
    assert module.read_bytes() == MODULE


def test_signatures_of_their_own(pair: KeyPair, module: Path) -> None:
    real("-d", "sha256", pair.key, pair.certificate, module)
    message = Path(f"{module}.p7s")
    theirs = message.read_bytes()
    assert ours(pair, "--hash", "sha256", "--detached", module) == 0
    assert message.read_bytes() == theirs
    attached = module.with_name("attached.ko")
    real("-s", message, "sha256", pair.certificate, module, attached)
    assert main(["sign", "--attach", str(message), "--certificate", str(pair.certificate), str(module)]) == 0
    assert module.read_bytes() == attached.read_bytes()


@pytest.mark.parametrize("extension", PACKERS)
def test_packed_modules(pair: KeyPair, module: Path, extension: str) -> None:
    packer, *options = PACK[extension]
    expected = module.with_name("theirs.ko")
    real("sha256", pair.key, pair.certificate, module, expected)
    subprocess.run([require_tool(packer), *options, str(module)], check=True)
    packed = Path(f"{module}.{extension}")
    assert ours(pair, "--hash", "sha256", packed) == 0
    unpacked = subprocess.run([*PACKERS[extension], str(packed)], capture_output=True, check=True).stdout
    assert unpacked == expected.read_bytes()
    if extension == "gz":
        return  # Debian's kmod can't read these
    modinfo = require_tool("modinfo")
    shown = subprocess.run([modinfo, "-F", "signer", str(packed)], capture_output=True, text=True, check=True)
    assert shown.stdout == "Peer test\n"


def test_messages_that_openssl_makes(pair: KeyPair, module: Path) -> None:
    openssl = require_tool("openssl")
    pem = module.with_name("certificate.pem")
    subprocess.run([openssl, "x509", "-in", str(pair.certificate), "-inform", "DER", "-out", str(pem)], check=True)
    words = [openssl, "cms", "-sign", "-binary", "-noattr", "-nocerts", "-nosmimecap", "-md", "sha256"]
    words += ["-in", str(module), "-signer", str(pem), "-inkey", str(pair.key)]
    for form in ("DER", "PEM"):
        copy = Path(shutil.copy(module, module.with_name(f"{form}.ko")))
        subprocess.run([*words, "-outform", form, "-out", f"{copy}.p7s"], check=True)
        assert main(["sign", "--attach", f"{copy}.p7s", "--certificate", str(pair.certificate), str(copy)]) == 0
        assert main(["sign", "--strip", str(copy)]) == 0
    subprocess.run(
        [openssl, "dgst", "-sha256", "-sign", str(pair.key), "-out", f"{module}.sig", str(module)], check=True
    )
    expected = module.with_name("theirs.ko")
    real("sha256", pair.key, pair.certificate, module, expected)
    raw = ["--raw-signature", f"{module}.sig", "--certificate", str(pair.certificate), "--hash", "sha256"]
    assert main(["sign", *raw, str(module)]) == 0
    assert module.read_bytes() == expected.read_bytes()
