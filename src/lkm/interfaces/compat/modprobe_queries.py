"""``modprobe -c``, ``--show-modversions`` and ``--show-exports``: what is configured, and what is in a module file.

Facts: kmod 30, tools/modprobe.c ``show_config``, ``show_modversions``, ``show_exports``; libkmod/libkmod-elf.c.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from lkm.errors import LkmError
from lkm.formats import symbol_versions
from lkm.formats.elf.constants import SectionIndex
from lkm.formats.elf.reader import Elf
from lkm.formats.modprobe_conf import Softdep
from lkm.interfaces.compat.messages import put
from lkm.interfaces.compat.modprobe_run import Run
from lkm.interfaces.compat.modprobe_settings import Mode
from lkm.interfaces.compat.module_contents import contents_of, elf_of, refusal, section_of
from lkm.interfaces.compat.refusals import errno_of, text_of
from lkm.system.configuration import Configuration
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

__all__ = ["show"]

_INDEXES = ("modules.alias", "modules.symbols")
_CRC_PREFIX = "__crc_"
_STRINGS = "__ksymtab_strings"
_Rows = Callable[[Elf], Iterable[tuple[str, int]]]
_NO_CRC = (1 << 64) - 1  # what kmod shows where a CRC can't be found


def show(run: Run, operands: Sequence[str]) -> bool:
    """Answer the query that the options name.

    :returns: whether there is an answer
    """
    match run.settings.mode:
        case Mode.MODVERSIONS:
            return _show(run, operands[0], "modversions", _versions)
        case Mode.EXPORTS:
            return _show(run, operands[0], "symbols", _exports)
        case _:
            return _show_configuration(run)


def _show_configuration(run: Run) -> bool:
    """Print the directives that apply by kind, then the aliases of the module tree's indexes."""
    put("".join(f"{line}\n" for line in _directives(run.context.configuration)))
    put("\n# End of configuration files. Dumping indexes now:\n\n")
    for name in _INDEXES:
        try:
            index = run.context.tree.index(name)
            put("".join(f"alias {key} {value.text}\n" for key, value in index.items()) if index else "")
        except LkmError as error:
            run.messages.hint(str(error))
    return True


def _directives(configuration: Configuration) -> Iterator[str]:
    yield from (f"blacklist {found.module}" for found in configuration.blacklist)
    yield from (f"install {found.module} {found.command}" for found in configuration.installs)
    yield from (f"remove {found.module} {found.command}" for found in configuration.removes)
    yield from (f"alias {found.alias} {found.module}" for found in configuration.aliases)
    yield from (f"options {found.module} {found.options}" for found in configuration.options)
    yield from (f"softdep {found.module} {_softdep(found)}" for found in configuration.softdeps)
    yield from (f"weakdep {found.module} {' '.join(found.dependencies)}" for found in configuration.weakdeps)  # kmod 33


def _softdep(found: Softdep) -> str:
    parts = ([f"pre: {' '.join(found.pre)}"] if found.pre else []) + (
        [f"post: {' '.join(found.post)}"] if found.post else []
    )
    # kmod forgets the space between the two.
    return "".join(parts)


def _show(run: Run, wanted: str, what: str, rows: _Rows) -> bool:
    """Print what module files need or offer: CRC and symbol.

    :param wanted: the path of a file, or what no file is called: a module's name or an alias, as for kmod after 34
    """
    if os.path.isfile(wanted) or ("/" in wanted and os.path.exists(wanted)):  # noqa: PTH110, PTH113
        return _show_file(run, wanted, ModuleFile(Root(), os.path.abspath(wanted)), what, rows)  # noqa: PTH100
    found, hints = run.lookup(wanted)
    if not found:
        run.complain(f"Module {wanted} not found.", *hints)
        return False
    files = [(candidate.name, run.context.resolver.module_file(candidate)) for candidate in found]
    return [_show_file(run, name, module, what, rows) for name, module in files][-1]


def _show_file(run: Run, shown: str, module: ModuleFile | None, what: str, rows: _Rows) -> bool:
    try:
        if module is None:
            raise refusal(errno.ENOENT, "it has no file: it is built into the kernel, or an alias leads nowhere")
        found = rows(elf_of(contents_of(module)))
    except LkmError as error:
        run.complain(f"could not get {what} of {shown}: {text_of(errno_of(error), {})}", str(error))
        return False
    put("".join([f"0x{crc:08x}\t{symbol}\n" for symbol, crc in found]))
    return True


def _versions(elf: Elf) -> Iterable[tuple[str, int]]:
    section_of(elf, "__versions")
    return [(name.removeprefix("."), crc) for name, crc in symbol_versions.versions(elf).items()]


def _exports(elf: Elf) -> Iterable[tuple[str, int]]:
    """Give the symbols whose CRCs have symbols of their own, else all names without their CRCs (kmod knows no more)."""
    found = elf.symbol_values_with_prefix(_CRC_PREFIX)
    if found:
        return [(name, _crc(elf, value, section)) for name, value, section in found]
    strings = bytes(section_of(elf, _STRINGS))
    return [(text, 0) for text in strings.decode("utf-8", "surrogateescape").split("\0") if text]


def _crc(elf: Elf, value: int, section: int) -> int:
    """Resolve a CRC, which is the symbol's value or stands where that points to (``kmod_elf_resolve_crc``)."""
    if section in {SectionIndex.ABS, SectionIndex.UNDEF}:
        return value
    if section >= len(elf.sections):
        return _NO_CRC
    field = bytes(elf.contents(elf.sections[section])[value : value + 4])
    return int.from_bytes(field, "little" if elf.little_endian else "big") if len(field) == 4 else _NO_CRC
