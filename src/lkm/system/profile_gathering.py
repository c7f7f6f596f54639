"""Gathering a kernel's profile from what a root holds of it; nothing needs privilege."""

import os
import re
from typing import NamedTuple

from lkm.errors import FormatError, LkmError, TreeMissing, Unreadable
from lkm.formats.elf.constants import Machine
from lkm.formats.kernel_image import btf, config_traces, wrapping
from lkm.formats.kernel_image.certificates import BuiltinCertificates
from lkm.formats.kernel_image.certificates import find as find_certificates
from lkm.formats.kernel_image.parameters import visible
from lkm.formats.module_image import ModuleImage
from lkm.system.boot_command_line import find_command_line
from lkm.system.kernel_config import config_places, find_config
from lkm.system.kernel_exports import find_exports, symvers_places
from lkm.system.kernel_image_file import ImageFile, image_places, read_image
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_tree import ModuleTree

__all__ = ["GENERATION", "gather", "stamp"]

GENERATION = 1
"""To be raised when the same files give another profile than before, so that kept ones are gathered anew."""

_INDEXES = ("dep", "dep.bin", "symbols", "symbols.bin", "builtin", "builtin.modinfo")
_OPTIONS = "SMP|preempt|preempt_rt|mod_unload|modversions|aarch64"


class _Identity(NamedTuple):
    """What only a module, or failing that the image, tells."""

    machine: int
    is_64bit: bool
    little_endian: bool
    vermagic: str
    struct_module_size: int | None


def gather(tree: ModuleTree, *, image_path: str | None = None, with_modules: bool = True) -> KernelProfile:
    """Find out what decides about modules of one release.

    Every fact has its sources, the best one that is there counts; ``sources`` of the profile names it. Without a
    module tree a kernel image still tells most of it.

    :param image_path: of the host: an image to take in place of the root's; it goes before the build's records
    :param with_modules: find out what each module exports and needs, too; where modules are compressed and the build
        left no records, this takes the most of the time
    :raises Unreadable: neither a module nor an image tells the version magic, or the image that was named can't be read
    """
    given = image_path is not None
    found = read_image(tree, image_path)
    image, image_source = (None, f"unknown: {found}") if isinstance(found, str) else (found, found.source)
    identity, identity_source = _identity(tree, image)
    config, config_source = find_config(tree, image, image_is_given=given) or _guessed_config(tree, identity, image)
    exports = find_exports(tree, image, image_is_given=given, with_modules=with_modules)
    certificates, certificates_source = _certificates(image, image_source)
    parameters, parameters_source = _builtin_parameters(image, image_source)
    shown, shown_source = _visible_builtins(tree, parameters, image_source)
    command_line, command_line_source = find_command_line(tree)
    return KernelProfile(
        release=tree.release,
        **identity._asdict(),
        exports=exports.kernel,
        config=config,
        certificates=None if certificates is None else certificates.trusted,
        revoked_certificates=() if certificates is None else certificates.revoked,
        visible_builtins=shown,
        builtin_parameters=parameters or {},
        module_exports=exports.modules,
        dependencies=_dependencies(tree) if with_modules else {},
        builtins=frozenset(tree.builtins),
        command_line=command_line,
        version="" if image is None else wrapping.version(image.contents),
        sources={
            "release": image_source if given else tree.display_directory,
            "machine": identity_source,
            "vermagic": identity_source,
            "struct_module_size": identity_source if identity.struct_module_size else "unknown: no module tells",
            "version": image_source,
            "exports": exports.kernel_source,
            "config": config_source,
            "certificates": certificates_source,
            "visible_builtins": shown_source,
            "builtin_parameters": parameters_source,
            "module_exports": exports.modules_source,
            "dependencies": _source(tree, "modules.dep"),
            "builtins": _source(tree, "modules.builtin"),
            "command_line": command_line_source or "unknown: no boot loader's configuration names this kernel",
        },
    )


def _source(tree: ModuleTree, name: str) -> str:
    path = f"{tree.directory}/{name}"
    return tree.root.display(path) if tree.root.exists(path) else f"unknown: there is no {tree.root.display(path)}"


def stamp(tree: ModuleTree) -> list[list[int] | None]:
    """Give size and time of each file that :func:`gather` may read, to notice that a kept profile is old.

    :returns: for each place [size in bytes, mtime in ns], or None where there is no file
    """
    indexes = (f"{tree.directory}/modules.{name}" for name in _INDEXES)
    found: list[list[int] | None] = []
    for path in (*config_places(tree), *image_places(tree), *symvers_places(tree), *indexes):
        try:
            status = tree.root.stat(path)
        except Unreadable:
            found.append(None)
        else:
            found.append([status.st_size, status.st_mtime_ns])
    return found


# --- what a module tells ----------------------------------------------------------------------------------------------


def _identity(tree: ModuleTree, image: ImageFile | None) -> tuple[_Identity, str]:
    sample = _sample(tree, required=image is None)
    if sample is not None:
        module, source = sample
        elf, magic = module.elf, module.vermagic.text if module.vermagic else ""
        return _Identity(elf.machine, elf.is_64bit, elf.little_endian, magic, module.struct_module_size), source
    if image is None:  # then a sample was required
        raise _nothing_tells(tree)
    magic = _vermagic_of(image.contents, tree.release)
    if image.elf is not None:
        elf = image.elf
        found = _Identity(elf.machine, elf.is_64bit, elf.little_endian, magic, _struct_module_size(image))
    else:
        machine = wrapping.machine_of_flat(image.contents)
        found = _Identity(
            machine or Machine.NONE,
            is_64bit=True,
            little_endian=True,
            vermagic=magic,
            struct_module_size=_struct_module_size(image),
        )
    if not magic or found.machine == Machine.NONE:
        raise _nothing_tells(tree)
    return found, image.source


def _struct_module_size(image: ImageFile) -> int | None:
    """Look the size of struct module up in the image's description of its types, where it has one (BTF)."""
    elf = image.elf
    try:
        described = btf.find(image.contents) if elf is None else elf.contents_of(".BTF")
        little_endian = elf is None or elf.little_endian
        return btf.struct_size(described, "module", little_endian=little_endian) if described else None
    except FormatError:
        return None


def _sample(tree: ModuleTree, *, required: bool) -> tuple[ModuleImage, str] | None:
    """Find an in-tree module: any tells version magic and struct module's size."""
    try:
        tree.require_indexes()
    except TreeMissing:
        if required:
            raise
        return None
    for module in tree.modules():
        try:
            image = module.image
            if image.modinfo.first("intree") is not None and image.vermagic and image.struct_module_size:
                return image, module.display_path
        except LkmError:
            continue
    return None


def _nothing_tells(tree: ModuleTree) -> Unreadable:
    return Unreadable(
        "no in-tree module can be read, so version magic and struct module's size are unknown",
        where=tree.display_directory,
        hint="install the kernel's modules package",
    )


def _vermagic_of(image: bytes, release: str) -> str:
    """Find the version magic in an image: a text of its own (kernel/module/main.c ``vermagic``, 6.1)."""
    pattern = rb"\0(%s (?:(?:%s) )*[\x21-\x7e]*)\0" % (re.escape(os.fsencode(release)), _OPTIONS.encode())
    match = re.search(pattern, image)
    return match[1].decode("ascii", "replace") if match else ""


def _guessed_config(tree: ModuleTree, identity: _Identity, image: ImageFile | None) -> tuple[dict[str, str], str]:
    """Derive what a module and the image themselves tell of the configuration."""
    config = {"MODULES": "y"}
    flags = identity.vermagic.split()
    for flag, option in (("SMP", "SMP"), ("mod_unload", "MODULE_UNLOAD"), ("modversions", "MODVERSIONS")):
        if flag in flags:
            config[option] = "y"
    if image is not None:
        config |= dict.fromkeys(config_traces.options_of(image.contents), "y")
        return config, f"guessed from the version magic and the texts in {image.source}: no configuration was found"
    config["STRICT_MODULE_RWX"] = "y"  # can't be turned off on x86-64 and arm64
    sample = _sample(tree, required=False)
    if sample is not None and sample[0].signature is not None:
        config["MODULE_SIG"] = "y"
    return config, "guessed from a module's version magic and signature: no configuration was found"


def _dependencies(tree: ModuleTree) -> dict[str, tuple[str, ...]]:
    """Take from what modules.dep says of each module what another of its rows implies."""
    rows = tree.all_dependencies()
    found: dict[str, tuple[str, ...]] = {}
    for name, needed in rows.items():
        if needed:
            implied = {far for near in needed if near != name for far in rows.get(near, ())}
            found[name] = tuple(near for near in needed if near not in implied)
    return found


# --- what the image tells ---------------------------------------------------------------------------------------------


def _certificates(image: ImageFile | None, source: str) -> tuple[BuiltinCertificates | None, str]:
    """Find the certificates that the build put into the image."""
    if image is None:
        return None, source
    elf = image.elf
    found = find_certificates(
        image.contents,
        is_64bit=elf is None or elf.is_64bit,
        little_endian=elf is None or elf.little_endian,
    )
    return found, source if found.whole else f"guessed from {source}: all that looks like a certificate"


def _builtin_parameters(image: ImageFile | None, source: str) -> tuple[dict[str, tuple[str, ...]] | None, str]:
    if image is None:
        return None, source
    try:
        found = None if image.elf is None else visible(image.elf)
    except FormatError:
        found = None
    return found, source if found is not None else f"unknown: {source} does not tell"


def _visible_builtins(
    tree: ModuleTree, parameters: dict[str, tuple[str, ...]] | None, image_source: str
) -> tuple[frozenset[str], str]:
    """Tell which built-ins have a directory in /sys/module: those with a parameter that shows, or a version.

    Only the kernel image knows which parameters show and under which name; without it every declared one counts
    (kernel/params.c ``param_sysfs_builtin`` and ``version_sysfs_builtin``, 6.1). Where the kernel's build left no
    modules.builtin.modinfo either, all built-ins are taken to show.
    """
    info = tree.builtin_modinfo
    record = tree.root.display(f"{tree.directory}/modules.builtin.modinfo") if info else ""
    if parameters is None and not info and not tree.builtins:
        return frozenset(), "unknown: no file tells"
    if parameters is None and not info:
        return frozenset(tree.builtins), "guessed: all built-ins, as no file tells which of them show"
    shown = {"version"} if parameters is not None else {"version", "parmtype"}
    named = frozenset(name for name, fields in info.items() if any(key in shown for key, _ in fields.fields))
    if parameters is None:
        return named, f"guessed from {record}: those that declare a parameter or a version"
    return named | frozenset(parameters), f"{image_source}, {record}" if record else image_source
