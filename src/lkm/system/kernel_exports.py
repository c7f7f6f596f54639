"""What a kernel and the modules of its tree export: out of Module.symvers, the kernel image, or the module files."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lkm.errors import FormatError, LkmError, Unreadable
from lkm.formats import ksymtab, symvers
from lkm.formats.compression import decompress
from lkm.formats.kernel_image import flat_exports
from lkm.formats.ksymtab import Export
from lkm.system.kernel_image_file import ImageFile
from lkm.system.module_exports import ModuleExports, read_exports
from lkm.system.module_tree import ModuleTree

__all__ = ["FoundExports", "find_exports", "find_module_exports", "symvers_places"]

_KERNEL = "vmlinux"
_OF_THE_BUILD = "kernel/"  # where a tree keeps the modules of the kernel's own build; DKMS and others put theirs beside

_SUFFIXES = (".gz", ".xz", ".zst")
_MANY = 64  # modules: more are read only when somebody asks for them


class FoundExports(NamedTuple):
    """Exports and where they were found.

    :param kernel: by symbol
    :param modules: by module, those with exports only; perhaps read from the files when it is asked for
    """

    kernel: Mapping[str, Export]
    kernel_source: str
    modules: Mapping[str, tuple[Export, ...]]
    modules_source: str


def symvers_places(tree: ModuleTree) -> tuple[str, ...]:
    """Give the paths inside the root at which the kernel's build's record of its exports may be.

    In the headers' package, and packed beside the kernel itself: Fedora and openSUSE.
    """
    packed = (
        f"{place}{suffix}"
        for place in (f"{tree.directory}/symvers", f"/boot/symvers-{tree.release}")
        for suffix in _SUFFIXES
    )
    return (f"{tree.directory}/build/Module.symvers", *packed)


def find_exports(
    tree: ModuleTree, image: ImageFile | None, *, image_is_given: bool = False, with_modules: bool = True
) -> FoundExports:
    """Find the exports.

    :param image_is_given: it was named by the user, so it goes before Module.symvers
    :param with_modules: those of modules, too
    """
    recorded, recorded_source = _recorded(tree)
    modules, modules_source = (
        _of_modules(tree, recorded, recorded_source) if with_modules else ({}, "unknown: nobody asked for it")
    )
    kernel: Mapping[str, Export] = {}
    source = ""
    if _KERNEL in recorded and not image_is_given:
        kernel, source = _by_name(recorded[_KERNEL]), recorded_source
    elif image is not None:
        kernel, source = _of_image(image), image.source
    if not kernel:
        kernel = _needed_by_tree(tree)
        source = "guessed from what the tree's modules need and none of them offers: there may be more"
    return FoundExports(kernel, source, modules, modules_source)


def find_module_exports(tree: ModuleTree) -> Mapping[str, tuple[Export, ...]]:
    """Find those of the modules only, where the build left no records."""
    return _of_modules(tree, {}, "")[0]


def _recorded(tree: ModuleTree) -> tuple[dict[str, list[Export]], str]:
    """Read the build's record, where there is one that is whole."""
    for path in symvers_places(tree):
        if tree.root.is_file(path):
            try:
                found = symvers.by_module(decompress(tree.root.read_bytes(path)))
            except Unreadable:
                continue
            if found:
                return found, tree.root.display(path)
    return {}, ""


def _of_image(image: ImageFile) -> dict[str, Export]:
    if image.elf is None:
        return _by_name(flat_exports.exports(image.contents))
    try:
        return _by_name(ksymtab.exports(image.elf))
    except FormatError:
        return {}


def _by_name(found: Iterable[Export]) -> dict[str, Export]:
    return {export.name: export for export in found}


# --- modules ----------------------------------------------------------------------------------------------------------


def _of_modules(
    tree: ModuleTree, recorded: dict[str, list[Export]], source: str
) -> tuple[Mapping[str, tuple[Export, ...]], str]:
    """Tell what the modules of the tree export; the build's record knows nothing of those that came later."""
    exporters = tree.exporters()
    found: dict[str, tuple[Export, ...]] = {}
    unread: list[str] = []
    for name, path in tree.paths().items():
        is_of_build = path.startswith(_OF_THE_BUILD)
        if is_of_build and name in recorded:
            found[name] = tuple(recorded[name])
        elif name in exporters or (not exporters and not (is_of_build and recorded.keys() - {_KERNEL})):
            unread.append(name)
    files = f"the module files of {tree.display_directory}" if tree.paths() else "unknown: there is no module tree"
    if exporters and not found and len(unread) >= _MANY:
        return ModuleExports(tree, unread), files
    read = read_exports(tree, unread)
    return {**found, **read}, f"{source}, {files}" if found and read else source if found else files


def _needed_by_tree(tree: ModuleTree) -> dict[str, Export]:
    """Infer what the kernel image must export, so that the modules that were built with it can load."""
    needed: dict[str, int | None] = {}
    offered: set[str] = set()
    for module in tree.modules():
        try:
            offered.update(export.name for export in module.image.exports)
            needed.update({wanted.name: wanted.crc for wanted in module.image.imports if not wanted.weak})
            layout = module.image.versions.get("module_layout")
        except LkmError:
            continue
        if layout is not None:
            needed["module_layout"] = layout
    return {
        name: Export(name, crc, gpl_only=False, namespace=None) for name, crc in needed.items() if name not in offered
    }
