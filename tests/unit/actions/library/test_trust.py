"""Signatures and keys as a program handles them; what is found is tested with the actions."""

from pathlib import Path

import pytest
from tests.support.mok import copied_variables, write_certificate

import lkm


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> lkm.NewKey:
    base = tmp_path_factory.mktemp("keys") / "mine"
    return lkm.new_key(str(base), pass_phrase=lambda: b"secret", kind=lkm.KeyKind.P256, name="Our modules")


@pytest.fixture
def system(own_sample: Path) -> lkm.System:
    return lkm.System(str(own_sample), kernel="emulated")


def test_signing_verifying_and_stripping(system: lkm.System, own_sample: Path, pair: lkm.NewKey) -> None:
    hello = str(own_sample / "home/you/hello.ko")
    seen: list[tuple[int, int]] = []
    request = lkm.SignRequest(
        (hello, "vfat"), key=pair.key, certificate=pair.certificate, pass_phrase=lambda: b"secret"
    )
    report = system.trust.sign(request, progress=lambda done, total: seen.append((done, total)))
    assert isinstance(report, lkm.SignReport)
    assert [file.outcome for file in report.files] == [lkm.SignOutcome.SIGNED, lkm.SignOutcome.FAILED]
    assert [type(error) for error in report.errors] == [lkm.LkmError]  # vfat has the sample's own signature
    assert seen[-1] == (2, 2)
    by = tuple((der, pair.certificate) for der in lkm.read_certificates(pair.certificate))
    options = lkm.VerifyOptions(certificates=by)
    verified = system.trust.verify(hello, options=options)
    assert (verified.all_accepted, verified.modules[0].answer.signer) == (True, "Our modules")
    stripped = system.trust.sign(lkm.SignRequest((hello,), strip=True))
    assert [file.outcome for file in stripped.files] == [lkm.SignOutcome.STRIPPED]
    assert not system.trust.verify(hello, options=options).modules[0].answer.is_signed


def test_a_tree_is_verified_with_progress(system: lkm.System) -> None:
    seen: list[tuple[int, int]] = []
    report = system.trust.verify(
        options=lkm.VerifyOptions(tree=""), progress=lambda done, total: seen.append((done, total))
    )
    assert {module.answer.signer for module in report.modules} == {"Sample kernel build key"}
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert not report.all_accepted


def test_what_can_not_be_signed_or_verified(system: lkm.System, pair: lkm.NewKey) -> None:
    with pytest.raises(lkm.UsageError):
        system.trust.sign(lkm.SignRequest(()))
    with pytest.raises(lkm.UsageError):
        system.trust.verify()
    missing = system.trust.verify("vfta")
    assert [type(error) for error in missing.errors] == [lkm.ModuleNotFound]
    wrong = lkm.SignRequest(("vfat",), key=pair.key, certificate=pair.certificate, pass_phrase=lambda: b"other")
    with pytest.raises(lkm.LkmError):
        system.trust.sign(wrong)
    with pytest.raises(lkm.UsageError):
        lkm.new_key(pair.key.removesuffix(".key"), pass_phrase=None)


def test_keys(system: lkm.System, own_sample: Path, pair: lkm.NewKey) -> None:
    seen: list[tuple[int, int]] = []
    report = system.trust.keys(progress=lambda done, total: seen.append((done, total)))
    assert report.strangers == (("Sample kernel build key", 4),)
    assert seen[-1] == (4, 4)
    efivars = copied_variables(own_sample, mok=[pair.der])
    listed = system.trust.keys(lkm.TrustOptions(efivars=str(efivars), counts=False))
    assert ("MokListRT", "Our modules") in [(key.place, key.name) for key in listed.keys]
    assert (listed.strangers, listed.signers) == ((), None)


def test_lockdown(system: lkm.System) -> None:
    report = system.trust.lockdown()
    assert (report.demands.mode, report.demands.sig_enforce, report.release) == (
        lkm.Lockdown.NONE,
        False,
        "6.1.0-sample",
    )


def test_the_machine_owners_keys(system: lkm.System, tmp_path: Path) -> None:
    mine = write_certificate(tmp_path)
    write_certificate(tmp_path, "other.der")
    efivars = str(copied_variables(tmp_path / "firmware", mok=[mine]))
    assert len(system.trust.mok_status(efivars=efivars).enrolled) == 1
    assert system.trust.mok_status().enrolled == ()
    assert system.trust.mok_test(f"{tmp_path}/mine.der", efivars=efivars).is_enrolled
    assert system.trust.mok_test(f"{tmp_path}/other.der", efivars=efivars).places == ()
    with pytest.raises(lkm.Unreadable):
        system.trust.mok_test(f"{tmp_path}/none.der")
