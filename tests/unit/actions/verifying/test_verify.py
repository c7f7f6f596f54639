"""Verifying modules against the kernel of a root, with and without firmware."""

import contextlib
import lzma
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.efi_files import make_firmware
from tests.support.signing import Signer

from lkm.actions.profile import profile_for, save
from lkm.actions.sample_tree import RELEASE
from lkm.actions.session import Session, Target
from lkm.actions.verifying.advice import next_steps
from lkm.actions.verifying.kernel import unseen_keys
from lkm.actions.verifying.options import VerifyOptions
from lkm.actions.verifying.verify import VerifyReport, verify
from lkm.errors import CompressionError, ModuleNotFound, Unreadable, UsageError
from lkm.formats.module_signature import split
from lkm.formats.proc_keys import KernelKey
from lkm.system.kernel_keyrings import KernelKeyrings
from lkm.system.trust_store import Keyring, TrustedKey, TrustStore

OWN, OTHER = Signer("My key", use_rsa=True), Signer("Another")
FIRMWARE_OPTIONS = (
    "LOAD_UEFI_KEYS", "SYSTEM_BLACKLIST_KEYRING", "SECONDARY_TRUSTED_KEYRING", "INTEGRITY_PLATFORM_KEYRING",
    "INTEGRITY_MACHINE_KEYRING", "IMA_ARCH_POLICY", "IMA_SECURE_AND_OR_TRUSTED_BOOT", "LOCK_DOWN_IN_EFI_SECURE_BOOT",
)  # fmt: skip


@pytest.fixture
def signed(own_sample: Path, tmp_path: Path) -> Path:
    """A module of the sample tree, signed with a key of ours."""
    stock = next(own_sample.rglob("fat.ko")).read_bytes()
    path = tmp_path / "mine.ko"
    path.write_bytes(OWN.signed(stock[: split(stock)[0]]))
    return path


def _verified(root: Path, *subjects: object, options: VerifyOptions | None = None) -> VerifyReport:
    with Session(Target(root=str(root))) as session:
        return verify(session, [str(subject) for subject in subjects], options or VerifyOptions(use_cache=False))


def _only(report: VerifyReport) -> tuple[str, str | None, str]:
    (module,) = report.modules
    return module.answer.state, module.answer.keyring, module.answer.why


def _with_firmware(root: Path, **firmware: object) -> Path:
    config = next((root / "boot").glob("config-*"))
    config.write_text(config.read_text() + "".join(f"CONFIG_{name}=y\n" for name in FIRMWARE_OPTIONS))
    return make_firmware(root, **firmware)  # type: ignore[arg-type]  # the tests name its parameters


# --- kernels ----------------------------------------------------------------------------------------------------------


def test_a_kernel_whose_image_is_missing(own_sample: Path, signed: Path) -> None:
    report = _verified(own_sample, signed)
    assert report.kernel.release == RELEASE
    state, keyring, why = _only(report)
    assert (state, keyring) == ("UNKNOWN_KEY", None)
    assert "which keys the kernel holds is not known" in why
    assert not report.all_accepted
    assert any("keys in the kernel image are not known" in note for note in report.kernel.notes)
    (module,) = report.modules
    assert next_steps(module.answer, module.path, report.kernel) == (
        f"lkm verify --root {own_sample} --kernel-image VMLINUZ {signed}",
        f"lkm check --root {own_sample} {signed}",
    )
    assert report.kernel.policy(module.answer).endswith("taints the kernel (E), unless it holds the signer's key")
    strict = replace(report.kernel, enforces=True)
    assert strict.policy(module.answer).endswith("refuses it (EKEYREJECTED), unless it holds the signer's key")
    assert (report.kernel.loads(module.answer), strict.loads(module.answer)) == (True, None)


@pytest.mark.parametrize("cut", [-20, 2000])
def test_what_can_not_be_signed_is_not_told_to_be(signed: Path, cut: int) -> None:
    """A trailer that claims too much, and a module of which the end is missing."""
    whole = signed.read_bytes()
    signed.write_bytes(whole[:cut] + (b"~Module signature appended~\n" if cut < 0 else b""))
    report = _verified(Path("/"), signed, options=VerifyOptions(certificates=((OWN.der, "own.pem"),)))
    (module,) = report.modules
    assert not module.answer.is_accepted
    steps = next_steps(module.answer, module.path, report.kernel)
    assert steps == ("build or install it again: it is damaged, and can't be signed as it is",)


def test_a_directory(tmp_path: Path) -> None:
    report = _verified(Path("/"), tmp_path, options=VerifyOptions(certificates=((OWN.der, "own.pem"),)))
    (error,) = report.errors
    assert (error.what, error.hint) == ("is a directory", f"all modules below it: lkm verify --tree {tmp_path}")


def test_the_owners_key(own_sample: Path, signed: Path) -> None:
    root = _with_firmware(own_sample, mok=[OWN.der], trusts_owner_keys=True)
    report = _verified(root, signed)
    assert _only(report) == ("TRUSTED", ".machine", "")
    assert report.all_accepted
    assert report.kernel.enforces
    assert report.kernel.secure_boot
    (bare,) = _verified(root, "vfat").modules
    assert report.kernel.policy(bare.answer) == (
        f"kernel {RELEASE} enforces signatures because of Secure Boot and refuses it (EKEYREJECTED),"
        " unless it holds the signer's key"
    )
    assert report.kernel.lockdown.value == "integrity"
    assert report.modules[0].answer.source.endswith("MokListRT")


def test_the_owners_key_without_secure_boot(own_sample: Path, signed: Path) -> None:
    root = _with_firmware(own_sample, mok=[OWN.der], secure_boot=False)
    state, keyring, why = _only(_verified(root, signed))
    assert (state, keyring) == ("UNKNOWN_KEY", None)
    assert why == ("the signer's key is the machine owner's (MOK), which the kernel does not take: Secure Boot is off")


def test_a_key_that_waits(own_sample: Path, signed: Path) -> None:
    root = _with_firmware(own_sample, mok_new=[OWN.der])
    assert "waits to be enrolled" in _only(_verified(root, signed))[2]


def test_the_firmwares_key(own_sample: Path, signed: Path) -> None:
    """Upstream's kernel, as the sample's release tells, does not ask there."""
    root = _with_firmware(own_sample, db=[OWN.der])
    why = _only(_verified(root, signed))[2]
    assert why == "the signer's key is in .platform, which this kernel asks about no module"


def test_a_saved_profile_knows_no_firmware_of_here(own_sample: Path, signed: Path, tmp_path: Path) -> None:
    with Session(Target(root=str(own_sample))) as session:
        profile = profile_for(session)
    file = str(tmp_path / "profile")
    save(replace(profile, certificates=(OTHER.der,)), file)
    root = _with_firmware(own_sample, mok=[OWN.der], trusts_owner_keys=True)
    options = VerifyOptions(profile_file=file)
    assert _only(_verified(root, signed, options=options))[2] == "no keyring has the signer's key"
    save(replace(profile, certificates=(OWN.der,)), file)
    report = _verified(root, signed, options=options)
    assert _only(report) == ("TRUSTED", ".builtin_trusted_keys", "")
    assert not report.kernel.enforces


def test_keys_that_only_the_running_kernel_shows() -> None:
    def key(description: str) -> KernelKey:
        return KernelKey(7, "I------", 1, "perm", 0x1F030000, 0, 0, "asymmetri", description)

    known = f"My key: {OWN.certificate.serial_number:040x}: X509.rsa []"
    added = f"Added: {'ab' * 20}: X509.rsa abababab []"
    keyrings = KernelKeyrings({Keyring.MACHINE: (key(known),), Keyring.SECONDARY: (key(added), key("no certificate"))})
    store = TrustStore((TrustedKey(OWN.der, Keyring.MACHINE, "MokListRT"),))
    (note,) = unseen_keys(store, keyrings)
    assert note.startswith(".secondary_trusted_keys of the running kernel has a key that no file shows, Added: ")
    assert unseen_keys(store, KernelKeyrings()) == ()


# --- what comes next --------------------------------------------------------------------------------------------------


def _steps(root: Path, path: Path, *, knows_all: bool = False) -> tuple[str, ...]:
    """Ask about a module and a kernel of which all keys are known, or those of its image are not."""
    report = _verified(root, path)
    kernel = replace(report.kernel, verifier=replace(report.kernel.verifier, knows_all=knows_all))
    return next_steps(report.modules[0].answer, str(path), kernel)[:-1]


def test_next_to_a_key_on_the_owners_lists(own_sample: Path, signed: Path) -> None:
    root = _with_firmware(own_sample, mok_new=[OWN.der])
    assert _steps(root, signed) == (f"lkm mok status --root {root}",)


@pytest.mark.parametrize("secure_boot", [True, False])
def test_next_to_an_unknown_key(own_sample: Path, signed: Path, *, secure_boot: bool) -> None:
    root = _with_firmware(own_sample, secure_boot=secure_boot)
    enrolling = ("sudo lkm mok enrol CERT.der", f"lkm sign --key KEY --certificate CERT --replace {signed}")
    expected = (f"lkm keys --root {root}", *(enrolling if secure_boot else ()))
    assert _steps(root, signed, knows_all=True) == expected


def test_next_to_a_damaged_module_of_a_package(own_sample: Path) -> None:
    path = next(own_sample.rglob("fat.ko"))
    contents = bytearray(path.read_bytes())
    contents[-32:-28] = b"\xff" * 4
    path.write_bytes(contents)
    explain, repair = _steps(own_sample, path)
    assert explain == f"lkm explain --root {own_sample} fat  # names the package to install again"
    assert repair.startswith("build or install it again")


# --- given certificates -----------------------------------------------------------------------------------------------


def _by(*signers: Signer, **others: object) -> VerifyOptions:
    given = tuple((signer.der, f"{signer.name}.pem") for signer in signers)
    return VerifyOptions(certificates=given, **others)  # type: ignore[arg-type]  # as above


def test_given_certificates_need_no_kernel(tmp_path: Path, signed: Path) -> None:
    (tmp_path / "nothing").mkdir()
    report = _verified(tmp_path / "nothing", signed, options=_by(OTHER, OWN))
    assert _only(report) == ("TRUSTED", "the given certificate", "")
    assert report.modules[0].answer.source == "My key.pem"
    assert report.kernel.release is None
    assert report.kernel.policy(report.modules[0].answer) == ""
    assert report.kernel.loads(report.modules[0].answer) is None
    assert not _verified(tmp_path / "nothing", signed, options=_by(OTHER)).all_accepted


def test_packed_and_detached(tmp_path: Path, signed: Path) -> None:
    contents = signed.read_bytes()
    packed = tmp_path / "packed.ko.xz"
    packed.write_bytes(lzma.compress(contents))
    assert _verified(tmp_path, packed, options=_by(OWN)).all_accepted
    bare, signature = tmp_path / "bare.ko", tmp_path / "bare.ko.p7s"
    bare.write_bytes(contents[: split(contents)[0]])
    signature.write_bytes(OWN.message(bare.read_bytes()))
    assert _verified(tmp_path, bare, options=_by(OWN, detached=str(signature))).all_accepted
    assert not _verified(tmp_path, bare, options=_by(OWN)).all_accepted
    signature.write_bytes(b"-----BEGIN CMS-----\n")
    with pytest.raises(Unreadable, match="a signature in PEM"):
        _verified(tmp_path, bare, options=_by(OWN, detached=str(signature)))
    signature.write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    with pytest.raises(Unreadable, match="no signature"):
        _verified(tmp_path, bare, options=_by(OWN, detached=str(signature)))


def test_a_detached_signature_speaks_for_the_module_without_its_old_one(tmp_path: Path, signed: Path) -> None:
    contents = signed.read_bytes()
    signature = tmp_path / "mine.ko.p7s"
    signature.write_bytes(OTHER.message(contents[: split(contents)[0]]))
    assert _verified(tmp_path, signed, options=_by(OTHER, detached=str(signature))).all_accepted
    signature.write_bytes(OTHER.message(contents))
    assert not _verified(tmp_path, signed, options=_by(OTHER, detached=str(signature))).all_accepted


# --- trees and names --------------------------------------------------------------------------------------------------


def test_a_tree_in_several_processes(tmp_path: Path, signed: Path) -> None:
    contents = signed.read_bytes()
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(9):
        (tree / f"m{number}.ko").write_bytes(contents)
    (tree / "touched.ko").write_bytes(contents[:100] + b"X" + contents[101:])
    (tree / "text.ko").write_bytes(b"text")
    (tree / "torn.ko.xz").write_bytes(lzma.compress(contents)[:-20])
    counted: list[int] = []

    @contextlib.contextmanager
    def showing(total: int) -> Iterator[Callable[[int], None]]:
        counted.append(-total)
        yield counted.append

    with Session(Target(root=str(tmp_path))) as session:
        report = verify(session, [], _by(OWN, tree=str(tree)), showing)
    assert [module.relative for module in report.modules] == [*(f"m{number}.ko" for number in range(9)), "touched.ko"]
    assert [module.answer.is_accepted for module in report.modules] == [True] * 9 + [False]
    assert [type(error) for error in report.errors] == [Unreadable, CompressionError]
    assert counted == [-12] + [1] * 12


def test_names(own_sample: Path) -> None:
    report = _verified(own_sample, "vfat")
    assert report.modules[0].path.endswith("/vfat.ko")
    assert isinstance(_verified(own_sample, "nonsense").errors[0], ModuleNotFound)


@pytest.mark.parametrize(
    ("subjects", "options"),
    [
        ([], VerifyOptions()),
        (["fat"], VerifyOptions(tree="")),
        (["fat", "vfat"], VerifyOptions(detached="x")),
        ([], VerifyOptions(tree="", detached="x")),
        (["fat"], VerifyOptions(certificates=((b"", ""),), profile_file="x")),
    ],
)
def test_nonsense(own_sample: Path, subjects: list[str], options: VerifyOptions) -> None:
    with pytest.raises(UsageError):
        _verified(own_sample, *subjects, options=options)


# --- what next --------------------------------------------------------------------------------------------------------


def test_what_comes_next(own_sample: Path, signed: Path, tmp_path: Path) -> None:
    odd = tmp_path / "an odd name.ko"
    odd.write_bytes(signed.read_bytes()[: split(signed.read_bytes())[0]])
    report = _verified(own_sample, odd)
    steps = next_steps(report.modules[0].answer, str(odd), report.kernel)
    assert steps == (
        f"lkm sign --key KEY --certificate CERT '{odd}'",
        f"lkm check --root {own_sample} '{odd}'",
    )
    trusted = _verified(own_sample, signed, options=_by(OWN))
    assert next_steps(trusted.modules[0].answer, str(signed), trusted.kernel) == ()
    unknown = _verified(own_sample, signed, options=_by(OTHER))
    assert next_steps(unknown.modules[0].answer, "f", unknown.kernel) == (f"lkm verify --root {own_sample} f",)
