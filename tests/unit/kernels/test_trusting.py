"""What the firmware of a root makes of a kernel there: asked by check, and kept by an emulated kernel."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.efi_files import make_firmware
from tests.support.signing import Signer

from lkm.actions.checking.check import check
from lkm.actions.checking.options import CheckOptions
from lkm.actions.profile import profile_for, save
from lkm.actions.session import Session, Target
from lkm.errors import LoadRefused
from lkm.formats.module_signature import split
from lkm.kernels.emulated import EmulatedKernel
from lkm.kernels.trusting import with_firmware
from lkm.rules.loading.state import KernelState
from lkm.rules.signatures.policy import Lockdown
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_file import ModuleFile
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

OWN = Signer("My key", use_rsa=True)
OPTIONS = (
    "LOAD_UEFI_KEYS", "SYSTEM_BLACKLIST_KEYRING", "SECONDARY_TRUSTED_KEYRING", "INTEGRITY_PLATFORM_KEYRING",
    "INTEGRITY_MACHINE_KEYRING", "IMA_ARCH_POLICY", "IMA_SECURE_AND_OR_TRUSTED_BOOT", "LOCK_DOWN_IN_EFI_SECURE_BOOT",
)  # fmt: skip


@pytest.fixture
def root(own_sample: Path) -> Path:
    """A system under Secure Boot, whose owner has enrolled our key."""
    config = next((own_sample / "boot").glob("config-*"))
    config.write_text(config.read_text() + "".join(f"CONFIG_{name}=y\n" for name in OPTIONS))
    return make_firmware(own_sample, mok=[OWN.der], trusts_owner_keys=True)


@pytest.fixture
def modules(root: Path, tmp_path: Path) -> tuple[str, str]:
    """A module with our signature, and one with none."""
    stock = next(root.rglob("fat.ko")).read_bytes()
    plain = stock[: split(stock)[0]]
    mine, bare = tmp_path / "mine.ko", tmp_path / "bare.ko"
    mine.write_bytes(OWN.signed(plain))
    bare.write_bytes(plain)
    return str(mine), str(bare)


def _checked(root: Path, path: str, **options: object) -> tuple[bool, tuple[str, ...], int]:
    with Session(Target(root=str(root))) as session:
        asked = CheckOptions(use_cache=False, **options)  # type: ignore[arg-type]  # the tests name its fields
        (result,) = check(session, [path], asked).results
    return result.loads, result.log, result.taints


def test_check_sees_the_owners_keys(root: Path, modules: tuple[str, str]) -> None:
    mine, bare = modules
    assert _checked(root, mine) == (True, (), 0)
    assert _checked(root, bare) == (False, ("Loading of unsigned module is rejected",), 0)


def test_check_without_enforcement_names_lockdown(root: Path, modules: tuple[str, str]) -> None:
    config = next((root / "boot").glob("config-*"))
    config.write_text(config.read_text().replace("CONFIG_IMA_ARCH_POLICY=y\n", ""))
    loads, log, _ = _checked(root, modules[1])
    assert not loads
    assert log == ("Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7",)


def test_a_saved_profile_is_of_another_machine(root: Path, modules: tuple[str, str], tmp_path: Path) -> None:
    with Session(Target(root=str(root))) as session:
        profile = profile_for(session)
    saved = str(tmp_path / "profile")
    save(replace(profile, certificates=()), saved)
    assert _checked(root, modules[1], profile_file=saved)[0]


def test_secure_boot_that_is_off(own_sample: Path, modules: tuple[str, str]) -> None:
    make_firmware(own_sample, mok=[OWN.der], secure_boot=False)
    for variable in (own_sample / "sys/firmware/efi/efivars").glob("SecureBoot-*"):
        assert variable.read_bytes()[-1] == 0
    assert _checked(own_sample, modules[1])[0]


def test_an_emulated_kernel_starts_with_it_and_keeps_it(root: Path, modules: tuple[str, str], tmp_path: Path) -> None:
    home = str(tmp_path / "kernel")
    tree = ModuleTree(Root(str(root)))
    mine, bare = (ModuleFile(Root(), path) for path in modules)
    assert EmulatedKernel(tree, home).load(mine, "") == ()
    for variable in (root / "sys/firmware/efi").rglob("*"):
        if variable.is_file():
            variable.unlink()
    again = EmulatedKernel(tree, home)
    assert again.security().sig_enforce
    assert again.security().lockdown == "integrity"
    with pytest.raises(LoadRefused) as refused:
        again.load(bare, "")
    assert refused.value.log == ("Loading of unsigned module is rejected",)


def test_check_asks_an_emulated_kernel_for_its_keys(root: Path, modules: tuple[str, str], tmp_path: Path) -> None:
    with Session(Target(root=str(root), kernel=f"emulated:{tmp_path / 'kernel'}")) as session:
        asked = CheckOptions(use_cache=False)
        mine, bare = check(session, modules, asked).results
    assert (mine.loads, bare.loads) == (True, False)
    assert bare.log == ("Loading of unsigned module is rejected",)


def test_one_in_memory_has_no_firmware(root: Path) -> None:
    assert not EmulatedKernel(ModuleTree(Root(str(root)))).security().sig_enforce


def test_without_firmware_nothing_is_gathered(tmp_path: Path) -> None:
    def never() -> KernelProfile:
        raise AssertionError

    state = KernelState(command_line="quiet")
    assert with_firmware(state, Root(str(tmp_path)), never) is state


def test_a_running_kernel_says_of_itself_how_strict_it_is(root: Path) -> None:
    with Session(Target(root=str(root))) as session:
        profile = profile_for(session)
    running = with_firmware(KernelState(), Root(str(root)), lambda: profile, is_running=True)
    booted = with_firmware(KernelState(), Root(str(root)), lambda: profile)
    assert (running.certificates, running.lockdown, running.sig_enforce) == ((OWN.der,), None, None)
    assert (booted.certificates, booted.lockdown, booted.sig_enforce) == ((OWN.der,), Lockdown.INTEGRITY, True)
