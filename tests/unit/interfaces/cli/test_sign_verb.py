"""sign: as text and as JSON."""

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.key_pair import KeyPair, make_key_pair
from tests.support.require import require_tool
from tests.support.schema import check_schema

from lkm.actions.sample_tree import RELEASE
from lkm.formats.module_signature import append, split
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.interfaces.cli import sign_verb

Lkm = Callable[..., Any]

MODULE = write(ModuleRecipe(name="some", modinfo=(("vermagic", f"{RELEASE} SMP mod_unload "),)))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return make_key_pair(tmp_path_factory.mktemp("pair"), "Own key", "p256")


@pytest.fixture
def sign(on_sample: Lkm, own_sample: Path, pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    """Run ``lkm sign`` with a key on a copy of the sample tree, in a directory with one module."""
    config = own_sample / f"boot/config-{RELEASE}"
    config.write_text(f'{config.read_text()}CONFIG_MODULE_SIG_HASH="sha384"\n')
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    place = own_sample.parent / "place"
    place.mkdir()
    (place / "some.ko").write_bytes(MODULE)
    monkeypatch.chdir(place)
    return lambda *words: on_sample("sign", "--key", str(pair.key), "--certificate", str(pair.certificate), *words)


def test_a_file(sign: Lkm, pair: KeyPair, own_sample: Path) -> None:
    outcome = sign("some.ko")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "some.ko: signed with sha384",
        f"certificate: Own key (serial {pair.loaded.serial_number:x})",
        f"hash: sha384, as CONFIG_MODULE_SIG_HASH of kernel {RELEASE} says ({own_sample}/boot/config-{RELEASE})",
        "does a kernel take it? lkm verify some.ko",
    ]
    again = sign("some.ko", "--hash", "sha384")
    assert again.out.splitlines()[0] == "some.ko: has this signature already"
    assert "does a kernel" not in again.out
    assert "with sha256 (was signed by Own key)" in sign("some.ko", "--hash", "sha256").out


def test_a_file_that_somebody_else_signed(sign: Lkm) -> None:
    Path("some.ko").write_bytes(append(MODULE, b"whatever"))
    outcome = sign("some.ko")
    assert outcome.status == 1
    assert "some.ko: has a signature already, by somebody unknown\n  hint: --replace puts" in outcome.err
    assert sign("some.ko", "--add").out.startswith("some.ko: signed over an old signature with sha384")
    assert sign("some.ko", "--replace").out.startswith("some.ko: signed anew with sha384")


def test_a_tree(sign: Lkm, own_sample: Path) -> None:
    outcome = sign("--tree")
    last = outcome.out.splitlines()
    assert (outcome.status, outcome.err) == (0, "")
    assert any("left with somebody else's signature" in line for line in last)
    assert not any(line.startswith("usr/") for line in last)
    outcome = sign("--tree", "--replace", "-v")
    assert outcome.status == 0
    assert f"{own_sample}/usr/lib/modules/{RELEASE}/kernel/fs/fat/vfat.ko: signed anew with sha384" in outcome.out
    assert outcome.out.splitlines()[-1] == "does a kernel take it? lkm verify --tree"


def test_the_next_command_names_what_was_signed(sign: Lkm) -> None:
    for number in range(5):
        Path(f"some{number}.ko").write_bytes(MODULE)
    Path("-n.ko").write_bytes(MODULE)
    assert sign("--", "-n.ko").out.splitlines()[-1] == "does a kernel take it? lkm verify ./-n.ko"
    out = sign(*(f"some{number}.ko" for number in range(5))).out
    assert out.splitlines()[-1] == f"does a kernel take it? lkm verify --tree {Path.cwd()}"
    Path("deep").mkdir()
    for number in range(5):
        Path(f"deep/some{number}.ko").write_bytes(MODULE)
    out = sign(*(f"deep/some{number}.ko" for number in range(5))).out
    assert out.splitlines()[-1] == "does a kernel take it? lkm verify --tree deep"


def test_a_dry_run_looks_at_the_signature_that_is_brought(on_sample: Lkm, sign: Lkm, pair: KeyPair) -> None:
    sign("--detached", "some.ko")
    Path("some.ko.p7s").rename("message")
    words = ("sign", "-n", "--attach", "message", "--certificate", str(pair.certificate))
    good = on_sample(*words, "some.ko")
    assert (good.status, good.out.splitlines()[0]) == (0, "some.ko: would be signed with sha384")
    assert "hash: sha384, as the message has it" in good.out
    Path("other.ko").write_bytes(write(ModuleRecipe(name="other")))
    other = on_sample(*words, "other.ko")
    assert other.status == 2
    assert "message: is not the signature of this module by this certificate's key" in other.err
    assert sorted(os.listdir()) == ["message", "other.ko", "some.ko"]  # noqa: PTH208  the working directory


def test_an_output_that_can_not_be(sign: Lkm) -> None:
    outcome = sign("some.ko", "--output", "some.ko")
    assert (outcome.status, outcome.err.splitlines()[0]) == (2, "lkm: some.ko: is no directory")
    outcome = sign("some.ko", "--output", "/proc/none/there")
    assert outcome.status == 1
    assert outcome.err.startswith("lkm: /proc/none/there: can't be made: no such file or directory\n  hint: ")


def test_as_json(sign: Lkm, pair: KeyPair) -> None:
    Path("bad.ko").write_bytes(b"bad")
    outcome = sign("--json", "some.ko", "bad.ko", "nosuch")
    answer = json.loads(outcome.out)
    check_schema(answer, "sign")
    assert outcome.status == 2
    assert [(Path(file["file"]).name, file["outcome"]) for file in answer["files"]] == [
        ("some.ko", "signed"),
        ("bad.ko", "failed"),
    ]
    assert (answer["counts"]["signed"], answer["certificate"]["name"]) == (1, "Own key")
    assert [error["type"] for error in answer["not_found"]] == ["ModuleNotFound"]
    answer = json.loads(sign("--json", "--detached", "--dry-run", "some.ko").out)
    check_schema(answer, "sign")
    assert (answer["dry_run"], answer["files"][0]["written"]) == (True, f"{Path.cwd()}/some.ko.p7s")


def test_wrong_calls_as_json(sign: Lkm, on_sample: Lkm) -> None:
    for words in (["--json"], ["--json", "some.ko", "--replace", "--add"]):
        outcome = sign(*words)
        check_schema(json.loads(outcome.out), "sign")
        assert outcome.status == 2
    assert on_sample("sign", "some.ko").err.startswith("lkm: no key is named\n  hint: ")


def test_strip(sign: Lkm, on_sample: Lkm) -> None:
    sign("some.ko")
    outcome = on_sample("sign", "--strip", "-n", "some.ko")
    assert outcome.out == "some.ko: would be stripped of its signature by Own key\n"
    assert on_sample("sign", "--strip", "some.ko").out == "some.ko: stripped of its signature by Own key\n"
    assert Path("some.ko").read_bytes() == MODULE
    assert on_sample("sign", "--strip", "some.ko").out == "some.ko: has no signature\n"


def test_offline(sign: Lkm, on_sample: Lkm, pair: KeyPair) -> None:
    assert on_sample("sign", "--raw-data", "some.ko").out.startswith("some.ko: written to some.ko.data\nhash: sha384")
    assert "some.ko: written to some.ko.p7s" in sign("--detached", "some.ko").out
    outcome = on_sample("sign", "--attach", "some.ko.p7s", "some.ko")
    assert "note: the signature was not held against the module" in outcome.out
    assert split(Path("some.ko").read_bytes())[0] == len(MODULE)
    assert on_sample("sign", "--attach", "some.ko.data", "some.ko", "--replace").status == 2


def test_a_signature_by_a_pipe(sign: Lkm, on_sample: Lkm, pair: KeyPair) -> None:
    sign("--detached", "some.ko")
    read, write_end = os.pipe()
    os.write(write_end, Path("some.ko.p7s").read_bytes())
    os.close(write_end)
    words = ("--attach", f"/dev/fd/{read}", "--certificate", str(pair.certificate))
    assert on_sample("sign", *words, "some.ko").out.startswith("some.ko: signed with sha384\n")
    os.close(read)


def test_the_way_by_an_offline_signer_can_be_pasted(sign: Lkm, on_sample: Lkm, pair: KeyPair) -> None:
    Path("some.ko").rename("some one's.ko")
    Path("some one's.ko").write_bytes(append(MODULE, b"whatever"))
    elsewhere, then = on_sample("sign", "--raw-data", "some one's.ko").out.splitlines()[-2:]
    words = [str(pair.key) if word == "KEY" else word for word in shlex.split(elsewhere.partition(": ")[2])]
    subprocess.run([require_tool(words[0]), *words[1:]], check=True)
    words = [str(pair.certificate) if word == "CERT" else word for word in shlex.split(then.partition(": ")[2])]
    assert on_sample(*words[1:]).out.startswith(
        "some one's.ko: signed anew with sha384 (was signed by somebody unknown"
    )
    attach = sign("--detached", "some one's.ko").out.splitlines()[-1]
    assert (
        attach == """to put it to the module: lkm sign --attach 'some one'"'"'s.ko.p7s' --replace 'some one'"'"'s.ko'"""
    )


def test_the_initramfs_that_holds_old_copies(sign: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str | None, list[str]]] = []

    def drift(session: Any, modules: list[str]) -> Any:
        from lkm.actions.initramfs_drift import Drift  # noqa: PLC0415  it is replaced here

        asked.append((session.target.release, modules))
        return Drift(RELEASE, "/boot/initrd.img", holds=("vfat",), rebuild="update-initramfs -u")

    monkeypatch.setattr("lkm.actions.initramfs_drift.drift", drift)
    outcome = sign("vfat", "some.ko", "--replace")
    assert asked == [(RELEASE, ["vfat"])]
    assert "/boot/initrd.img holds vfat as before: early boot loads that\nbuild it anew: sudo update-in" in outcome.out
    answer = json.loads(sign("--json", "vfat", "--hash", "sha512").out)
    check_schema(answer, "sign")
    assert answer["initramfs"][0]["holds"] == ["vfat"]
    assert len(asked) == 2
    sign("vfat", "-n", "--hash", "sha256")
    sign("vfat", "--output", "out", "--replace")
    assert len(asked) == 2  # nothing that a kernel loads was changed


def test_failures_without_end(sign: Lkm) -> None:
    for number in range(40):
        Path(f"bad{number}.ko").write_bytes(b"bad")
    outcome = sign("--tree", ".")
    assert outcome.status == 2
    assert outcome.err.count("is no kernel module") == 25
    assert outcome.err.endswith("lkm: and 15 more failures (--json names all)\n")
    assert "41 modules: 1 signed, 40 failed" in outcome.out


def test_an_interruption_tells_how_far_it_came(sign: Lkm, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*words: Any) -> None:
        words[-1](0)
        raise KeyboardInterrupt

    monkeypatch.setattr("lkm.actions.signing.sign.carry_out", interrupted)
    outcome = sign("some.ko")
    assert outcome.status == 130
    assert "interrupted: at least 0 of 1 modules are done, and each file is whole" in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ["\x1b[31m.ko"],
        ["a\0b.ko"],
        ["x" * 5000 + ".ko"],
        ["\udcff.ko"],
        ["--tree", "\udcff"],
        ["--tree", "a\0b"],
        ["--attach", "\0", "some.ko"],
        ["some.ko", "--output", "some.ko"],
        ["some.ko", "--output", "\0"],
        ["some.ko", "--hash", "\x1b[31m"],
        ["some.ko", "--pass-phrase-env", "NO_SUCH_NAME", "--key", "none"],
    ],
)
def test_words_that_make_no_sense(sign: Lkm, words: list[str]) -> None:
    outcome = sign(*words)
    assert outcome.status in {1, 2}
    assert "internal error" not in outcome.err
    assert "\x1b" not in outcome.out + outcome.err
    assert Path("some.ko").read_bytes() == MODULE
    assert os.listdir() == ["some.ko"]  # noqa: PTH208  the working directory


def test_help_names_every_option(sign: Lkm, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = sign("--help")
    assert outcome.status == 0
    assert sign_verb.__doc__ is not None
    for option in ("--strip", "--attach", "--detached", "--raw-data", "--replace", "--pass-phrase-env"):
        assert option in outcome.out
