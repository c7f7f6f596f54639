"""sign-file: the files it writes and the words it says; its bytes are held against the real one's in tests/peers."""

import errno
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from tests.support.front_ends import Outcome, run_front_end
from tests.support.signing_keys import certified, der_of, encoded, write_pair

from lkm.formats.module_signature import MARKER
from lkm.interfaces.cli import main
from lkm.interfaces.compat import sign_file
from lkm.rules.signatures.check import check
from lkm.rules.signatures.policy import SignatureState

CONTENT = b"\x7fELF" + bytes(1000)
KEY = ec.generate_private_key(ec.SECP256R1())
CERTIFICATE = certified(KEY)
USAGE = "Usage: scripts/sign-file [-dp] <hash algo> <key> <x509> <module> [<dest>]"


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    directory = tmp_path / "keys"
    directory.mkdir()
    return write_pair(directory, KEY, CERTIFICATE)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "modules" / "some.ko"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def run(*words: str | Path) -> Outcome:
    return run_front_end("sign_file", *map(str, words))


def _is_signed(path: Path) -> bool:
    return check(path.read_bytes(), [der_of(CERTIFICATE)]).state is SignatureState.TRUSTED


def _names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def test_in_place_the_permissions_stay(pair: tuple[str, str], module: Path) -> None:
    module.chmod(0o640)
    assert run("sha256", *pair, module).compared == (0, "", [])
    assert _is_signed(module)
    assert module.stat().st_mode & 0o7777 == 0o640
    assert _names(module) == ["some.ko"]


def test_a_new_file_has_the_permissions_that_the_umask_leaves(pair: tuple[str, str], module: Path) -> None:
    old = os.umask(0o027)
    try:
        assert run("-p", "sha256", *pair, module, module.with_name("new.ko")).status == 0
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(old)
    assert _names(module) == ["new.ko", "some.ko", "some.ko.p7s"]
    for name in ("new.ko", "some.ko.p7s"):
        assert module.with_name(name).stat().st_mode & 0o7777 == 0o640
    assert module.read_bytes() == CONTENT


def test_links(pair: tuple[str, str], module: Path) -> None:
    """A link that is the module is replaced by a file; one that is the destination leads to what is written."""
    link = module.with_name("link.ko")
    link.symlink_to(module.name)
    assert run("sha256", *pair, link).status == 0
    assert not link.is_symlink()
    assert _is_signed(link)
    assert module.read_bytes() == CONTENT
    target = module.with_name("target.ko")
    target.write_bytes(b"old")
    link.unlink()
    link.symlink_to(target.name)
    assert run("sha256", *pair, module, link).status == 0
    assert link.is_symlink()
    assert _is_signed(target)


def test_to_a_pipe(pair: tuple[str, str], module: Path) -> None:
    read, write = os.pipe()
    try:
        assert run("sha256", *pair, module, f"/dev/fd/{write}").compared == (0, "", [])
        os.close(write)
        data = os.read(read, 1 << 16)
    finally:
        os.close(read)
    assert data.startswith(CONTENT)
    assert data.endswith(MARKER)


def test_a_second_signature_goes_over_the_first(pair: tuple[str, str], module: Path) -> None:
    assert run("sha256", *pair, module).status == 0
    once = module.read_bytes()
    assert run("sha256", *pair, module).status == 0
    assert module.read_bytes().startswith(once)
    assert _is_signed(module)


def test_raw_signatures_are_put_there_as_they_are(module: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    for data in (b"", b"anything", b"\0" * 5000):
        module.write_bytes(CONTENT)
        raw.write_bytes(data)
        assert run("-s", raw, "no hash", "no certificate", module).compared == (0, "", [])
        trailer = bytes((0, 0, 2, 0, 0, 0, 0, 0)) + len(data).to_bytes(4)
        assert module.read_bytes() == CONTENT + data + trailer + MARKER


def test_keys_of_other_forms(module: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(encoded(KEY) + CERTIFICATE.public_bytes(Encoding.PEM))
    der = tmp_path / "key.der"
    der.write_bytes(encoded(KEY, encoding=Encoding.DER))
    for key in (both, der):
        assert run("sha256", key, both, module).status == 0
        assert _is_signed(module)


@pytest.mark.parametrize("name", ["sha256", "SHA256", "sha-256", "SHA2-256", "rsa-sha256", "RSA-SHA3-512", "Sha3-256"])
def test_names_of_hashes(name: str, pair: tuple[str, str], module: Path) -> None:
    assert run(name, *pair, module).compared == (0, "", [])
    assert check(module.read_bytes(), [der_of(CERTIFICATE)], edition=2).state is SignatureState.TRUSTED


@pytest.mark.parametrize("name", ["md5", "sha3-224", "sha512-256", "", "-", "sha", "nope"])
def test_other_hashes(name: str, pair: tuple[str, str], module: Path) -> None:
    outcome = run("--", name, *pair, module)
    assert (outcome.status, outcome.errors) == (1, ["sign-file: EVP_get_digestbyname"])
    assert "no kernel verifies signatures over" in outcome.hints[0]
    assert "choose one of sha256, sha384, sha512" in outcome.hints[1]
    assert module.read_bytes() == CONTENT


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["", "-x", "--nope", "a b c", "a b c d e f", "-dpsk"])
def test_wrong_calls(words: str) -> None:
    outcome = run(*words.split())
    assert outcome.status == 2
    assert USAGE in outcome.errors


def test_a_hint_says_why(pair: tuple[str, str], module: Path) -> None:
    key, certificate = pair
    for words, place, hint in (
        ((key, certificate, "/nope/x.ko"), "/nope/x.ko", "no such file or directory"),
        (("/nope/key", certificate, module), "/nope/key", "no such file or directory"),
        ((key, "/nope/crt", module), "/nope/crt", "no such file or directory"),
        ((certificate, certificate, module), certificate, "holds no private key"),
        ((key, key, module), key, "holds no certificate"),
        ((key, certificate, module.parent), str(module.parent), "is a directory"),
        ((key, certificate, module, "/nope/x"), "/nope/x", "no such file or directory"),
    ):
        outcome = run("sha256", *words)
        assert (outcome.status, outcome.errors) == (1, [f"sign-file: {place}"])
        assert hint in outcome.hints[0]
    assert module.read_bytes() == CONTENT
    assert _names(module) == ["some.ko"]


def test_an_encrypted_key_without_pass_phrase(
    pair: tuple[str, str], module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = pair
    Path(key).write_bytes(encoded(KEY, pass_phrase=b"open it"))
    monkeypatch.delenv("KBUILD_SIGN_PIN", raising=False)
    outcome = run("sha256", key, certificate, module)
    assert (outcome.status, outcome.errors) == (1, [f"sign-file: {key}"])
    assert "needs a pass phrase" in outcome.hints[0]
    monkeypatch.setenv("KBUILD_SIGN_PIN", "open it")
    assert run("sha256", key, certificate, module).status == 0
    assert _is_signed(module)


def test_a_short_certificate(pair: tuple[str, str], module: Path, tmp_path: Path) -> None:
    short = tmp_path / "short\x1b"
    for data in (b"", b"0"):
        short.write_bytes(data)
        outcome = run("sha256", pair[0], short, module)
        assert (outcome.status, outcome.errors) == (1, [f"{tmp_path}/short\\x1b: Short read"])


def test_a_full_disk_leaves_the_module(pair: tuple[str, str], module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: str, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr(sign_file, "write_atomically", full)
    outcome = run("sha256", *pair, module)
    assert (outcome.status, outcome.errors) == (1, [f"sign-file: {module}"])
    assert outcome.hints == ["no space left on device"]
    assert module.read_bytes() == CONTENT


def test_as_a_word_and_as_a_link(
    pair: tuple[str, str], module: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["sign-file", "sha256", *pair, str(module)]) == 0
    assert _is_signed(module)
    monkeypatch.setattr("sys.argv", ["/some/sign-file", "sha256"])
    assert main.main() == 2
    assert capsys.readouterr().err.startswith(USAGE)
