"""Modules from a recipe: what modpost and the linker would leave of a source that nobody has to compile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lkm.errors import FormatError
from lkm.formats.elf.constants import Machine, SectionFlag, SymbolType
from lkm.formats.module_architectures import returning
from lkm.formats.module_object import ModuleObject, encoded
from lkm.formats.parameter_writer import add_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lkm.formats.ksymtab import Export
    from lkm.formats.parameters import Parameter
    from lkm.formats.symbol_versions import Import

__all__ = ["ModuleRecipe", "usual_modinfo", "write"]

_FUNCTION = 16  # the room that each function gets
_INIT = "init_module"
_EXIT = "cleanup_module"


@dataclass(frozen=True, slots=True)
class ModuleRecipe:
    """A module to be made. The defaults that describe a kernel are those of Debian's 6.1 for x86-64.

    :param name: the name in ``struct module``
    :param modinfo: (key, value) in order; ``parm`` and ``parmtype`` of the parameters are put before these
    :param exports: exported functions; each returns 0
    :param imports: undefined symbols; with a CRC they get an entry in the versions
    :param parameters: name, type, description, permissions, is_array, capacity, unsafe, hwparam are used
    :param layout_crc: the version of ``module_layout``, which is no import yet needs an entry
    :param with_versions: write ``__versions``
    :param extended_versions: write ``__version_ext_crcs`` and ``__version_ext_names`` too (6.14 and later)
    :param flag_table: one ``__ksymtab`` with ``__kflagstab`` (7.1 and later) instead of a table for each licence
    :param machine: ``e_machine``
    :param struct_module_size: ``sizeof(struct module)``; read it from a module of the target kernel
    :param init_offset: where ``struct module`` has the pointer to its init function; None for a module without
    :param exit_offset: the same for the exit function; with init and without exit the module can't be removed
    :param init_result: what init returns: 0, or a negative errno to make the load fail
    """

    name: str
    modinfo: tuple[tuple[str, str], ...] = ()
    exports: tuple[Export, ...] = ()
    imports: tuple[Import, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    layout_crc: int | None = None
    with_versions: bool = True
    extended_versions: bool = False
    flag_table: bool = False
    machine: int = Machine.X86_64
    struct_module_size: int = 0x380
    init_offset: int | None = 0x138
    exit_offset: int | None = 0x350
    init_result: int = 0


def usual_modinfo(
    name: str,
    vermagic: str,
    *,
    licence: str = "GPL",
    depends: Iterable[str] = (),
    intree: bool = True,
) -> tuple[tuple[str, str], ...]:
    """Return the entries that modpost adds to every module of Debian's 6.1, after the licence.

    :param name: the module's name
    :param vermagic: of the target kernel, with its trailing space
    :param licence: the value of MODULE_LICENSE
    :param depends: the modules it needs, by name
    :param intree: False for a module that taints the kernel as out of tree
    :returns: entries for :attr:`ModuleRecipe.modinfo`
    """
    entries = [("license", licence), ("depends", ",".join(depends)), ("retpoline", "Y")]
    if intree:
        entries.append(("intree", "Y"))
    return (*entries, ("name", name), ("vermagic", vermagic))


def write(recipe: ModuleRecipe) -> bytes:
    """Make the file of an unsigned module.

    :param recipe: what the module should have
    :returns: a relocatable object; x86-64 and arm64 kernels that match it can load and run it
    :raises FormatError: a text is too long for its field or holds a NUL, two functions have one name, an offset lies
        outside of ``struct module``, or modules for the machine can't be written
    """
    module = ModuleObject(recipe.machine)
    for symbol in recipe.imports:
        module.need(symbol.name, weak=symbol.weak)
    functions = _add_text(module, recipe)
    _add_exports(module, recipe, functions)
    this_module = _add_this_module(module, recipe, functions)
    add_parameters(module, recipe.parameters, this_module)
    _add_modinfo(module, recipe)
    _add_versions(module, recipe)
    return module.to_bytes()


def _add_text(module: ModuleObject, recipe: ModuleRecipe) -> dict[str, int]:
    """Add the code; return the symbol of each function."""
    results: list[tuple[str, int]] = []
    if recipe.init_offset is not None:
        results.append((_INIT, recipe.init_result))
    if recipe.exit_offset is not None:
        results.append((_EXIT, 0))
    results += [(export.name, 0) for export in recipe.exports]
    bodies = [returning(recipe.machine, result) for _, result in results]
    text = b"".join(body.ljust(_FUNCTION, b"\0") for body in bodies)
    section = module.add(".text", text, SectionFlag.EXECINSTR, alignment=_FUNCTION)
    return {
        name: module.define(name, section, index * _FUNCTION, len(bodies[index]), SymbolType.FUNC)
        for index, (name, _) in enumerate(results)
    }


def _add_this_module(module: ModuleObject, recipe: ModuleRecipe, functions: dict[str, int]) -> int:
    """Add ``struct module``: an enum, a list head and the name, and far behind the pointers to init and exit."""
    size = recipe.struct_module_size
    contents = bytes(3 * module.word) + encoded(recipe.name, 64 - module.word)
    if size < len(contents):
        raise FormatError(f"a struct module of {size} bytes has no room for its name")
    section = module.add(".gnu.linkonce.this_module", contents.ljust(size, b"\0"), SectionFlag.WRITE, alignment=64)
    for offset, function in ((recipe.init_offset, _INIT), (recipe.exit_offset, _EXIT)):
        if offset is not None:
            if not len(contents) <= offset <= size - module.word:
                raise FormatError(f"{function} at {offset:#x} of a struct module of {size:#x} bytes")
            module.point(section, offset, functions[function])
    return module.define("__this_module", section, 0, size, SymbolType.OBJECT)


def _add_modinfo(module: ModuleObject, recipe: ModuleRecipe) -> None:
    entries: list[tuple[str, str]] = []
    for parameter in recipe.parameters:
        if parameter.description is not None:
            entries.append(("parm", f"{parameter.name}:{parameter.description}"))
        if parameter.type is not None:
            entries.append(("parmtype", f"{parameter.name}:{parameter.type}"))
    entries += recipe.modinfo
    module.add(".modinfo", b"".join(encoded(f"{key}={value}") for key, value in entries))


def _add_versions(module: ModuleObject, recipe: ModuleRecipe) -> None:
    entries = [(symbol.name, symbol.crc) for symbol in recipe.imports if symbol.crc is not None]
    if recipe.layout_crc is not None:
        entries.insert(0, ("module_layout", recipe.layout_crc))
    if recipe.with_versions:
        width = 64 - module.word
        # What only the extended form has room for is left to it, as modpost does.
        fitting = [entry for entry in entries if not recipe.extended_versions or len(encoded(entry[0])) <= width]
        records = [module.numbers([crc], module.word) + encoded(name, width) for name, crc in fitting]
        module.add("__versions", b"".join(records), alignment=32)
    if recipe.extended_versions:
        module.add("__version_ext_crcs", module.numbers([crc for _, crc in entries], 4), alignment=4)
        module.add("__version_ext_names", b"".join(encoded(name) for name, _ in entries))


# --- exports ----------------------------------------------------------------------------------------------------------


def _add_exports(module: ModuleObject, recipe: ModuleRecipe, functions: dict[str, int]) -> None:
    # The kernel finds a symbol by bisection, so each table is sorted by strcmp.
    exports = sorted(recipe.exports, key=lambda export: encoded(export.name))
    if not exports:
        return
    strings = _add_strings(module, exports)
    if recipe.flag_table:
        _add_table(module, "", exports, functions, strings)
        module.add("__kflagstab", bytes(export.gpl_only for export in exports))
        return
    for suffix, gpl_only in (("", False), ("_gpl", True)):
        chosen = [export for export in exports if export.gpl_only is gpl_only]
        if chosen:
            _add_table(module, suffix, chosen, functions, strings)


def _add_strings(module: ModuleObject, exports: list[Export]) -> dict[str, tuple[int, int]]:
    """Add the names and namespaces; return the symbols of both for each export."""
    texts = [(encoded(export.name), encoded(export.namespace or "")) for export in exports]
    data = b"".join(name + namespace for name, namespace in texts)
    section = module.add("__ksymtab_strings", data, SectionFlag.MERGE | SectionFlag.STRINGS, entry_size=1)
    symbols, place = {}, 0
    for export, (name, namespace) in zip(exports, texts, strict=True):
        symbols[export.name] = (
            module.local(f"__kstrtab_{export.name}", section, place),
            module.local(f"__kstrtabns_{export.name}", section, place + len(name)),
        )
        place += len(name) + len(namespace)
    return symbols


def _add_table(
    module: ModuleObject,
    suffix: str,
    exports: list[Export],
    functions: dict[str, int],
    strings: dict[str, tuple[int, int]],
) -> None:
    """Add one ``__ksymtab`` of ``struct kernel_symbol``, and its ``__kcrctab``."""
    field = module.reference_size
    table = module.add(f"__ksymtab{suffix}", bytes(3 * field * len(exports)), alignment=field)
    for index, export in enumerate(exports):
        start = 3 * field * index
        module.local(f"__ksymtab_{export.name}", table, start)
        for position, symbol in enumerate((functions[export.name], *strings[export.name])):
            module.refer(table, start + position * field, symbol)
    if any(export.crc is not None for export in exports):
        crcs = module.numbers([export.crc or 0 for export in exports], 4)
        section = module.add(f"__kcrctab{suffix}", crcs, alignment=4)
        for index, export in enumerate(exports):
            module.local(f"__crc_{export.name}", section, 4 * index)
