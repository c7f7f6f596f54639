"""What a check asks of which kernel, and what it makes of a running one."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.scripted_kernel import ScriptedKernel
from tests.support.signing import Signer

import lkm
from lkm.actions.checking import target as check_target
from lkm.actions.checking.check import check, check_on
from lkm.actions.checking.options import CheckOptions
from lkm.actions.checking.target import CheckTarget, open_target, state_of
from lkm.actions.profile import profile_for
from lkm.actions.sample_tree import RELEASE, VERMAGIC
from lkm.actions.session import Session, Target
from lkm.errors import ModuleSupportMissing, UsageError
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.proc_modules import LoadedModule
from lkm.kernels.base import Security
from lkm.rules.loading.state import KernelState, ModuleRecord
from lkm.rules.signatures.policy import Lockdown

NO_DEMANDS = Security("none", sig_enforce=False, modules_disabled=False)


@dataclass
class _Running(ScriptedKernel):
    """A kernel with a past."""

    release: str = RELEASE
    modules: tuple[LoadedModule, ...] = ()
    mask: int = 0
    demands: Security = NO_DEMANDS
    words: str = ""

    def loaded(self) -> tuple[LoadedModule, ...]:
        return self.modules

    def taint(self) -> int:
        return self.mask

    def security(self) -> Security:
        return self.demands

    def command_line(self) -> str:
        return self.words


FAT = LoadedModule("fat", 90112, 1, ("vfat",))
VFAT = LoadedModule("vfat", 20480, 3)


def _session(root: Path) -> Session:
    return Session(Target(root=str(root)))


def _state(root: Path, kernel: _Running) -> KernelState:
    session = _session(root)
    return state_of(kernel, profile_for(session), session.tree)


def _running(session: Session, kernel: _Running, options: CheckOptions | None = None) -> CheckTarget:
    """Make a target of a kernel that runs on the session's root."""
    profile = profile_for(session)
    state = state_of(kernel, profile, session.tree)
    return CheckTarget(session, profile, state, options or CheckOptions(), is_running=True)


def test_the_state_of_a_running_kernel(sample: Path) -> None:
    state = _state(sample, _Running(modules=(VFAT, FAT), mask=0x3001, words="quiet"))
    assert [module.name for module in state.modules] == ["vfat", "fat"]
    vfat, fat = state.modules
    assert (vfat.uses, vfat.references, vfat.exports) == (("fat",), 3, ())
    assert (fat.uses, fat.references) == ((), 0)
    assert [export.name for export in fat.exports] == ["fat_attach", "fat_build_inode"]
    assert (state.taint, state.command_line, state.modules_disabled) == (0x3001, "quiet", False)
    assert (state.lockdown, state.sig_enforce) == (None, None)  # as command line and configuration say


def test_what_firmware_or_a_sysctl_did(sample: Path) -> None:
    demands = Security("integrity", sig_enforce=True, modules_disabled=True)
    state = _state(sample, _Running(demands=demands))
    assert (state.lockdown, state.sig_enforce, state.modules_disabled) == (Lockdown.INTEGRITY, True, True)
    unknown = _state(sample, _Running(demands=Security(None, None, modules_disabled=False)))
    assert (unknown.lockdown, unknown.sig_enforce) == (None, None)


def test_modules_of_a_running_kernel_bring_their_taints(sample: Path) -> None:
    stranger = LoadedModule("stranger", 4096, taints="POE")
    state = _state(sample, _Running(modules=(stranger,)))
    assert state.modules == (ModuleRecord("stranger", 4096, taints=0x3001),)


def test_what_is_loaded_need_not_be_loaded(sample: Path) -> None:
    target = _running(_session(sample), _Running(modules=(VFAT, FAT)))
    (result,) = check_on(target, ["vfat"]).results
    assert (result.loads, result.stage, result.kernel_taint) == (True, "loaded", 0)
    fat = FAT._replace(used_by=())
    (result,) = check_on(_running(_session(sample), _Running(modules=(fat,))), ["vfat"]).results
    assert (result.loads, result.before) == (True, ())


def test_the_sysctl_that_disables_modules(sample: Path) -> None:
    demands = Security("none", sig_enforce=False, modules_disabled=True)
    (result,) = check_on(_running(_session(sample), _Running(demands=demands)), ["fat"]).results
    assert (result.loads, result.errno, result.stage) == (False, 1, "permission")


def test_another_root_is_just_booted(sample: Path) -> None:
    target = open_target(_session(sample), CheckOptions())
    assert not target.is_running
    assert target.state == KernelState()


def test_an_emulated_kernel_has_a_past(sample: Path, tmp_path: Path) -> None:
    session = Session(Target(root=str(sample), kernel=f"emulated:{tmp_path}/kernel"))
    fat = session.tree.module("fat")
    assert fat is not None
    session.kernel.load(fat, "")
    target = open_target(session, CheckOptions())
    assert target.is_running
    assert [module.name for module in target.state.modules] == ["fat"]
    assert not open_target(Session(Target(root=str(sample), kernel="emulated")), CheckOptions()).is_running


def _as_if_it_ran(root: Path, kernel: _Running, monkeypatch: pytest.MonkeyPatch) -> Session:
    session = _session(root)
    session.__dict__["kernel"] = kernel
    monkeypatch.setattr(check_target, "_is_running", lambda _: True)
    return session


def test_which_kernel_runs(sample: Path) -> None:
    here = Session(Target(release=RELEASE))
    here.__dict__["kernel"] = _Running()
    assert check_target._is_running(here)
    here.__dict__["kernel"] = _Running(release="6.12.0")
    assert not check_target._is_running(here)
    elsewhere = _session(sample)
    elsewhere.__dict__["kernel"] = _Running()
    assert not check_target._is_running(elsewhere)


def test_the_running_kernel_is_asked(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = _as_if_it_ran(sample, _Running(modules=(FAT,), mask=0x1000), monkeypatch)
    target = open_target(session, CheckOptions(use_cache=False))
    assert target.is_running
    assert (target.state.taint, [module.name for module in target.state.modules]) == (0x1000, ["fat"])
    options = CheckOptions(use_cache=False, tainted=1, cmdline="x", sig_enforce=True, lockdown=Lockdown.INTEGRITY)
    state = open_target(session, options).state
    assert (state.taint, state.command_line, state.said) == (1, "x", frozenset({"lockdep"}))
    assert (state.sig_enforce, state.lockdown) == (True, Lockdown.INTEGRITY)


def test_a_kernel_without_modules(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: _Running) -> tuple[LoadedModule, ...]:
        raise ModuleSupportMissing("this kernel can't load modules")

    monkeypatch.setattr(_Running, "loaded", none)
    session = _as_if_it_ran(sample, _Running(), monkeypatch)
    with pytest.raises(ModuleSupportMissing):
        check(session, ["fat"], CheckOptions(use_cache=False))


def test_a_profile_and_an_image(sample: Path) -> None:
    with pytest.raises(UsageError):
        open_target(_session(sample), CheckOptions(profile_file="a", kernel_image="b"))


def test_answers_of_the_library(sample: Path, tmp_path: Path) -> None:
    path = tmp_path / "mod.ko"
    path.write_bytes(write(ModuleRecipe("mod", usual_modinfo("mod", VERMAGIC), layout_crc=0x2A7A0F8B)))
    report = check(_session(sample), ["vfat", str(path), "nosuch", str(tmp_path / "none.ko")])
    assert report.release == RELEASE
    assert [(result.subject, result.loads) for result in report.results] == [
        ("vfat", True),
        (str(path), True),
        ("nosuch", False),
    ]
    assert [error.where for error in report.unreadable] == [str(tmp_path / "none.ko")]
    assert report.results[0].before == ("fat",)


def test_an_alias_of_several_modules(own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/more.conf").write_text("alias both fat\nalias both dummy\n")
    report = check(_session(own_sample), ["both"])
    assert [(result.subject, result.module) for result in report.results] == [("both", "fat"), ("both", "dummy")]


def test_an_alias_of_nothing(own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/more.conf").write_text("alias lost nowhere\n")
    (result,) = check(_session(own_sample), ["lost"]).results
    assert (result.stage, result.causes[0].summary.partition(",")[0]) == (
        "not found",
        "'lost' leads to the module nowhere",
    )


def test_softdeps_behind_a_module_do_not_matter(own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/more.conf").write_text("softdep fat post: dummy\noptions dummy numdummies=x\n")
    (result,) = check(_session(own_sample), ["fat"]).results
    assert (result.loads, result.before) == (True, ())


def test_the_library_has_it(sample: Path, tmp_path: Path) -> None:
    with lkm.System(str(sample)) as system:
        (result,) = system.check("vfat", options=lkm.CheckOptions(sig_enforce=True))
        assert isinstance(result, lkm.CheckResult)
        assert result.loads
        with pytest.raises(lkm.Unreadable):
            system.check("vfat", str(tmp_path / "none.ko"))


def test_configuration_of_the_callers_own(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "own.conf").write_text("options dummy numdummies=x\n")
    with lkm.System(str(sample), config_paths=[str(tmp_path / "own.conf")]) as system:
        assert not system.check("dummy")[0].loads
        assert system.check("pcspkr")[0].loads


def test_a_certificate_that_the_kernel_has_no_use_for(own_sample: Path) -> None:
    config = next((own_sample / "boot").glob("config-*"))
    config.write_text(config.read_text() + "CONFIG_CRYPTO_RSA=y\n# CONFIG_CRYPTO_ECDSA is not set\n")
    options = CheckOptions(use_cache=False, trust=(Signer("Curve").der, Signer("Plain", use_rsa=True).der))
    assert open_target(_session(own_sample), options).notes == (
        "to trust Curve makes no difference: this kernel can't use its key, EC P-256",
    )
