"""Signed modules on real kernels that enforce signatures: what lkm signs loads, the rest is refused as foretold.

Each kernel is started by UEFI firmware whose db holds the keys, without Secure Boot: Debian's kernels take them.
"""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from tests.support.key_pair import KeyPair, make_key_pair
from tests.support.secure_boot import copy_firmware, machine_with_firmware, make_variables
from tests.truth.kernels import gathered, image_of
from tests.truth.maker import NAME, Maker

from lkm.actions.checking.check import check_or_raise
from lkm.actions.checking.options import CheckOptions
from lkm.actions.indexing.index import write_indexes
from lkm.actions.session import Session, Target
from lkm.actions.signing.signatory import open_signatory
from lkm.errors import LoadRefused
from lkm.formats.module_signature import MARKER, append
from lkm.kernels.vm.images import Image
from lkm.kernels.vm.kernel import VmKernel
from lkm.kernels.vm.machine import Machine
from lkm.rules.loading.state import KernelState
from lkm.rules.signatures.trust import state_of_trust, trust_of
from lkm.rules.taint import letters
from lkm.system.module_file import ModuleFile
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root
from lkm.system.trust_store import Keyring, TrustStore, read_trust_store

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("firmware")]

_ENFORCING = "module.sig_enforce=1"
_REJECTED, _BAD_MESSAGE = 129, 74  # EKEYREJECTED, EBADMSG
_OPTIONS = pkcs7.PKCS7Options
_CURVES = ("p256", "p384")
_TRUSTED = ("rsa2048", "rsa4096", *_CURVES, "revoked")


@dataclass(frozen=True)
class _Answer:
    """What became of a load.

    :param errno: 0 where the module loaded
    :param taints: its own letters
    """

    errno: int
    log: tuple[str, ...]
    taints: str = ""


@dataclass(frozen=True)
class _Keys:
    """Those that the firmware trusts, one that it trusts and revokes, and one that nobody knows."""

    pairs: dict[str, KeyPair]

    def sign(self, contents: bytes, name: str, digest: str = "sha256", *, by_key_id: bool = False) -> bytes:
        pair = self.pairs[name]
        message = open_signatory(str(pair.key), str(pair.certificate)).sign(
            contents, digest=digest, by_key_id=by_key_id
        )
        return append(contents, message)

    def variables(self, revoked_file: bytes) -> bytes:
        return make_variables(
            secure_boot=False,
            revoked_files=[hashlib.sha256(revoked_file).digest()],
            db=[self.pairs[name].der for name in _TRUSTED],
            dbx=[self.pairs["revoked"].der],
        )


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> _Keys:
    directory = tmp_path_factory.mktemp("keys")
    kinds = {name: name if name in {"rsa4096", *_CURVES} else "rsa2048" for name in (*_TRUSTED, "stranger")}
    return _Keys({name: make_key_pair(directory, name, kind) for name, kind in kinds.items()})


@dataclass(frozen=True)
class _Started:
    """A kernel that enforces signatures, with what lkm says of it.

    :param root: a system with this kernel and the machine's firmware, and no modules
    """

    maker: Maker
    kernel: VmKernel
    machine: Machine
    root: Path
    store: TrustStore

    @property
    def state(self) -> KernelState:
        return state_of_trust(KernelState(command_line=_ENFORCING), self.store, self.maker.profile)


@pytest.fixture(scope="module", params=["6.1", "6.12", "7.2"])
def started(
    request: pytest.FixtureRequest, keys: _Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_Started]:
    version: str = request.param
    maker = Maker(version, gathered(version))
    variables = keys.variables(_revoked(maker, keys))
    with machine_with_firmware(image_of(version), variables, boot_loader=False, cmdline=_ENFORCING) as machine:
        root = tmp_path_factory.mktemp("root")
        _install(image_of(version), root)
        copy_firmware(machine, root)
        store = read_trust_store(Root(str(root)), maker.profile)
        yield _Started(maker, VmKernel(machine), machine, root, store)


def _install(image: Image, root: Path) -> None:
    """Install a kernel without its modules."""
    own = image.modules.parents[2]
    config = next(path for path in (own / f"boot/config-{image.release}", image.modules / "config") if path.exists())
    (root / "boot").mkdir()
    shutil.copyfile(image.kernel, root / f"boot/vmlinuz-{image.release}")
    shutil.copyfile(config, root / f"boot/config-{image.release}")
    tree = root / "lib/modules" / image.release
    tree.mkdir(parents=True)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copyfile(image.modules / name, tree / name)
    write_indexes(ModuleTree(Root(str(root)), image.release))


def _revoked(maker: Maker, keys: _Keys) -> bytes:
    """Make the module that dbx names by its hash, signature included."""
    return keys.sign(maker.module(modinfo=(*maker.info(), ("description", "revoked"))), "rsa2048")


def _real(started: _Started, path: Path) -> _Answer:
    try:
        log = started.kernel.load(ModuleFile(Root(), str(path)), "")
    except LoadRefused as error:
        return _Answer(error.errno, error.log)
    taints = next(module.taints for module in started.kernel.loaded() if module.name == NAME)
    started.kernel.unload(NAME)
    return _Answer(0, log, taints)


def _foretold(started: _Started, paths: list[Path]) -> list[_Answer]:
    """Ask as `lkm check --raw --root` does."""
    options = CheckOptions(raw=True, cmdline=_ENFORCING)
    with Session(Target(root=str(started.root))) as session:
        results = check_or_raise(session, [str(path) for path in paths], options).results
    assert all(isinstance(result.errno, int) for result in results)
    return [_Answer(result.errno or 0, result.log, letters(result.taints)) for result in results]


def _compare(started: _Started, modules: dict[str, bytes], directory: Path) -> dict[str, _Answer]:
    """Load each module into the real kernel, and see that lkm foretold what it does.

    :returns: what the kernel did
    """
    paths = [directory / f"{number}.ko" for number in range(len(modules))]
    for path, contents in zip(paths, modules.values(), strict=True):
        path.write_bytes(contents)
    answers = {name: _real(started, path) for name, path in zip(modules, paths, strict=True)}
    assert dict(zip(modules, _foretold(started, paths), strict=True)) == answers
    return answers


# --- good signatures --------------------------------------------------------------------------------------------------

_DIGESTS = {
    "rsa2048": ("sha256", "sha384", "sha512", "sha224", "sha1", "sha3-256", "sha3-384", "sha3-512"),
    "rsa4096": ("sha256", "sha512"),
    "p256": ("sha256", "sha384", "sha512", "sha3-256"),
    "p384": ("sha256", "sha384", "sha512", "sha3-512"),
}


def _good(keys: _Keys, contents: bytes) -> dict[str, bytes]:
    signed = {
        f"{key} {digest}": keys.sign(contents, key, digest) for key, all_of in _DIGESTS.items() for digest in all_of
    }
    by_key_id = {f"{key} -k": keys.sign(contents, key, "sha256", by_key_id=True) for key in _DIGESTS}
    return signed | by_key_id


def test_what_lkm_signs_loads_where_the_key_is_trusted(started: _Started, keys: _Keys, tmp_path: Path) -> None:
    answers = _compare(started, _good(keys, started.maker.module()), tmp_path)
    refused = {name for name, answer in answers.items() if answer.errno}
    expected = set()
    if started.maker.kernel == "6.1":  # it has SHA-3 for other uses only, and its ECDSA is no part of the image
        expected = {name for name in answers if "sha3-" in name or name.startswith(_CURVES)}
    assert refused == expected
    assert all(answer == _Answer(0, ()) for name, answer in answers.items() if name not in refused)


def test_odd_signatures_that_kernels_take(started: _Started, keys: _Keys, tmp_path: Path) -> None:
    contents = started.maker.module()
    signed = keys.sign(contents, "rsa2048")
    message = signed[len(contents) : -len(MARKER) - 12]
    odd = {
        "bytes behind the message": append(contents, message + b"more"),
        "signed again": keys.sign(signed, "rsa4096"),
        "signed again, the first time by a stranger": keys.sign(keys.sign(contents, "stranger"), "rsa2048"),
    }
    answers = _compare(started, odd, tmp_path)
    assert {name: answer.errno for name, answer in answers.items()} == dict.fromkeys(odd, 0)


def test_a_module_from_elsewhere_is_tainted_by_that_alone(started: _Started, keys: _Keys, tmp_path: Path) -> None:
    maker = started.maker
    contents = maker.module(modinfo=maker.info(intree=False))
    answers = _compare(started, {"out of tree": keys.sign(contents, "rsa2048")}, tmp_path)
    assert answers["out of tree"].taints == "O"


# --- bad ones ---------------------------------------------------------------------------------------------------------


def _with_trailer(signed: bytes, place: int, value: bytes) -> bytes:
    """Change bytes of the 12 that stand before the marker."""
    at = len(signed) - len(MARKER) - 12 + place
    return signed[:at] + value + signed[at + len(value) :]


def _by_library(pair: KeyPair, contents: bytes, *options: pkcs7.PKCS7Options) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(contents)
    builder = builder.add_signer(pair.loaded, pair.private, hashes.SHA256())
    return append(contents, builder.sign(serialization.Encoding.DER, [_OPTIONS.Binary, *options]))


def _other_digest(message: bytes, number: int) -> bytes:
    """Name another digest in both places of a message over SHA-256."""
    sha256 = bytes.fromhex("0609608648016503040201")
    assert message.count(sha256) == 2
    return message.replace(sha256, sha256[:-1] + bytes((number,)))


def _bad(keys: _Keys, contents: bytes) -> dict[str, bytes]:
    pair = keys.pairs["rsa2048"]
    signed = keys.sign(contents, "rsa2048")
    message = signed[len(contents) : -len(MARKER) - 12]
    one_changed = bytearray(signed)
    one_changed[len(contents) - 1] ^= 1
    return {
        "unsigned": contents,
        "unknown key": keys.sign(contents, "stranger"),
        "unknown key by identifier": keys.sign(contents, "stranger", by_key_id=True),
        "changed contents": bytes(one_changed),
        "cut message": append(contents, message[:-20]),
        "length beyond the file": _with_trailer(signed, 8, (len(signed)).to_bytes(4, "big")),
        "length too small": _with_trailer(signed, 8, (len(message) - 1).to_bytes(4, "big")),
        "other id type": _with_trailer(signed, 2, b"\1"),
        "field that must be zero": _with_trailer(signed, 0, b"\1"),
        "unsupported digest": append(contents, _other_digest(message, 0x63)),
        "another digest than signed": append(contents, _other_digest(message, 2)),
        "signed attributes": _by_library(pair, contents, _OPTIONS.DetachedSignature, _OPTIONS.NoCerts),
        "contents inside": _by_library(pair, contents, _OPTIONS.NoAttributes, _OPTIONS.NoCerts),
        "signature value changed": append(contents, message[:-1] + bytes((message[-1] ^ 1,))),
        "cut marker": signed[:-1],
    }


_ERRNO = {
    "cut message": _BAD_MESSAGE,
    "length beyond the file": _BAD_MESSAGE,
    "length too small": _BAD_MESSAGE,
    "field that must be zero": _BAD_MESSAGE,
    "contents inside": _BAD_MESSAGE,
}


def test_bad_signatures_are_refused_as_foretold(started: _Started, keys: _Keys, tmp_path: Path) -> None:
    answers = _compare(started, _bad(keys, started.maker.module()), tmp_path)
    assert {name: answer.errno for name, answer in answers.items()} == {
        name: _ERRNO.get(name, _REJECTED) for name in answers
    }


def test_a_module_that_is_revoked_itself_is_judged_as_the_kernel_does(
    started: _Started, keys: _Keys, tmp_path: Path
) -> None:
    signed = _revoked(started.maker, keys)
    answers = _compare(started, {"revoked": signed, "not revoked": keys.sign(signed, "rsa2048")}, tmp_path)
    is_looked_for = started.maker.kernel != "7.2"  # Debian gave its patch up
    assert [answer.errno for answer in answers.values()] == [_REJECTED if is_looked_for else 0, 0]


def test_a_revoked_key_is_judged_as_the_kernel_does(started: _Started, keys: _Keys, tmp_path: Path) -> None:
    # Debian's kernels have no list of revoked certificates (CONFIG_SYSTEM_REVOCATION_LIST): they go by db alone.
    answers = _compare(started, {"revoked": keys.sign(started.maker.module(), "revoked")}, tmp_path)
    assert answers["revoked"].errno == 0


# --- the keyrings -----------------------------------------------------------------------------------------------------


def test_the_keyrings_hold_what_lkm_says(started: _Started) -> None:
    trust = trust_of(started.maker.profile, started.state)
    counts = _counts(started.machine)
    assert len(trust.keyring) == counts[Keyring.BUILTIN] + counts[Keyring.MACHINE]
    assert len(trust.platform_keyring) == counts[Keyring.PLATFORM]
    assert len(trust.blacklist) + len(trust.revoked_hashes) == counts[Keyring.BLACKLIST]


def _counts(machine: Machine) -> dict[Keyring, int]:
    """Tell how many keys each keyring has, out of lines such as ``… keyring   .machine: 2``."""
    listed = machine.run(["cat", "/proc/keys"]).stdout.decode().splitlines()
    found = {words[-2]: words[-1] for words in map(str.split, listed) if words[-3] == "keyring"}
    return {keyring: int(found[f"{keyring.value}:"].replace("empty", "0")) for keyring in Keyring}
