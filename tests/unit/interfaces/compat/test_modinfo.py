"""modinfo."""

import os
import struct
from pathlib import Path

import pytest
from tests.support.front_ends import Run

from lkm.actions.sample_tree import RELEASE, VERMAGIC
from lkm.formats.compression import Compression, compress
from lkm.formats.elf.reader import Elf
from lkm.formats.module_signature import MARKER
from lkm.system import side_by_side

TREE = f"lib/modules/{RELEASE}"


def body(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(("sig", "\t"))]


def test_a_module_is_shown_in_the_files_order(run: Run, sample: Path) -> None:
    outcome = run("modinfo", "vfat")
    assert (outcome.status, outcome.errors) == (0, [])
    assert body(outcome.output) == [
        f"filename:       {sample}/{TREE}/kernel/fs/fat/vfat.ko",
        "alias:          fs-vfat",
        "description:    VFAT file systems: FAT with long names",
        "license:        GPL",
        "depends:        fat",
        "retpoline:      Y",
        "intree:         Y",
        "name:           vfat",
        f"vermagic:       {VERMAGIC}",
    ]


def test_the_signature_comes_after_the_fields(run: Run) -> None:
    lines = run("modinfo", "fat").output.splitlines()
    first = lines.index("sig_id:         PKCS#7")
    assert lines[first + 1] == "signer:         Sample kernel build key"
    assert lines[first + 2].startswith("sig_key:        ")
    assert lines[first + 3] == "sig_hashalgo:   sha256"
    assert lines[first + 4].startswith("signature:      30:4")
    assert len(lines[first + 4]) == 16 + 60  # 20 bytes, each with its colon
    assert all(line.startswith("\t\t") for line in lines[first + 5 :])


def test_signatures_of_one_signer_keep_their_own_bytes(run: Run) -> None:
    both = run("modinfo", "-F", "signature", "fat", "vfat").output
    assert both == run("modinfo", "-F", "signature", "fat").output + run("modinfo", "-F", "signature", "vfat").output
    assert len(set(both.split("\n\t\t"))) > 4


def test_parameters(run: Run) -> None:
    assert run("modinfo", "-p", "dummy").output == (
        "label:Name of the first device (charp)\nnumdummies:Number of devices to make (int)\n"
    )


@pytest.mark.parametrize("word", ["vfat", "fs-vfat", "symbol:fat_attach"])
def test_names_aliases_and_symbols_are_found(run: Run, word: str) -> None:
    assert run("modinfo", "-n", word).output.endswith("fat.ko\n")


def test_a_built_in_says_what_the_tree_knows(run: Run) -> None:
    assert run("modinfo", "unix").output == (
        "name:           unix\nfilename:       (builtin)\nlicense:        GPL\nfile:           net/unix/unix\n"
    )
    assert run("modinfo", "-F", "name", "unix").output == "unix\n"


def test_modname_takes_names_only(run: Run) -> None:
    assert run("modinfo", "-m", "-l", "vfat.ko", "unix").output == "GPL\nGPL\n"
    outcome = run("modinfo", "--modname", "fs-vfat")
    assert outcome.errors == ["modinfo: ERROR: Module name fs-vfat not found."]


def test_a_file_is_shown_with_its_path_made_absolute(run: Run, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sample)
    assert run("modinfo", "-n", "./home/you/hello.ko").output == f"{sample}/./home/you/hello.ko\n"
    assert run("modinfo", "-l", "home/you/hello.ko").output == "GPL\n"


@pytest.mark.parametrize("kind", [Compression.GZIP, Compression.XZ, Compression.ZSTD])
def test_compressed_files_are_unpacked(run: Run, sample: Path, tmp_path: Path, kind: Compression) -> None:
    name = {Compression.GZIP: "a.ko.gz", Compression.XZ: "a.ko.xz", Compression.ZSTD: "a.ko.zst"}[kind]
    packed = compress((sample / TREE / "kernel/fs/fat/fat.ko").read_bytes(), kind)
    (tmp_path / name).write_bytes(packed)
    lines = run("modinfo", str(tmp_path / name)).output.splitlines()
    assert lines[1:] == run("modinfo", "fat").output.splitlines()[1:]
    (tmp_path / name).write_bytes(packed[: len(packed) // 2])
    outcome = run("modinfo", str(tmp_path / name))
    assert outcome.output == f"filename:       {tmp_path / name}\n"
    assert outcome.errors == ["modinfo: ERROR: could not get modinfo from 'a': Invalid argument"]


@pytest.mark.parametrize(
    ("contents", "text"),
    [
        (b"", "Invalid argument"),
        (b"short", "Invalid argument"),
        (b"hello, world\n" * 9, "Exec format error"),
        (b"\x7fELF" + bytes(96), "Invalid argument"),
    ],
)
def test_what_is_no_module_has_kmods_errno(run: Run, tmp_path: Path, contents: bytes, text: str) -> None:
    path = tmp_path / "some-module.ko"
    path.write_bytes(contents)
    outcome = run("modinfo", str(path))
    assert outcome.status == 1
    assert outcome.output == f"filename:       {path}\n"
    assert outcome.errors == [f"modinfo: ERROR: could not get modinfo from 'some_module': {text}"]


@pytest.mark.parametrize(
    "trailer",
    [
        b"",
        bytes(12),
        bytes((2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9)),
        bytes((0, 9, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9)),
        bytes((0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 9)),
        bytes((0, 0, 2, 0, 0, 0, 0, 0, 255, 255, 255, 255)),
        b"no CMS message" + bytes((0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 14)),
    ],
)
def test_a_damaged_signature_is_not_shown(run: Run, sample: Path, tmp_path: Path, trailer: bytes) -> None:
    path = tmp_path / "hello.ko"
    path.write_bytes((sample / "home/you/hello.ko").read_bytes() + trailer + MARKER)
    outcome = run("modinfo", str(path))
    assert outcome.status == 0
    assert "sig_id" not in outcome.output


def test_a_signature_of_old_kernels(run: Run, sample: Path, tmp_path: Path) -> None:
    path = tmp_path / "hello.ko"
    trailer = bytes((1, 4, 1, 6, 3, 0, 0, 0, 0, 0, 0, 2))
    path.write_bytes((sample / "home/you/hello.ko").read_bytes() + b"Me\0you\1\2\3\xaa\xbb" + trailer + MARKER)
    assert run("modinfo", str(path)).output.splitlines()[-5:] == [
        "sig_id:         X509",
        "signer:         Me",
        "sig_key:        01:02:03",
        "sig_hashalgo:   sha256",
        "signature:      AA:BB",
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "modinfo: ERROR: missing module or filename."),
        (["-x"], "modinfo: invalid option -- 'x'"),
        ([""], "modinfo: ERROR: Module  not found."),
        (["../x"], "modinfo: ERROR: Module ../x not found."),
        (["[x"], "modinfo: ERROR: Module alias [x not found."),
        (["a\0b.ko"], r"modinfo: ERROR: Module a\x00b.ko not found."),
        (["y" * 10_000], f"modinfo: ERROR: Module {'y' * 10_000} not found."),
        (["-m", ""], "modinfo: ERROR: Module name  not found."),
    ],
)
def test_calls_that_name_nothing(run: Run, arguments: list[str], error: str) -> None:
    outcome = run("modinfo", *arguments)
    assert (outcome.status, outcome.output, outcome.errors) == (1, "", [error])


def test_it_goes_on_after_what_is_not_found(run: Run) -> None:
    outcome = run("modinfo", "-n", "vfatt", "vfat")
    assert outcome.status == 1
    assert outcome.output.endswith("/vfat.ko\n")
    assert outcome.hints == ["did you mean vfat or fat?"]


def test_another_tree_can_be_chosen(run: Run, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LKM_RELEASE")
    monkeypatch.setenv("LKM_ROOT", "/nonexistent")
    outcome = run("modinfo", "-b", f"{sample}/", "-k", RELEASE, "-n", "vfat")
    assert outcome.output == f"{sample}//lib/modules/{RELEASE}/kernel/fs/fat/vfat.ko\n"
    monkeypatch.chdir(sample.parent)
    outcome = run("modinfo", "-b", sample.name, "-n", "vfat")  # the only tree there
    assert outcome.output == f"{sample}/lib/modules/{RELEASE}/kernel/fs/fat/vfat.ko\n"
    outcome = run("modinfo", "-b", str(sample), "-k", "7.0", "vfat")
    assert outcome.errors == ["modinfo: ERROR: Module vfat not found."]
    assert outcome.hints[1] == f"trees here: {RELEASE} (-k)"


def test_version_and_help(run: Run) -> None:
    assert run("modinfo", "--vers").output.startswith("kmod version 30 ")
    assert run("modinfo", "-h", "-x").status == 0


@pytest.mark.parametrize("arguments", [[], ["-0"], ["-F", "signer"], ["-p"], ["-n"]], ids=" ".join)
def test_many_words_are_shown_in_order_whoever_reads_them(
    run: Run, sample: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """With so many words other processes help; what they can't show, as it needs a message, is shown in its place."""
    files = [str(path) for path in sorted((sample / TREE / "kernel").rglob("*.ko"))]
    words = [*files, "vfat", "unix", "fs-vfat", "dummy"] * 40 + ["nosuch", *files] * 30
    monkeypatch.setattr(side_by_side, "processors", lambda: 3)
    together = run("modinfo", *arguments, *words)
    assert together.errors.count("modinfo: ERROR: Module nosuch not found.") == 30
    monkeypatch.setattr(side_by_side, "processors", lambda: 1)
    assert run("modinfo", *arguments, *words) == together


def test_a_message_comes_after_what_was_shown_before(run: Run) -> None:
    outcome = run("modinfo", "-l", "vfat", "nosuch", "fat")
    assert (outcome.status, outcome.output) == (1, "GPL\nGPL\n")


def test_a_part_that_can_not_be_held_is_refused(run: Run, sample: Path, tmp_path: Path) -> None:
    """A file with holes can claim more than there is memory."""
    data = bytearray((sample / "home/you/hello.ko").read_bytes())
    elf = Elf(bytes(data))
    section = elf.section(".modinfo")
    assert section is not None
    place = elf.header.shoff + section.index * elf.header.shentsize + 24
    struct.pack_into("<QQ", data, place, len(data), 1 << 40)
    path = tmp_path / "large.ko"
    path.write_bytes(bytes(data))
    os.truncate(path, 1 << 41)
    outcome = run("modinfo", str(path))
    assert outcome.status == 1
    assert outcome.errors == ["modinfo: ERROR: could not get modinfo from 'large': File too large"]
