"""Gathering a kernel's profile from what a root holds of it; nothing needs privilege."""

import re
from collections.abc import Mapping

from lkm.errors import LkmError, Unreadable
from lkm.formats import kernel_image, symvers
from lkm.formats.builtin_parameters import visible_owners
from lkm.formats.elf.reader import Elf
from lkm.formats.ksymtab import Export, exports
from lkm.formats.module_image import ModuleImage
from lkm.system.kernel_config import config_places, read_config
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_tree import ModuleTree

__all__ = ["gather", "stamp"]

# An X.509 v3 certificate in DER begins: SEQUENCE, SEQUENCE, [0] { INTEGER 2 }.
_CERTIFICATE = re.compile(rb"\x30\x82(..)\x30\x82..\xa0\x03\x02\x01\x02\x02", re.DOTALL)


def gather(tree: ModuleTree) -> KernelProfile:
    """Find out what decides about modules of one release.

    Exports come from Module.symvers of the build tree, else out of the kernel image, else from what the modules of
    the tree need and none of them offers; the configuration from /boot/config or the build tree.

    :raises Unreadable: the tree has no readable module, which alone tells version magic and size of struct module
    """
    image, sample_source = _sample(tree)
    sources = {"vermagic": sample_source, "struct_module_size": sample_source}
    config, sources["config"] = _config(tree)
    vmlinux, vmlinux_source = _kernel_image(tree)
    found, sources["exports"] = _exports(tree, vmlinux, vmlinux_source)
    sources["certificates"] = vmlinux_source
    return KernelProfile(
        release=tree.release,
        machine=image.elf.machine,
        is_64bit=image.elf.is_64bit,
        little_endian=image.elf.little_endian,
        vermagic=image.vermagic.text if image.vermagic else "",
        struct_module_size=image.struct_module_size,
        exports=found,
        config=config or _guessed_config(image),
        certificates=None if vmlinux is None else _certificates(vmlinux),
        visible_builtins=_visible_builtins(tree, vmlinux),
        sources=sources,
    )


def _sample(tree: ModuleTree) -> tuple[ModuleImage, str]:
    """Find an in-tree module: any tells version magic and struct module's size."""
    tree.require_indexes()
    for module in tree.modules():
        try:
            image = module.image
            if image.modinfo.first("intree") is not None and image.vermagic and image.struct_module_size:
                return image, module.display_path
        except LkmError:
            continue
    raise Unreadable(
        "no in-tree module can be read, so version magic and struct module's size are unknown",
        where=tree.display_directory,
        hint="install the kernel's modules package",
    )


def _visible_builtins(tree: ModuleTree, vmlinux: bytes | None) -> frozenset[str]:
    """Tell which built-ins have a directory in /sys/module: those with a parameter that shows, or a version.

    Only the kernel image knows which parameters show and under which name; without it every declared one counts
    (kernel/params.c ``param_sysfs_builtin`` and ``version_sysfs_builtin``, 6.1). Where the kernel's build left no
    modules.builtin.modinfo either, all built-ins are taken to show.
    """
    owners = _parameter_owners(vmlinux)
    if owners is None and not tree.builtin_modinfo:
        return frozenset(tree.builtins)
    shown = {"version"} if owners is not None else {"version", "parmtype"}
    named = [name for name, info in tree.builtin_modinfo.items() if any(key in shown for key, _ in info.fields)]
    return frozenset(named) | (owners or frozenset())


def _parameter_owners(vmlinux: bytes | None) -> frozenset[str] | None:
    try:
        return None if vmlinux is None else visible_owners(Elf(vmlinux))
    except LkmError:
        return None


def _config(tree: ModuleTree) -> tuple[Mapping[str, str], str]:
    return read_config(tree) or (
        {},
        "guessed from a module's version magic and sections: no configuration file was found",
    )


def _guessed_config(image: ModuleImage) -> dict[str, str]:
    """Derive what a module itself tells of its kernel's configuration."""
    flags = image.vermagic.flags if image.vermagic else ()
    config = {"MODULES": "y", "STRICT_MODULE_RWX": "y"}  # the latter can't be turned off on x86-64 and arm64
    if "mod_unload" in flags:
        config["MODULE_UNLOAD"] = "y"
    if "modversions" in flags:
        config["MODVERSIONS"] = "y"
    if image.signature is not None:
        config["MODULE_SIG"] = "y"
    return config


def _image_places(tree: ModuleTree) -> tuple[str, ...]:
    return (f"/boot/vmlinuz-{tree.release}", f"{tree.directory}/vmlinuz")


def _symvers_path(tree: ModuleTree) -> str:
    return f"{tree.directory}/build/Module.symvers"


def stamp(tree: ModuleTree) -> list[list[int] | None]:
    """Give size and time of each file that :func:`gather` may read, to notice that a kept profile is old.

    :returns: for each place [size in bytes, mtime in ns], or None where there is no file
    """
    places = (*config_places(tree), *_image_places(tree), _symvers_path(tree), f"{tree.directory}/modules.dep")
    found: list[list[int] | None] = []
    for path in places:
        try:
            status = tree.root.stat(path)
        except Unreadable:
            found.append(None)
        else:
            found.append([status.st_size, status.st_mtime_ns])
    return found


def _kernel_image(tree: ModuleTree) -> tuple[bytes | None, str]:
    """Unpack the kernel image, where there is one that can be."""
    reason = "no kernel image was found"
    for path in _image_places(tree):
        if tree.root.is_file(path):
            try:
                return kernel_image.unpack(tree.root.read_bytes(path)), tree.root.display(path)
            except LkmError as error:
                reason = str(error)
    return None, reason


def _certificates(vmlinux: bytes) -> tuple[bytes, ...]:
    """Find the certificates that the build put into the image (certs/system_certificates.S)."""
    found = [
        vmlinux[match.start() : match.start() + 4 + int.from_bytes(match[1], "big")]
        for match in _CERTIFICATE.finditer(vmlinux)
    ]
    return tuple(dict.fromkeys(found))


def _exports(tree: ModuleTree, vmlinux: bytes | None, vmlinux_source: str) -> tuple[Mapping[str, Export], str]:
    path = _symvers_path(tree)
    if tree.root.is_file(path):
        rows = symvers.parse(tree.root.read_bytes(path))
        return {row.export.name: row.export for row in rows if row.module == "vmlinux"}, tree.root.display(path)
    if vmlinux is not None:
        try:
            found = {export.name: export for export in exports(Elf(vmlinux))}
        except LkmError:
            found = {}
        if found:
            return found, vmlinux_source
    return _needed_by_tree(tree), "what the tree's modules need and none of them offers: there may be more"


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
