"""The modules that a machine's initramfs needs."""

import lzma
from pathlib import Path

import pytest

from lkm.errors import FormatError, IndexMissing, MachineError, TreeMissing, Unreadable
from lkm.formats.modules_dep import Row
from lkm.kernels.vm import boot_modules

ROWS = {
    "virtio_pci": Row("virtio_pci.ko", ("virtio_ring.ko", "virtio.ko")),
    "virtio_console": Row("virtio_console.ko", ("virtio_ring.ko", "virtio.ko")),
    "9pnet_virtio": Row("9pnet_virtio.ko", ("9pnet.ko", "virtio_ring.ko", "virtio.ko")),
    "9p": Row("9p.ko", ("9pnet.ko", "fscache.ko", "netfs.ko")),
    "overlay": Row("overlay.ko"),
}


def test_each_is_inserted_once_after_what_it_needs() -> None:
    order = boot_modules.load_order(ROWS, ())
    assert len(set(order)) == len(order) == 10
    for row in ROWS.values():
        assert all(order.index(needed) < order.index(row.path) for needed in row.dependencies)
    assert order.index("netfs.ko") < order.index("fscache.ko")  # modules.dep names the first to be loaded last


def test_what_is_built_in_is_not_inserted() -> None:
    rows = {name: row for name, row in ROWS.items() if name != "overlay"}
    assert "overlay.ko" not in boot_modules.load_order(rows, {"overlay"})


def test_what_is_missing_is_named() -> None:
    with pytest.raises(MachineError, match="no virtio_console"):
        boot_modules.load_order({"virtio_pci": Row("virtio_pci.ko")}, ("overlay",))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "modules.dep").write_text("k/9p.ko.xz: k/9pnet.ko\nk/9pnet.ko:\nk/overlay.ko:\n")
    (tmp_path / "modules.builtin").write_text(
        "kernel/virtio_pci.ko\nkernel/virtio-console.ko\nkernel/9pnet_virtio.ko\n"
    )
    (tmp_path / "k").mkdir()
    (tmp_path / "k/9p.ko.xz").write_bytes(lzma.compress(b"\x7fELF 9p"))
    (tmp_path / "k/9pnet.ko").write_bytes(b"\x7fELF 9pnet")
    (tmp_path / "k/overlay.ko").write_bytes(b"\x7fELF overlay")
    return tmp_path


def test_files_are_read_and_unpacked(tree: Path) -> None:
    assert boot_modules.read(tree) == (
        ("9pnet", b"\x7fELF 9pnet"),
        ("9p", b"\x7fELF 9p"),
        ("overlay", b"\x7fELF overlay"),
    )


def test_damage_is_reported_with_the_file(tree: Path) -> None:
    (tree / "k/9p.ko.xz").write_bytes(lzma.compress(b"x" * 1000)[:40])
    with pytest.raises(FormatError) as caught:
        boot_modules.read(tree)
    assert caught.value.where == str(tree / "k/9p.ko.xz")


def test_a_missing_file_is_reported(tree: Path) -> None:
    (tree / "k/overlay.ko").unlink()
    with pytest.raises(Unreadable, match="no such file"):
        boot_modules.read(tree)


def test_a_missing_tree_or_index_is_reported(tree: Path) -> None:
    with pytest.raises(TreeMissing):
        boot_modules.read(tree / "elsewhere")
    with pytest.raises(IndexMissing) as caught:
        boot_modules.read(tree / "k")
    assert caught.value.hint == f"write the indexes: depmod -b {tree.parents[1]} k"
    assert boot_modules._depmod(Path("/lib/modules/6.1")) == "depmod 6.1"
