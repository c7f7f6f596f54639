"""What a kernel trusts, with everything that is known put together."""

import datetime as dt
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.efi_files import lists_of, write_variable
from tests.support.signed_sample import RELEASE, SignedSample, make_signed_sample
from tests.support.signing import Signer

from lkm.actions.profile import profile_for
from lkm.actions.session import Session, Target
from lkm.actions.trusted_keys import report as action
from lkm.actions.trusted_keys.listing import Listing
from lkm.actions.trusted_keys.one_key import keys_named
from lkm.actions.trusted_keys.report import trusted_keys
from lkm.actions.trusted_keys.results import ListedKey, TrustOptions, TrustReport
from lkm.errors import LkmError, TreeMissing, Unreadable
from lkm.formats.certificate import describe
from lkm.formats.efi_signature_lists import SignatureEntry, SignatureType
from lkm.formats.proc_keys import parse
from lkm.system.kernel_keyrings import KernelKeyrings
from lkm.system.trust_store import Keyring, TrustStore, trust_store_of


@pytest.fixture(scope="module")
def signed(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> SignedSample:
    """The sample with keys, for reading only."""
    root = tmp_path_factory.mktemp("signed") / "root"
    return make_signed_sample(Path(shutil.copytree(sample, root, symlinks=True)))


def session_of(root: Path, release: str | None = None) -> Session:
    return Session(Target(root=str(root), release=release))


def report_of(signed: SignedSample, **options: object) -> TrustReport:
    return trusted_keys(session_of(signed.root), TrustOptions(now=signed.now, **options))  # type: ignore[arg-type]


def rows(report: TrustReport) -> dict[str, list[tuple[str, int | None, tuple[str, ...]]]]:
    """Give name, number of modules and notes of the keys in each keyring."""
    return {
        found.keyring.value: [(key.name, key.modules, key.notes) for key in found.keys] for found in report.keyrings
    }


def test_keyrings_and_who_signed_what(signed: SignedSample) -> None:
    report = report_of(signed)
    assert (report.release, report.is_running, report.problems) == (RELEASE, False, ())
    assert rows(report) == {
        ".builtin_trusted_keys": [("Build key", 2, ())],
        ".machine": [("Owner's key", 1, ())],
        ".platform": [("Maker's key", 0, ())],
    }
    assert [found.accepts for found in report.keyrings] == [True, True, True]
    assert report.strangers == (("Stranger", 1),)
    assert report.signers is not None
    assert (report.signers.total, report.signers.unsigned) == (4, 0)


def test_the_lists_say_where_their_keys_went(signed: SignedSample) -> None:
    report = report_of(signed)
    assert [(found.name, [key.notes for key in found.keys]) for found in report.lists] == [
        ("db", [("in .platform",)]),
        ("MokListRT", [("in .machine",)]),
    ]
    assert report.lists[1].source.endswith("/sys/firmware/efi/mok-variables/MokListRT")


def test_without_counting(signed: SignedSample) -> None:
    report = report_of(signed, counts=False)
    assert report.signers is None
    assert [key.modules for key in report.keys] == [None] * 5
    assert report.strangers == ()


def test_a_certificate_that_is_to_be_trusted(signed: SignedSample) -> None:
    report = report_of(signed, trust=(signed.stranger.der,))
    assert rows(report)[".machine"][1] == ("Stranger", 1, ("given by --trust",))
    assert report.strangers == ()


def test_variables_from_elsewhere(signed: SignedSample, tmp_path: Path) -> None:
    other = Signer("Elsewhere", use_rsa=True)
    for name, data in (("SecureBoot", b"\0"), ("db", lists_of([other.der])), ("MokListRT", lists_of([other.der]))):
        write_variable(tmp_path, name, data)
    report = report_of(signed, efivars=str(tmp_path))
    assert rows(report)[".platform"] == [("Elsewhere", 0, ())]
    assert ".machine" not in rows(report)
    assert report.problems == ("the owner's keys (MOK) count for nothing: the kernel takes Secure Boot as off",)


def test_dates_are_told_as_what_they_are(signed: SignedSample) -> None:
    late = trusted_keys(session_of(signed.root), TrustOptions(now=dt.datetime(2200, 1, 1, tzinfo=dt.UTC)))
    assert rows(late)[".machine"][0][2] == ("expired; the kernel does not look at that",)
    early = trusted_keys(session_of(signed.root), TrustOptions(now=dt.datetime(2000, 1, 1, tzinfo=dt.UTC)))
    assert rows(early)[".machine"][0][2] == ("not valid yet; the kernel does not look at that",)


def test_the_modules_are_watched(signed: SignedSample) -> None:
    totals: list[int] = []
    parts: list[int] = []

    def watch(total: int) -> nullcontext[Callable[[int], None]]:
        totals.append(total)
        return nullcontext(parts.append)

    trusted_keys(session_of(signed.root), TrustOptions(), watch)
    assert (totals, sum(parts)) == ([4], 4)


def test_another_root_without_modules(tmp_path: Path) -> None:
    with pytest.raises(TreeMissing):
        trusted_keys(session_of(tmp_path, "6.1"), TrustOptions())


def test_a_running_kernel_without_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    ring, key = parse(
        "00000001 I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 1\n"
        "00000011 I------     1 perm 1f030000     0     0 asymmetri Seen: 11: X509.rsa 11 []\n"
    )
    live = KernelKeyrings({Keyring.BUILTIN: (key,)}, frozenset({Keyring.BUILTIN}))
    monkeypatch.setattr(action, "read_kernel_keyrings", lambda: live)
    monkeypatch.setattr(action, "_is_running", lambda *_: True)
    report = trusted_keys(session_of(Path("/"), "no-such-release"), TrustOptions())
    assert (report.release, report.is_running) == ("", True)
    assert ring.keyring == ".builtin_trusted_keys"
    (found,) = report.keyrings[0].keys
    assert (found.name, found.key_id, found.is_live, found.facts) == ("Seen", "11", True, None)
    assert "only what the running kernel shows" in report.problems[0]


# --- the running kernel -----------------------------------------------------------------------------------------------


def listing(signed: SignedSample, live: KernelKeyrings) -> Listing:
    """List what the sample's kernel should hold beside what it shows."""
    report = report_of(signed)
    return Listing(None, report.store, live, report.signers, TrustOptions(now=signed.now))


def test_what_the_running_kernel_shows(signed: SignedSample) -> None:
    facts = describe(signed.build.der)
    assert facts is not None
    number = f"{facts.serial:040x}"  # it has no subject key identifier
    shown = parse(
        f"00000011 I------     1 perm 1f030000     0     0 asymmetri Build key: {number}: X509.rsa []\n"
        "00000012 I------     1 perm 1f030000     0     0 asymmetri Added later: abcd: X509.rsa abcd []\n"
    )
    live = KernelKeyrings({Keyring.BUILTIN: shown, Keyring.MACHINE: ()}, frozenset({Keyring.BUILTIN, Keyring.MACHINE}))
    builtin, machine, platform = listing(signed, live).keyrings()
    assert [(key.name, key.is_live) for key in builtin.keys] == [("Build key", True), ("Added later", True)]
    assert [(key.name, key.is_live) for key in machine.keys] == [("Owner's key", False)]
    assert [(key.name, key.is_live) for key in platform.keys] == [("Maker's key", None)]


def test_revoked_ones(signed: SignedSample) -> None:
    report = report_of(signed)
    facts = describe(signed.build.der)
    assert facts is not None
    blacklisted = [key._replace(keyring=Keyring.BLACKLIST) for key in report.store.of(Keyring.MACHINE)]
    store = TrustStore((*report.store.keys, *blacklisted), frozenset({f"tbs:{facts.tbs_sha256}"}))
    found = Listing(None, store, KernelKeyrings(), None, TrustOptions(now=signed.now)).keyrings()
    notes = {key.name: key.notes for ring in found for key in ring.keys if ring.keyring is not Keyring.BLACKLIST}
    assert notes["Build key"] == ("revoked: .blacklist has the certificate's hash",)
    assert notes["Owner's key"] == ("revoked: the same certificate is in .blacklist",)
    assert found[-1].hashes == 1


def test_keys_that_the_kernel_cannot_use(signed: SignedSample) -> None:
    known = profile_for(session_of(signed.root))
    profile = replace(known, config={**known.config, "CRYPTO_RSA": "y"})
    curve = Signer("Curve")
    entry = SignatureEntry(SignatureType.X509.value, "", curve.der)
    report = report_of(signed)
    firmware = replace(report.firmware, mok_list=(*report.firmware.mok_list, entry))
    options = TrustOptions(trust=(curve.der,), now=signed.now)
    found = Listing(profile, trust_store_of(profile, firmware), KernelKeyrings(), None, options)
    machine, mok_list = found.keyrings()[1], found.firmware_lists()[1]
    reason = "not kept, as this kernel can't use EC P-256"
    assert [(key.name, key.notes) for key in mok_list.keys] == [("Owner's key", ("in .machine",)), ("Curve", (reason,))]
    assert [(key.name, key.notes) for key in machine.keys] == [
        ("Owner's key", ()),
        ("Curve", (reason, "given by --trust")),
    ]


# --- one key ----------------------------------------------------------------------------------------------------------


def names(keys: tuple[ListedKey, ...]) -> list[str]:
    return [f"{key.place} {key.name}" for key in keys]


def test_keys_by_place_and_number(signed: SignedSample) -> None:
    report = report_of(signed)
    facts = describe(signed.owner.der)
    assert facts is not None
    assert names(keys_named(report, ".machine")) == [".machine Owner's key"]
    assert names(keys_named(report, "Machine")) == [".machine Owner's key"]
    assert names(keys_named(report, "DB")) == ["db Maker's key"]
    assert names(keys_named(report, ".secondary_trusted_keys")) == []
    both = [".machine Owner's key", "MokListRT Owner's key"]
    with_colons = ":".join(facts.fingerprint[place : place + 2] for place in range(0, 64, 2)).upper()
    for number in (facts.fingerprint[:6], with_colons, f"0x{facts.serial:x}"):
        assert names(keys_named(report, number)) == both


def test_a_key_of_a_file(signed: SignedSample, tmp_path: Path) -> None:
    path = tmp_path / "a.der"
    path.write_bytes(signed.owner.der)
    report = report_of(signed)
    (known,) = keys_named(report, str(path))
    assert (known.name, known.modules, known.source) == ("Owner's key", 1, str(path))
    assert known.notes == ("in .machine, MokListRT",)
    path.write_bytes(signed.stranger.der)
    (unknown,) = keys_named(report, str(path))
    assert (unknown.modules, unknown.notes) == (1, ("in no keyring and no list here",))


@pytest.mark.parametrize(
    ("word", "kind", "text"),
    [
        ("wibble", LkmError, "is no keyring, no number of a key, and no file"),
        ("abcdef", LkmError, "no key here has the number abcdef"),
        ("./gone", Unreadable, "no such file"),
        ("/etc/hostname", Unreadable, "holds no certificate"),
    ],
)
def test_no_key(signed: SignedSample, word: str, kind: type[LkmError], text: str) -> None:
    with pytest.raises(kind, match=text):
        keys_named(report_of(signed), word)
