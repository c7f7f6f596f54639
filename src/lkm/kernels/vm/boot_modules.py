"""The modules that a machine needs before it sees the host's files, out of its kernel's module tree."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from lkm.errors import FormatError, IndexMissing, MachineError, TreeMissing, Unreadable
from lkm.formats import modules_dep
from lkm.formats.compression import decompress
from lkm.formats.module_name import from_path

__all__ = ["FOR_FIRMWARE", "NEEDED", "load_order", "read"]

NEEDED = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
"""What is needed to see the host's files, to write over them and to talk; each may be built into the kernel."""

FOR_FIRMWARE = (*NEEDED, "efivarfs")
"""What is needed to see the variables of UEFI firmware as well."""

_HOST_BASES = (Path("/"), Path("/usr"))


def read(tree: Path, needed: Sequence[str] = NEEDED) -> tuple[tuple[str, bytes], ...]:
    """Read the needed modules.

    :param tree: a module tree: the directory that holds modules.dep
    :param needed: names of modules
    :returns: names and uncompressed contents, in the order to insert them
    :raises TreeMissing: there is no such directory
    :raises IndexMissing: it has no modules.dep
    :raises Unreadable: a module can't be read or unpacked
    :raises MachineError: a needed module is neither in the tree nor built in
    """
    if not tree.is_dir():
        raise TreeMissing("there is no module tree", where=str(tree), hint="install the kernel's modules package")
    if not (tree / "modules.dep").is_file():
        raise IndexMissing("modules.dep is missing", where=str(tree), hint=f"write the indexes: {_depmod(tree)}")
    paths = load_order(_rows(tree / "modules.dep"), _builtins(tree / "modules.builtin"), needed)
    return tuple((from_path(path), _unpacked(tree / path)) for path in paths)


def load_order(
    rows: Mapping[str, modules_dep.Row], builtins: Collection[str], needed: Sequence[str] = NEEDED
) -> tuple[str, ...]:
    """List the files to insert, dependencies first and each once.

    :param rows: modules.dep, by module name
    :param builtins: names of what is part of the kernel image
    :param needed: names of modules
    :returns: paths as modules.dep gives them
    :raises MachineError: a needed module is neither there nor built in
    """
    order: dict[str, None] = {}
    for name in needed:
        if name in rows:
            # modules.dep lists what must be loaded first last (kmod 30, tools/depmod.c: output_deps).
            order.update(dict.fromkeys((*reversed(rows[name].dependencies), rows[name].path)))
        elif name not in builtins:
            raise MachineError(
                f"this kernel has no {name}, which virtual machines need",
                hint="boot a distribution's kernel, or build one with 9p, overlayfs and virtio",
            )
    return tuple(order)


def _depmod(tree: Path) -> str:
    base = next(iter(tree.absolute().parents[2:]), Path("/"))  # of BASE/lib/modules/RELEASE
    return shlex.join(["depmod", *([] if base in _HOST_BASES else ["-b", str(base)]), tree.name])


def _rows(path: Path) -> dict[str, modules_dep.Row]:
    try:
        return modules_dep.parse(_contents(path))
    except FormatError as error:
        error.where = str(path)
        raise


def _builtins(path: Path) -> set[str]:
    lines = _contents(path).decode("utf-8", "surrogateescape").split("\n") if path.is_file() else []
    return {from_path(line) for line in lines if line}


def _unpacked(path: Path) -> bytes:
    try:
        return decompress(_contents(path))
    except FormatError as error:
        error.where = str(path)
        raise


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unreadable((error.strerror or str(error)).lower(), where=str(path)) from error
