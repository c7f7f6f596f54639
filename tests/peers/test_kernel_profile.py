"""What is read out of a real kernel's image and modules, against what its build wrote down of itself."""

from functools import cache
from pathlib import Path

import pytest
from tests.support import real_tree
from tests.support.require import require_path

from lkm.formats import ksymtab, symvers
from lkm.formats.kconfig import parse
from lkm.formats.kernel_image import btf
from lkm.formats.kernel_image.config_traces import options_of
from lkm.formats.ksymtab import Export
from lkm.system.kernel_image_file import ImageFile, read_image
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_file import pack, unpack
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

pytestmark = pytest.mark.peer

LARGEST = 1_000_000  # bytes of a saved profile


def tree() -> ModuleTree:
    return ModuleTree(Root(), real_tree.tree().name)


@cache
def image() -> ImageFile:
    found = read_image(tree())
    return found if isinstance(found, ImageFile) else read_named()


def read_named() -> ImageFile:
    """Give the image from where it should be: a machine without it lacks something."""
    found = read_image(tree(), str(require_path(f"/boot/vmlinuz-{tree().release}")))
    assert isinstance(found, ImageFile)
    return found


@cache
def recorded() -> dict[str, list[Export]]:
    return symvers.by_module((require_path(real_tree.tree() / "build") / "Module.symvers").read_bytes())


@cache
def profile() -> KernelProfile:
    return gather(tree())


def by_name(exports: "list[Export] | tuple[Export, ...]") -> dict[str, Export]:
    return {export.name: export for export in exports}


def test_the_image_exports_what_the_build_recorded() -> None:
    elf = image().elf
    assert elf is not None
    assert len(recorded()["vmlinux"]) > 1000
    assert by_name(ksymtab.exports(elf)) == by_name(recorded()["vmlinux"])


def test_the_modules_export_what_the_build_recorded() -> None:
    of_build = [name for name, path in tree().paths().items() if path.startswith("kernel/")]
    found = {}
    for name in of_build:
        module = tree().module(name)
        assert module is not None
        found[name] = by_name(module.image.exports)
    assert found == {name: by_name(recorded().get(name, [])) for name in of_build}


def test_the_images_own_types_tell_the_size_of_struct_module() -> None:
    elf = image().elf
    assert elf is not None
    described = elf.contents_of(".BTF")
    assert described is not None
    assert btf.struct_size(described, "module") == profile().struct_module_size


def test_texts_in_the_image_go_with_its_configuration() -> None:
    config = parse(require_path(f"/boot/config-{tree().release}").read_text())
    known = set(options_of(image().contents))
    assert "MODULE_SIG" in known
    assert {option for option in known if not option.endswith("RETPOLINE")} <= {
        option for option, value in config.items() if value == "y"
    }
    assert bool(known & {"RETPOLINE"}) == ("y" in {config.get("RETPOLINE"), config.get("MITIGATION_RETPOLINE")})


def test_the_certificate_list_is_found_whole() -> None:
    assert profile().certificates
    assert profile().sources["certificates"] == image().source


def test_the_profile_is_whole_and_small() -> None:
    found = profile()
    assert [fact for fact, source in found.sources.items() if "guessed" in source] == []
    assert sum(map(len, found.module_exports.values())) > 1000
    data = pack(found)
    assert len(data) < LARGEST
    assert unpack(data).profile == found


def test_dependencies_lead_to_all_that_modules_dep_names() -> None:
    direct = profile().dependencies
    for name, needed in tree().all_dependencies().items():
        reached: set[str] = set()
        pending = [name]
        while pending:
            following = [near for near in direct.get(pending.pop(), ()) if near not in reached]
            reached.update(following)
            pending += following
        assert reached == set(needed)


def test_the_release_is_the_images() -> None:
    assert profile().version.split()[2] == profile().release == Path(tree().directory).name
