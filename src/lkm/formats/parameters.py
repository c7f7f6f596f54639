"""The parameters that a module declares: from modinfo for people, and from ``__param`` as the kernel sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lkm.errors import FormatError
from lkm.formats.elf.constants import ElfType
from lkm.formats.elf.pointers import Pointers
from lkm.formats.elf.words import word

if TYPE_CHECKING:
    from lkm.formats.elf.reader import Elf
    from lkm.formats.modinfo import Modinfo

__all__ = ["Parameter", "declared"]

_UNSAFE = 1  # enum KERNEL_PARAM_FL_UNSAFE, …_HWPARAM (include/linux/moduleparam.h, 6.1)
_HWPARAM = 2
_ARRAY_OPS = "param_array_ops"
_STRING_OPS = "param_ops_string"
_OPS_OF_SEVERAL = frozenset({_ARRAY_OPS, _STRING_OPS})
_ARRAY_TYPE = "array of "


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter. What only ``__param`` says is None, or False, where that can't be read.

    :param name: without the module's name
    :param type: as in ``parmtype``: ``int``, ``charp``, ``array of uint``, or a name of the module's own
    :param description: from MODULE_PARM_DESC
    :param permissions: the mode of its file in sysfs, as in 0o644; 0 for none
    :param is_array: it takes several values between commas
    :param ops: the kernel's symbol that reads and shows it, as in ``param_ops_int`` or ``param_array_ops``; empty when
        the module brings its own
    :param element_ops: the same for an element of an array
    :param capacity: the most elements of an array, or bytes of a string (``param_ops_string``) with its final NUL
    :param unsafe: setting it taints the kernel
    :param hwparam: lockdown forbids to set it, as it names hardware addresses
    """

    name: str
    type: str | None = None
    description: str | None = None
    permissions: int | None = None
    is_array: bool = False
    ops: str | None = None
    element_ops: str | None = None
    capacity: int | None = None
    unsafe: bool = False
    hwparam: bool = False


def declared(elf: Elf | None, modinfo: Modinfo) -> tuple[Parameter, ...]:
    """Bring together what ``parm``, ``parmtype`` and ``__param`` say.

    ``parm`` and ``parmtype`` without a colon say nothing, and the last of several for one name counts (kmod 30,
    ``tools/modinfo.c:process_parm``). Of several ``__param`` entries for one name the kernel uses the first
    (``kernel/params.c:parse_one``, 6.1).

    :param elf: the module; None, or a linked image, when modinfo is all there is (a built-in)
    :param modinfo: its modinfo
    :returns: the parameters in the order in which modinfo mentions them, then those that it does not mention
    :raises FormatError: ``__param`` points outside of the file
    """
    types, descriptions = _stated(modinfo.all("parmtype")), _stated(modinfo.all("parm"))
    mentioned = {
        name.partition(":")[0]: None for key, name in modinfo.fields if key in {"parm", "parmtype"} and ":" in name
    }
    entries = _entries(elf) if elf is not None and elf.type == ElfType.REL else {}
    return tuple(
        _merged(entries.get(name) or Parameter(name), types.get(name), descriptions.get(name))
        for name in (mentioned | dict.fromkeys(entries))
    )


def _stated(entries: tuple[str, ...]) -> dict[str, str]:
    pairs = (entry.partition(":") for entry in entries)
    return {name: text for name, colon, text in pairs if colon}


def _merged(entry: Parameter, stated_type: str | None, description: str | None) -> Parameter:
    if stated_type is None and description is None:
        return entry
    is_array = entry.is_array or (entry.ops is None and (stated_type or "").startswith(_ARRAY_TYPE))
    return replace(entry, type=stated_type, description=description, is_array=is_array)


# --- __param ----------------------------------------------------------------------------------------------------------


def _entries(elf: Elf) -> dict[str, Parameter]:
    """Read the array of ``struct kernel_param``: the pointers name, mod, ops; u16 perm, s8 level, u8 flags; arg."""
    section = elf.section("__param")
    if section is None:
        return {}
    contents, pointers = elf.contents(section), Pointers(elf, section)
    pointer = 8 if elf.is_64bit else 4
    arguments = _Arguments(elf)
    found: dict[str, Parameter] = {}
    length = 0
    for start in range(0, len(contents) - 5 * pointer + 1, 5 * pointer):
        name, ops = pointers.place(start, pointer), pointers.undefined_symbol(start + 2 * pointer)
        if name is None or ops is None:
            raise FormatError("a parameter without a name or operations in __param", offset=section.offset + start)
        flags = contents[start + 3 * pointer + 3]
        element_ops, capacity = arguments.read(ops, pointers.place(start + 4 * pointer, pointer))
        text = elf.string(*name)
        # Hostile entries may all share one name as long as the file.
        length += len(text) + len(ops) + len(element_ops or "")
        if length > len(elf.data):
            raise FormatError("the names of the parameters are longer than the file", offset=section.offset + start)
        parameter = Parameter(
            name=text,
            permissions=word(elf, contents, start + 3 * pointer, 2),
            is_array=ops == _ARRAY_OPS,
            ops=ops,
            element_ops=element_ops,
            capacity=capacity,
            unsafe=bool(flags & _UNSAFE),
            hwparam=bool(flags & _HWPARAM),
        )
        found.setdefault(parameter.name, parameter)
    return found


class _Arguments:
    """What parameters point to that are more than one value."""

    def __init__(self, elf: Elf) -> None:
        self._elf = elf
        self._pointers: dict[int, Pointers] = {}

    def read(self, ops: str, place: tuple[int, int] | None) -> tuple[str | None, int | None]:
        """Return the operations of an array's elements, and the capacity of an array or a string.

        ``struct kparam_string`` and ``struct kparam_array`` both begin with an unsigned int that says how much fits; in
        the latter follow unsigned int elemsize and the pointers num and ops.
        """
        elf = self._elf
        if ops not in _OPS_OF_SEVERAL or place is None or not 0 < place[0] < elf.section_count:
            return None, None
        index, offset = place
        capacity = word(elf, elf.section_table.contents(index), offset, 4)
        if ops == _STRING_OPS:
            return None, capacity
        if index not in self._pointers:
            self._pointers[index] = Pointers(elf, elf.section_table.one(index, ""))
        return self._pointers[index].undefined_symbol(offset + 8 + (8 if elf.is_64bit else 4)), capacity
