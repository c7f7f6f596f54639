"""Who signed the modules of a tree."""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import pkcs7
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.signing import Signer

from lkm.formats.compression import Compression, compress
from lkm.formats.module_signature import MARKER, append
from lkm.rules.signatures.trusted_certificate import as_kept
from lkm.system.module_signers import ModuleSigners, module_signers
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

WITH_CERTIFICATE = (pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes)


def tree_of(root: Path, *files: tuple[str, bytes]) -> ModuleTree:
    directory = root / "lib/modules/6.1"
    directory.mkdir(parents=True)
    for name, contents in files:
        (directory / name).write_bytes(contents)
    (directory / "modules.dep").write_text("".join(f"{name}:\n" for name, _ in files))
    return ModuleTree(Root(str(root)), "6.1")


def test_plain_and_packed_files(tmp_path: Path) -> None:
    first, second = Signer("First", use_rsa=True), Signer("Second")
    contents = b"\x7fELF and more"
    seen: list[int] = []
    tree = tree_of(
        tmp_path,
        ("a.ko", first.signed(contents)),
        ("b.ko.xz", compress(first.signed(contents), Compression.XZ)),
        ("c.ko.gz", compress(second.signed(contents), Compression.GZIP)),
        ("d.ko", append(contents, second.message(contents, options=WITH_CERTIFICATE))),
        ("e.ko", contents),
        ("f.ko.xz", b"\xfd7zXZ\0damaged"),
        ("g.ko", b"wibble" + MARKER),
        ("h.ko", append(contents, b"wibble")),
    )
    (tmp_path / "lib/modules/6.1/modules.dep").open("a").write("gone.ko:\n")
    signers = module_signers(tree, seen.append)
    assert {signer.name: count for signer, count in signers.counts.items()} == {"First": 2, "Second": 2}
    assert (signers.unsigned, signers.unreadable, signers.total) == (1, 4, 9)
    assert len(seen) == 9
    kept = as_kept(first.der)
    assert kept is not None
    assert (signers.by(kept.identifier, kept.key_id), signers.by(b"nobody")) == (2, 0)


def test_a_signature_that_lies(tmp_path: Path) -> None:
    signed = Signer(use_rsa=True).signed(b"\x7fELF")
    end = len(signed) - len(MARKER)
    for number, size in enumerate((0, len(signed), 0xFFFFFFFF)):
        lying = signed[: end - 4] + size.to_bytes(4) + MARKER
        tree = tree_of(tmp_path / str(number), ("a.ko", lying))
        assert module_signers(tree) == ModuleSigners({}, 0, 1)


def test_many_packed_files(tmp_path: Path) -> None:
    signer = Signer("Many", use_rsa=True)
    packed = compress(signer.signed(bytes(1000)), Compression.XZ)
    tree = tree_of(tmp_path, *((f"m{number}.ko.xz", packed) for number in range(40)))
    (count,) = module_signers(tree).counts.values()
    assert count == 40


_SIGNED = Signer("Changed").signed(b"\x7fELF and more")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(_SIGNED) - 1), st.integers(0, 255))
def test_any_byte_changed(tmp_path: Path, place: int, value: int) -> None:
    changed = bytearray(_SIGNED)
    changed[place] = value
    directory = tmp_path / "lib/modules/6.1"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "a.ko").write_bytes(changed)
    (directory / "modules.dep").write_text("a.ko:\n")
    assert module_signers(ModuleTree(Root(str(tmp_path)), "6.1")).total == 1
