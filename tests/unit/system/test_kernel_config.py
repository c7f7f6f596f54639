"""Where a kernel's configuration is found."""

import gzip
import os
from pathlib import Path

import pytest
from tests.support.made_up_kernel import KernelRecipe, ikconfig, vmlinux

from lkm.formats.compression import Compression, compress
from lkm.system import kernel_config
from lkm.system.kernel_config import config_places, find_config, read_config
from lkm.system.kernel_image_file import ImageFile
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root


def test_the_first_place_counts(own_sample: Path) -> None:
    tree = ModuleTree(Root(str(own_sample)))
    for place in config_places(tree)[1:]:
        path = Path(tree.root.host_path(place))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'CONFIG_WHERE="{place}"\n')
    options, source = read_config(tree) or ({}, "")
    assert (options["MODVERSIONS"], source) == ("y", f"{own_sample}/boot/config-6.1.0-sample")
    assert "MODULE_SIG_FORCE" not in options
    for place in config_places(tree)[:2]:
        Path(tree.root.host_path(place)).unlink()
    options, source = read_config(tree) or ({}, "")
    assert options == {"WHERE": config_places(tree)[2]}


def test_nowhere(tmp_path: Path) -> None:
    assert read_config(ModuleTree(Root(str(tmp_path)), "1.0")) is None


def _image(root: Path, config: str | None) -> ImageFile:
    contents = vmlinux(KernelRecipe(config=config))
    return ImageFile(contents, None, f"{root}/boot/vmlinuz-1.0")


def test_in_the_image(tmp_path: Path) -> None:
    tree = ModuleTree(Root(str(tmp_path)), "1.0")
    image = _image(tmp_path, "CONFIG_X=y\n")
    assert find_config(tree, image) == ({"X": "y"}, f"the copy inside of {image.source}")
    assert find_config(tree, _image(tmp_path, None)) is None
    assert find_config(tree, None) is None
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/config-1.0").write_text("CONFIG_Y=y\n")
    assert find_config(tree, image) == ({"Y": "y"}, f"{tmp_path}/boot/config-1.0")
    assert find_config(tree, image, image_is_given=True) == ({"X": "y"}, f"the copy inside of {image.source}")


def test_beside_an_image_that_is_named(tmp_path: Path) -> None:
    tree = ModuleTree(Root(str(tmp_path / "root")), "1.0")
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/config-1.0").write_text("CONFIG_Y=y\n")
    image = _image(tmp_path, None)
    assert find_config(tree, image) is None
    assert find_config(tree, image, image_is_given=True) == ({"Y": "y"}, f"{tmp_path}/boot/config-1.0")
    (tmp_path / "1.0").mkdir()
    (tmp_path / "1.0/config").write_text("CONFIG_Z=y\n")
    beside = image._replace(source=f"{tmp_path}/1.0/vmlinuz")
    assert find_config(tree, beside, image_is_given=True) == ({"Z": "y"}, f"{tmp_path}/1.0/config")


def test_in_the_module_that_carries_it(own_sample: Path) -> None:
    tree = ModuleTree(Root(str(own_sample)))
    (own_sample / "boot/config-6.1.0-sample").unlink()
    directory = Path(tree.root.host_path(tree.directory))
    (directory / "configs.ko.xz").write_bytes(compress(b"\x7fELF" + ikconfig("CONFIG_M=m\n"), Compression.XZ))
    with (directory / "modules.dep").open("a") as file:
        file.write("configs.ko.xz:\n")
    (directory / "modules.dep.bin").unlink()
    source = f"the copy inside of {tree.display_directory}/configs.ko.xz"
    assert find_config(ModuleTree(tree.root), None) == ({"M": "m"}, source)


def test_of_the_running_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Running:
        release = "1.0"

    packed = tmp_path / "config.gz"
    packed.write_bytes(gzip.compress(b"CONFIG_R=y\n"))
    monkeypatch.setattr(os, "uname", Running)
    monkeypatch.setattr(kernel_config, "_RUNNING", str(packed))
    assert find_config(ModuleTree(Root(), "1.0"), None) == ({"R": "y"}, str(packed))
    assert find_config(ModuleTree(Root(str(tmp_path)), "1.0"), None) is None
    packed.write_bytes(b"no gzip")
    assert find_config(ModuleTree(Root(), "1.0"), None) is None
