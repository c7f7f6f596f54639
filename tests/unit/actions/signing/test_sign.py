"""Signing files: what becomes of old signatures, of packed modules, of links; and what goes wrong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tests.support.key_pair import KeyPair

from lkm.actions.session import Session
from lkm.actions.signing import sign_files
from lkm.actions.signing.messages import Made, SigningFailed
from lkm.actions.signing.results import SignedFile, SignOutcome
from lkm.actions.signing.sign import SignReport, SignRequest, carry_out, prepare
from lkm.actions.signing.subjects import Subject
from lkm.actions.signing.treatment import OldSignature, Product, SignJob, treat
from lkm.errors import LkmError, Unreadable, UsageError
from lkm.formats.compression import Compression, compress, decompress
from lkm.formats.module_signature import append, split_all
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.rules.signatures.check import check
from lkm.rules.signatures.policy import SignatureState

MODULE = write(ModuleRecipe(name="some"))


@pytest.fixture
def module(place: Path) -> Path:
    path = place / "some.ko"
    path.write_bytes(MODULE)
    return path


def signed(session: Session, pair: KeyPair, *paths: Path, **wishes: Any) -> SignReport:
    """Sign with a key."""
    words = tuple(map(str, paths))
    request = SignRequest(words=words, key=str(pair.key), certificate=str(pair.certificate), **wishes)
    return carry_out(session, prepare(session, request))


def asked(session: Session, *paths: Path, **wishes: Any) -> SignReport:
    """Do something without a key."""
    request = SignRequest(words=tuple(map(str, paths)), **wishes)
    return carry_out(session, prepare(session, request))


def only(report: SignReport) -> SignedFile:
    (file,) = report.files
    return file


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def is_good(data: bytes, pair: KeyPair) -> bool:
    return check(data, [pair.der], edition=3).state is SignatureState.TRUSTED


# --- signing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", Compression)
def test_a_module_however_it_is_packed(session: Session, pair: KeyPair, module: Path, compression: Compression) -> None:
    module.write_bytes(compress(MODULE, compression))
    module.chmod(0o640)
    file = only(signed(session, pair, module))
    assert (file.outcome, file.digest, file.former, file.target) == (SignOutcome.SIGNED, "sha256", None, str(module))
    data = module.read_bytes()
    assert is_good(decompress(data), pair)
    assert data == compress(decompress(data), compression)
    assert split_all(decompress(data))[0] == len(MODULE)
    assert module.stat().st_mode & 0o777 == 0o640
    assert names(module.parent) == ["some.ko"]


def test_hash_and_name(session: Session, pair: KeyPair, module: Path) -> None:
    file = only(signed(session, pair, module, hash="sha3-512", by_key_id=True))
    assert (file.digest, file.reason) == ("sha3-512", "as --hash says")
    assert is_good(module.read_bytes(), pair)
    assert signed(session, pair, module, hash="sha3-512", by_key_id=True).files[0].outcome is SignOutcome.ALREADY
    assert only(signed(session, pair, module, hash="sha3-512")).outcome is SignOutcome.REPLACED


@pytest.mark.parametrize(("kernel", "told"), [("5.10.0-1", 1), ("6.1.0", 1), ("6.12.0", 0), ("odd", 0), ("", 0)])
def test_a_hash_that_the_kernel_does_not_know(
    session: Session, pair: KeyPair, module: Path, kernel: str, told: int
) -> None:
    module.write_bytes(write(ModuleRecipe(name="some", modinfo=(("vermagic", f"{kernel} SMP"),) if kernel else ())))
    file = only(signed(session, pair, module, hash="sha3-256"))
    assert (file.outcome, len(file.notes)) == (SignOutcome.SIGNED, told)
    assert all(f"kernel {kernel} can't verify this" in note for note in file.notes)
    assert only(signed(session, pair, module, hash="sha512")).notes == ()


def test_curves_that_the_kernel_does_not_know(session: Session, other_pair: KeyPair, module: Path) -> None:
    module.write_bytes(write(ModuleRecipe(name="some", modinfo=(("vermagic", "5.10.0 SMP"),))))
    assert "kernel 5.10.0 can't verify" in only(signed(session, other_pair, module)).notes[0]


def test_one_s_own_signature_stays_and_a_bad_one_is_replaced(session: Session, pair: KeyPair, module: Path) -> None:
    signed(session, pair, module)
    good, status = module.read_bytes(), module.stat()
    assert only(signed(session, pair, module)).outcome is SignOutcome.ALREADY
    assert module.stat() == status
    changed = write(ModuleRecipe(name="another"))
    module.write_bytes(changed + good[len(MODULE) :])
    file = only(signed(session, pair, module))
    assert (file.outcome, file.former) == (SignOutcome.REPLACED, "Own key")
    assert split_all(module.read_bytes())[0] == len(changed)
    assert is_good(module.read_bytes(), pair)


def test_what_calling_sign_file_again_left(session: Session, pair: KeyPair, module: Path) -> None:
    signed(session, pair, module)
    good = module.read_bytes()
    module.write_bytes(good + good[len(MODULE) :])
    assert only(signed(session, pair, module)).outcome is SignOutcome.REPLACED
    assert module.read_bytes() == good


def test_somebody_elses_signature(session: Session, pair: KeyPair, other_pair: KeyPair, module: Path) -> None:
    signed(session, other_pair, module)
    theirs = module.read_bytes()
    file = only(signed(session, pair, module))
    assert (file.outcome, module.read_bytes()) == (SignOutcome.FAILED, theirs)
    assert file.error is not None
    assert (file.error.what, "--replace" in str(file.error.hint)) == ("has a signature already, by Other key", True)
    file = only(signed(session, pair, module, old=OldSignature.ADD))
    assert (file.outcome, len(split_all(module.read_bytes())[1])) == (SignOutcome.ADDED, 2)
    assert module.read_bytes().startswith(theirs)
    assert only(signed(session, pair, module, old=OldSignature.ADD)).outcome is SignOutcome.ALREADY
    assert only(signed(session, pair, module)).outcome is SignOutcome.ALREADY
    file = only(signed(session, pair, module, old=OldSignature.REPLACE))
    assert (file.outcome, len(split_all(module.read_bytes())[1])) == (SignOutcome.REPLACED, 1)
    assert only(signed(session, pair, module, old=OldSignature.REPLACE)).outcome is SignOutcome.ALREADY


def test_in_a_tree_it_is_no_failure(
    session: Session, pair: KeyPair, other_pair: KeyPair, module: Path, place: Path
) -> None:
    signed(session, other_pair, module)
    (place / "sub").mkdir()
    (place / "sub/new.ko").write_bytes(MODULE)
    (place / "bad.ko").write_bytes(b"bad")
    report = signed(session, pair, tree=str(place))
    assert {Path(file.path).name: file.outcome for file in report.files} == {
        "some.ko": SignOutcome.KEPT,
        "new.ko": SignOutcome.SIGNED,
        "bad.ko": SignOutcome.FAILED,
    }
    assert [error.where for error in report.errors] == [f"{place}/bad.ko"]


def test_a_signature_outside_of_the_packed_module(session: Session, pair: KeyPair, module: Path) -> None:
    module.write_bytes(append(compress(MODULE, Compression.XZ), b"signature"))
    file = only(signed(session, pair, module))
    assert (file.outcome, len(file.notes)) == (SignOutcome.SIGNED, 1)
    assert is_good(decompress(module.read_bytes()), pair)
    assert not module.read_bytes().endswith(b"~\n")


def test_links(session: Session, pair: KeyPair, module: Path, place: Path) -> None:
    (place / "link.ko").symlink_to("some.ko")
    os.link(module, place / "hard.ko")
    file = only(signed(session, pair, place / "link.ko"))
    assert (place / "link.ko").is_symlink()
    assert is_good(module.read_bytes(), pair)
    assert (place / "hard.ko").read_bytes() == MODULE
    assert "1 more hard links" in file.notes[0]


def test_dry_run(session: Session, pair: KeyPair, module: Path, place: Path) -> None:
    before = module.stat()
    assert only(signed(session, pair, module, dry_run=True)).outcome is SignOutcome.SIGNED
    assert only(signed(session, pair, module, dry_run=True, product=Product.MESSAGE)).outcome is SignOutcome.WRITTEN
    assert only(signed(session, pair, module, dry_run=True, output=f"{place}/out")).target == f"{place}/out/some.ko"
    assert (module.stat(), names(place)) == (before, ["some.ko"])


def test_output(session: Session, pair: KeyPair, other_pair: KeyPair, module: Path, place: Path) -> None:
    (place / "in/sub").mkdir(parents=True)
    (place / "in/sub/other.ko").write_bytes(MODULE)
    module.rename(place / "in/some.ko")
    signed(session, other_pair, place / "in/some.ko")
    report = signed(session, pair, tree=f"{place}/in", output=f"{place}/out")
    assert [file.outcome for file in report.files] == [SignOutcome.KEPT, SignOutcome.SIGNED]
    assert (place / "out/some.ko").read_bytes() == (place / "in/some.ko").read_bytes()
    assert is_good((place / "out/sub/other.ko").read_bytes(), pair)
    assert (place / "in/sub/other.ko").read_bytes() == MODULE


def test_two_files_for_one_place(session: Session, pair: KeyPair, module: Path, place: Path) -> None:
    (place / "sub").mkdir()
    (place / "sub/some.ko").write_bytes(MODULE)
    with pytest.raises(UsageError, match="the same name"):
        signed(session, pair, module, place / "sub/some.ko", output=f"{place}/out")
    assert not (place / "out").exists()


# --- stripping --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", Compression)
def test_strip(session: Session, module: Path, compression: Compression) -> None:
    module.write_bytes(compress(append(append(MODULE, b"one"), b"two"), compression))
    assert only(asked(session, module, strip=True)).outcome is SignOutcome.STRIPPED
    assert decompress(module.read_bytes()) == MODULE
    assert only(asked(session, module, strip=True)).outcome is SignOutcome.UNSIGNED


def test_strip_what_stands_outside(session: Session, module: Path) -> None:
    module.write_bytes(append(compress(MODULE, Compression.GZIP), b"signature"))
    assert only(asked(session, module, strip=True)).outcome is SignOutcome.STRIPPED
    assert module.read_bytes() == compress(MODULE, Compression.GZIP)


def test_a_length_that_lies_costs_nothing_of_the_module(session: Session, module: Path) -> None:
    lying = append(MODULE, b"")[:-32] + (100).to_bytes(4) + append(b"", b"")[-28:]
    module.write_bytes(lying)
    assert only(asked(session, module, strip=True)).outcome is SignOutcome.FAILED
    assert module.read_bytes() == lying


# --- offline signers --------------------------------------------------------------------------------------------------


def test_detached_and_attached(session: Session, pair: KeyPair, module: Path, place: Path) -> None:
    file = only(signed(session, pair, module, product=Product.MESSAGE))
    assert (file.outcome, file.target) == (SignOutcome.WRITTEN, f"{module}.p7s")
    assert module.read_bytes() == MODULE
    for attach in (f"{module}.p7s", str(place)):
        module.write_bytes(MODULE)
        file = only(asked(session, module, attach=attach, certificate=str(pair.certificate)))
        assert (file.outcome, file.notes, file.reason) == (SignOutcome.SIGNED, (), "as the message has it")
        assert is_good(module.read_bytes(), pair)
    assert only(asked(session, module, attach=str(place), old=OldSignature.REPLACE)).outcome is SignOutcome.ALREADY
    module.write_bytes(MODULE)
    file = only(asked(session, module, attach=f"{module}.p7s"))
    assert (file.outcome, len(file.notes)) == (SignOutcome.SIGNED, 1)  # it was not held against a certificate


def test_a_tree_of_detached_signatures(session: Session, pair: KeyPair, module: Path, place: Path) -> None:
    (place / "sub").mkdir()
    (place / "sub/other.ko.xz").write_bytes(compress(MODULE, Compression.XZ))
    out = place.parent / "signatures"
    signed(session, pair, tree=str(place), product=Product.MESSAGE, output=str(out))
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.p7s")) == ["some.ko.p7s", "sub/other.ko.xz.p7s"]
    report = asked(session, tree=str(place), attach=str(out), certificate=str(pair.certificate))
    assert [file.outcome for file in report.files] == [SignOutcome.SIGNED] * 2
    assert is_good(module.read_bytes(), pair)


def test_messages_that_do_not_belong(
    session: Session, pair: KeyPair, other_pair: KeyPair, module: Path, place: Path
) -> None:
    (place / "another.ko").write_bytes(write(ModuleRecipe(name="another")))
    signed(session, pair, place / "another.ko", product=Product.MESSAGE)
    message = f"{place}/another.ko.p7s"
    file = only(asked(session, module, attach=message, certificate=str(pair.certificate)))
    assert "not the signature of this module" in str(file.error)
    file = only(asked(session, place / "another.ko", attach=message, certificate=str(other_pair.certificate)))
    assert "is not Other key's signature, but Own key's" in str(file.error)
    assert module.read_bytes() == MODULE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"no message", "no CMS message"),
        (b"-----BEGIN CMS-----\n!!!\n-----END CMS-----\n", "PEM that can't be read"),
        (b"-----BEGIN CMS-----", "no CMS message"),
        (b"\x30\x80" * 500, "no CMS message"),
    ],
)
def test_what_is_no_message(session: Session, module: Path, data: bytes, reason: str) -> None:
    Path(f"{module}.p7s").write_bytes(data)
    file = only(asked(session, module, attach=f"{module}.p7s"))
    assert isinstance(file.error, Unreadable)
    assert reason in str(file.error)
    assert file.error.where == f"{module}.p7s"


def test_no_message(session: Session, module: Path, place: Path) -> None:
    file = only(asked(session, module, attach=str(place)))
    assert (str(file.error), module.read_bytes()) == (f"{module}.p7s: no such file or directory", MODULE)


def test_a_raw_signature(session: Session, pair: KeyPair, module: Path, place: Path) -> None:
    module.write_bytes(compress(append(MODULE, b"old signature"), Compression.ZSTD))
    file = only(asked(session, module, product=Product.CONTENT))
    assert (file.target, Path(f"{module}.data").read_bytes()) == (f"{module}.data", MODULE)
    assert isinstance(pair.private, rsa.RSAPrivateKey)
    Path(f"{module}.sig").write_bytes(pair.private.sign(MODULE, padding.PKCS1v15(), hashes.SHA256()))
    wishes: dict[str, Any] = {
        "raw_signature": str(place),
        "certificate": str(pair.certificate),
        "old": OldSignature.REPLACE,
    }
    assert "not the signature" in str(only(asked(session, module, hash="sha512", **wishes)).error)
    assert only(asked(session, module, **wishes)).outcome is SignOutcome.REPLACED
    data = decompress(module.read_bytes())
    assert is_good(data, pair)
    module.write_bytes(MODULE)
    signed(session, pair, module)
    assert module.read_bytes() == data


# --- words that contradict each other ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({}, "no module is named"),
        ({"words": ("a.ko",)}, "no key is named"),
        ({"words": ("a.ko",), "tree": "x"}, "either modules or --tree"),
        ({"words": ("a.ko",), "strip": True, "key": "k"}, "a key has no use"),
        ({"words": ("a.ko",), "strip": True, "old": OldSignature.ADD}, "takes all signatures away"),
        ({"words": ("a.ko",), "attach": "a", "hash": "sha256"}, "tells its hash itself"),
        ({"words": ("a.ko",), "raw_signature": "a"}, "does not tell whose it is"),
        ({"words": ("a.ko",), "strip": True, "output": ""}, "names no file"),
        ({"words": ("a.ko",), "strip": True, "hash": "md5"}, "no kernel verifies"),
    ],
)
def test_wishes_that_make_no_sense(session: Session, wishes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        prepare(session, SignRequest(**wishes))


def test_one_message_for_several_modules(session: Session, module: Path, place: Path) -> None:
    (place / "other.ko").write_bytes(MODULE)
    with pytest.raises(UsageError, match="no directory, and there are 2 modules"):
        asked(session, module, place / "other.ko", attach=f"{module}.p7s")


# --- many -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(place: Path) -> list[Path]:
    paths = [place / f"m{number}.ko" for number in range(40)]
    for number, path in enumerate(paths):
        path.write_bytes(write(ModuleRecipe(name=f"m{number}")))
    return paths


def test_in_several_processes(
    session: Session, pair: KeyPair, many: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lkm.system.shared_out.processors", lambda: 2)
    many[7].write_bytes(b"bad")
    done: list[int] = []
    plan = prepare(session, SignRequest(tuple(map(str, many)), key=str(pair.key), certificate=str(pair.certificate)))
    report = carry_out(session, plan, done.append)
    assert sum(done) == 40
    assert [file.path for file in report.files] == [str(path) for path in many]
    assert [file.outcome for file in report.files].count(SignOutcome.SIGNED) == 39
    assert report.files[7].error is not None
    assert all(is_good(path.read_bytes(), pair) for path in many if path != many[7])


def test_a_key_that_fails_ends_all(
    session: Session, pair: KeyPair, many: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lkm.system.shared_out.processors", lambda: 1)
    calls: list[object] = []

    def fail(*words: object) -> None:
        calls.append(words)
        raise SigningFailed(LkmError("the token is gone"))

    monkeypatch.setattr(sign_files, "treat", fail)
    report = signed(session, pair, *many)
    assert len(calls) == 1  # a token locks itself after some wrong attempts
    assert sorted({error.what for error in report.errors}) == ["the token is gone", "was not reached"]


def test_a_mistake_is_no_harm_to_the_rest(
    session: Session, pair: KeyPair, many: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(subject: Subject, job: SignJob) -> object:
        if "m3.ko" in str(subject):
            raise ZeroDivisionError("oops")
        return treat(subject, job)

    monkeypatch.setattr(sign_files, "treat", odd)
    report = signed(session, pair, *many)
    (error,) = report.errors
    assert (error.what, error.where) == ("internal error: ZeroDivisionError: oops", str(many[3]))


def test_a_process_that_is_killed(
    session: Session, pair: KeyPair, many: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lkm.system.shared_out.processors", lambda: 2)
    own = os.getpid()

    def deadly(subject: Subject, job: SignJob) -> object:
        if "m3.ko" in str(subject) and os.getpid() != own:
            os.kill(os.getpid(), signal.SIGKILL)
        return treat(subject, job)

    monkeypatch.setattr(sign_files, "treat", deadly)
    report = signed(session, pair, *many)
    assert report.files[3].error is not None
    assert "the process that was to do it ended" in str(report.files[3].error)
    for path, file in zip(many, report.files, strict=True):
        assert is_good(path.read_bytes(), pair) == (file.outcome is SignOutcome.SIGNED)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ended_at_any_time(pair: KeyPair, place: Path, number: signal.Signals) -> None:
    contents = {place / f"m{count}.ko": write(ModuleRecipe(name=f"m{count}")) for count in range(400)}
    for path, data in contents.items():
        path.write_bytes(data)
    words = ["sign", "--key", str(pair.key), "--certificate", str(pair.certificate), "--tree", str(place)]
    process = subprocess.Popen([sys.executable, "-m", "lkm", *words], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 20
    while all(path.stat().st_size == len(data) for path, data in contents.items()) and time.monotonic() < end:
        time.sleep(0.002)
    process.send_signal(number)
    _, error = process.communicate(timeout=20)
    deadline = time.monotonic() + 10  # those that it started find out by themselves
    while any(path.suffix != ".ko" for path in place.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert sorted(place.iterdir()) == sorted(contents)
    assert "Traceback" not in error
    for path, data in contents.items():
        found = path.read_bytes()
        assert found == data or is_good(found, pair)


def test_a_token_is_asked_by_one_process_at_a_time(
    session: Session, pair: KeyPair, many: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lkm.system.shared_out.processors", lambda: 2)
    own = os.getpid()

    def here(subject: Subject, job: SignJob) -> object:
        assert os.getpid() == own
        return treat(subject, job)

    monkeypatch.setattr(sign_files, "treat", here)
    monkeypatch.setattr(Made, "is_shared", False)
    assert signed(session, pair, *many).errors == ()
