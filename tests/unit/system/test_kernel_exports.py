"""Where exports are found."""

import shutil
from pathlib import Path

import pytest
from tests.support.made_up_kernel import KernelRecipe, vmlinux

from lkm.formats.compression import Compression, compress
from lkm.formats.elf.reader import Elf
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.system import kernel_exports
from lkm.system.kernel_exports import find_exports, find_module_exports, symvers_places
from lkm.system.kernel_image_file import ImageFile
from lkm.system.module_exports import ModuleExports
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

PRINTK = Export("_printk", 0x11, gpl_only=False, namespace=None)
IOMMU = Export("iommu", 0x22, gpl_only=True, namespace="IOMMU")


@pytest.fixture
def tree(own_sample: Path) -> ModuleTree:
    return ModuleTree(Root(str(own_sample)))


def _record(tree: ModuleTree, *rows: str) -> None:
    Path(tree.root.host_path(symvers_places(tree)[0])).write_text(
        "".join(row.replace(" ", "\t") + "\t\n" for row in rows)
    )


def _image(*, flag_table: bool = False) -> ImageFile:
    data = vmlinux(KernelRecipe(exports=(PRINTK, IOMMU), flag_table=flag_table))
    return ImageFile(data, Elf(data), "the image")


def test_the_builds_records_of_modules(tree: ModuleTree) -> None:
    _record(tree, "0x00000001 k vmlinux EXPORT_SYMBOL", "0x00000007 from_record fs/fat/fat EXPORT_SYMBOL_GPL")
    found = find_exports(tree, None)
    assert found.modules["fat"] == (Export("from_record", 7, gpl_only=True, namespace=None),)
    assert found.kernel == {"k": Export("k", 1, gpl_only=False, namespace=None)}
    assert found.kernel_source == found.modules_source == tree.root.display(symvers_places(tree)[0])


def test_modules_that_came_later_are_read(tree: ModuleTree) -> None:
    _record(tree, "0x00000001 k vmlinux EXPORT_SYMBOL", "0x00000007 from_record fs/fat/fat EXPORT_SYMBOL")
    later = Export("from_file", 8, gpl_only=False, namespace=None)
    directory = Path(tree.root.host_path(tree.directory))
    (directory / "updates").mkdir()
    (directory / "updates/fat.ko.xz").write_bytes(
        compress(write(ModuleRecipe("fat", exports=(later,))), Compression.XZ)
    )
    rows = (directory / "modules.dep").read_text().replace("kernel/fs/fat/fat.ko", "updates/fat.ko.xz")
    (directory / "modules.dep").write_text(rows)
    (directory / "modules.dep.bin").unlink()
    found = find_exports(ModuleTree(tree.root), None)
    assert found.modules["fat"] == (later,)
    assert found.modules_source == f"the module files of {tree.display_directory}"


def test_without_an_index_of_symbols(tree: ModuleTree) -> None:
    expected = find_exports(tree, None).modules
    for name in ("modules.symbols", "modules.symbols.bin"):
        Path(tree.root.host_path(f"{tree.directory}/{name}")).unlink()
    assert find_exports(ModuleTree(tree.root), None).modules == expected
    assert expected["fat"][0].name == "fat_attach"


def test_modules_that_can_not_be_read_are_passed_over(tree: ModuleTree) -> None:
    Path(tree.root.host_path(f"{tree.directory}/kernel/fs/fat/fat.ko")).write_bytes(b"damaged")
    assert "fat" not in find_exports(tree, None).modules


@pytest.mark.parametrize("flag_table", [True, False])
def test_out_of_the_image(tree: ModuleTree, *, flag_table: bool) -> None:
    given = find_exports(tree, _image(flag_table=flag_table), image_is_given=True)
    assert given.kernel == {"_printk": PRINTK, "iommu": IOMMU}
    assert given.kernel_source == "the image"
    assert "iommu" not in find_exports(tree, _image()).kernel  # the records come first
    shutil.rmtree(Path(tree.root.host_path(symvers_places(tree)[0])).parent)
    assert find_exports(tree, _image()).kernel == given.kernel


@pytest.mark.parametrize("record", ["nonsense\n", ""])
def test_records_that_say_nothing(tree: ModuleTree, record: str) -> None:
    Path(tree.root.host_path(symvers_places(tree)[0])).write_text(record)
    found = find_exports(tree, None)
    assert found.kernel_source.startswith("guessed")
    assert found.kernel["_printk"].crc == 0x92997ED8
    assert "fat_attach" not in found.kernel
    damaged = ImageFile(b"", Elf(vmlinux(KernelRecipe()).replace(b"__ksymtab\0", b"__ksymtax\0")), "the image")
    assert find_exports(tree, damaged).kernel == found.kernel


def test_many_modules_are_read_when_they_are_asked_for(tree: ModuleTree, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = find_exports(tree, None)
    assert isinstance(expected.modules, dict)
    monkeypatch.setattr(kernel_exports, "_MANY", 1)
    found = find_exports(ModuleTree(tree.root), None)
    assert isinstance(found.modules, ModuleExports)
    assert found.modules == expected.modules == find_module_exports(tree)
    assert found.modules_source == expected.modules_source


def test_without_modules(tree: ModuleTree) -> None:
    found = find_exports(tree, None, with_modules=False)
    assert found.kernel == find_exports(tree, None).kernel
    assert (dict(found.modules), found.modules_source) == ({}, "unknown: nobody asked for it")


@pytest.mark.parametrize("compression", [Compression.XZ, Compression.GZIP, Compression.ZSTD])
def test_records_that_are_packed(tree: ModuleTree, compression: Compression) -> None:
    first = Path(tree.root.host_path(symvers_places(tree)[0]))
    record = first.read_bytes()
    for place in reversed(symvers_places(tree)[1:]):  # the later one is found until the earlier is there
        path = Path(tree.root.host_path(place))
        path.write_bytes(compress(record, compression))
        first.write_bytes(b"nonsense")
        found = find_exports(tree, None, with_modules=False)
        assert found.kernel["_printk"].crc == 0x92997ED8
        assert found.kernel_source == tree.root.display(place)
