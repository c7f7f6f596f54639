"""Where a kernel image is found."""

from pathlib import Path

import pytest
from tests.support.made_up_kernel import KernelRecipe, bzimage, vmlinux

from lkm.errors import Unreadable
from lkm.formats.compression import Compression, compress
from lkm.system.kernel_image_file import ImageFile, image_places, read_image
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

VMLINUX = vmlinux(KernelRecipe())
IMAGE = bzimage(compress(VMLINUX, Compression.GZIP))


def _tree(root: Path) -> ModuleTree:
    return ModuleTree(Root(str(root)), "6.1.0-sample")


def test_each_place(tmp_path: Path) -> None:
    tree = _tree(tmp_path)
    assert read_image(tree) == "no kernel image was found"
    for place in reversed(image_places(tree)):  # the later one is found until the earlier is there
        path = Path(tree.root.host_path(place))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(IMAGE)
        found = read_image(tree)
        assert isinstance(found, ImageFile)
        assert (found.contents, found.source) == (VMLINUX, str(path))
        assert found.elf is not None


def test_one_that_can_not_be_unpacked_is_passed_over(tmp_path: Path) -> None:
    tree = _tree(tmp_path)
    first, second = (Path(tree.root.host_path(place)) for place in image_places(tree)[:2])
    for path in (first, second):
        path.parent.mkdir(parents=True)
    first.write_bytes(bzimage(b"\x89LZO" + bytes(40)))
    reason = read_image(tree)
    assert isinstance(reason, str)
    assert reason.startswith(f"{first}: the kernel is packed with LZO")
    second.write_bytes(VMLINUX)
    found = read_image(tree)
    assert isinstance(found, ImageFile)
    assert found.source == str(second)


def test_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "image").write_bytes(IMAGE)
    monkeypatch.chdir(tmp_path)
    found = read_image(_tree(tmp_path), "image")
    assert isinstance(found, ImageFile)
    assert (found.contents, found.source) == (VMLINUX, "image")
    with pytest.raises(Unreadable) as caught:
        read_image(_tree(tmp_path), "other")
    assert "no such file" in caught.value.what
    (tmp_path / "text").write_text("text")
    with pytest.raises(Unreadable) as caught:
        read_image(_tree(tmp_path), "text")
    assert (caught.value.where, bool(caught.value.hint)) == ("text", True)


def test_a_flat_one(tmp_path: Path) -> None:
    flat = bytes(0x38) + b"ARM\x64" + b"Linux version 6.1.0 (x) #1\n\0" + bytes(100)
    (tmp_path / "Image").write_bytes(flat)
    found = read_image(_tree(tmp_path), str(tmp_path / "Image"))
    assert isinstance(found, ImageFile)
    assert (found.contents, found.elf) == (flat, None)
