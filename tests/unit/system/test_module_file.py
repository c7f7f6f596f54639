"""A module file in a root: compressed or not, and damaged in every way."""

from pathlib import Path

import pytest

from lkm.errors import CompressionError, ElfError, FormatError, Unreadable
from lkm.formats.compression import Compression, compress
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

CONTENTS = write(ModuleRecipe("some_name", usual_modinfo("some_name", "6.1.0 SMP ")))


def _file(tmp_path: Path, name: str, data: bytes) -> ModuleFile:
    (tmp_path / name).write_bytes(data)
    return ModuleFile(Root(str(tmp_path)), f"/{name}")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Compression.NONE, "some-name.ko"),
        (Compression.GZIP, "some-name.ko.gz"),
        (Compression.XZ, "some-name.ko.xz"),
        (Compression.ZSTD, "some-name.ko.zst"),
    ],
)
def test_every_compression(tmp_path: Path, kind: Compression, name: str) -> None:
    module = _file(tmp_path, name, compress(CONTENTS, kind))
    assert module.name == "some_name"
    assert module.compression is kind
    assert module.contents == CONTENTS
    assert module.image.name == "some_name"
    assert name in repr(module)


def test_the_bytes_tell_the_compression_and_not_the_name(tmp_path: Path) -> None:
    module = _file(tmp_path, "lies.ko", compress(CONTENTS, Compression.XZ))
    assert module.contents == CONTENTS


@pytest.mark.parametrize("kind", [Compression.GZIP, Compression.XZ, Compression.ZSTD])
def test_cut_off_compressed_files(tmp_path: Path, kind: Compression) -> None:
    module = _file(tmp_path, "cut.ko", compress(CONTENTS, kind)[:-20])
    with pytest.raises(CompressionError) as caught:
        _ = module.contents
    assert caught.value.where == f"{tmp_path}/cut.ko"
    assert "build or install it again" in (caught.value.hint or "")


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"#!/bin/sh\n" * 50, b"\0" * 5000])
def test_what_is_no_elf_file(tmp_path: Path, data: bytes) -> None:
    module = _file(tmp_path, "text.ko", data)
    with module.located(), pytest.raises(ElfError):
        _ = module.image.elf
    with pytest.raises(FormatError) as caught, module.located():
        _ = module.image.elf
    assert caught.value.where == f"{tmp_path}/text.ko"


def test_a_place_that_is_known_stays(tmp_path: Path) -> None:
    module = _file(tmp_path, "m.ko", b"")
    with pytest.raises(FormatError) as caught, module.located():
        raise FormatError("why", where="elsewhere", hint="do this")
    assert (caught.value.where, caught.value.hint) == ("elsewhere", "do this")


def test_missing(tmp_path: Path) -> None:
    module = ModuleFile(Root(str(tmp_path)), "/none.ko")
    assert module.display_path == f"{tmp_path}/none.ko"
    with pytest.raises(Unreadable, match="no such file"):
        _ = module.raw


def test_it_is_read_once(tmp_path: Path) -> None:
    module = _file(tmp_path, "m.ko", CONTENTS)
    assert module.image is module.image
    (tmp_path / "m.ko").unlink()
    assert module.contents == CONTENTS
