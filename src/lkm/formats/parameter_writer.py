"""The part of a written module that declares parameters: ``__param`` and what its entries point to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lkm.formats.elf.constants import SectionFlag
from lkm.formats.module_object import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lkm.formats.module_object import ModuleObject
    from lkm.formats.parameters import Parameter

__all__ = ["add_parameters", "operations"]

_ARRAY = "array of "
_SIZES = {"bool": 1, "invbool": 1, "byte": 1, "short": 2, "ushort": 2, "int": 4, "uint": 4, "bint": 4, "hexint": 4}
_LARGEST = 8  # long long
_DEFAULT_CAPACITY = 4
_UNSAFE = 1
_HWPARAM = 2


def operations(parameter: Parameter) -> tuple[str, ...]:
    """Return the symbols of the kernel that the module needs for a parameter.

    :param parameter: its ``type`` and ``is_array`` count
    :returns: ``param_ops_int`` for an int, ``param_array_ops`` and ``param_ops_int`` for an array of int
    """
    element = f"param_ops_{(parameter.type or 'int').removeprefix(_ARRAY)}"
    return ("param_array_ops", element) if parameter.is_array else (element,)


def add_parameters(module: ModuleObject, parameters: Sequence[Parameter], this_module: int) -> None:
    """Add ``__param`` (``struct kernel_param``, ``include/linux/moduleparam.h``, 6.1), ``.rodata`` and ``.data``.

    :param module: the module under construction
    :param parameters: what to declare, in this order
    :param this_module: the symbol of ``struct module``
    """
    if not parameters:
        return
    texts = [encoded(parameter.name) for parameter in parameters]
    headers = [_argument_header(module, parameter) for parameter in parameters]
    values = [bytes(_value_size(parameter)) for parameter in parameters]
    text_places, argument_places, value_places = _places(texts), _places(headers), _places(values)
    start = len(_joined(texts))
    rodata = module.add(".rodata", _joined(texts) + _joined(headers), alignment=8)
    data = module.add(".data", _joined(values), SectionFlag.WRITE, alignment=8)
    entries = b"".join(_entry(module, parameter) for parameter in parameters)
    table = module.add("__param", entries, alignment=module.word)
    for index, parameter in enumerate(parameters):
        ops = [module.need(name) for name in operations(parameter)]
        value = module.local(parameter.name, data, value_places[index])
        argument = value
        if headers[index]:
            place = start + argument_places[index]
            argument = module.local(f"__param_arg_{parameter.name}", rodata, place)
            _point_argument(module, rodata, place, (value, ops[1] if parameter.is_array else None))
        text = module.local(f"__param_str_{parameter.name}", rodata, text_places[index])
        entry = 5 * module.word * index
        module.local(f"__param_{parameter.name}", table, entry)
        for position, symbol in ((0, text), (1, this_module), (2, ops[0]), (4, argument)):
            module.point(table, entry + position * module.word, symbol)


def _entry(module: ModuleObject, parameter: Parameter) -> bytes:
    """Return the pointers name, mod, ops, all empty, then u16 perm, s8 level (-1 in modules), u8 flags, and arg."""
    flags = parameter.unsafe * _UNSAFE | parameter.hwparam * _HWPARAM
    numbers = module.numbers([parameter.permissions or 0], 2) + bytes((0xFF, flags))
    return bytes(3 * module.word) + numbers.ljust(module.word, b"\0") + bytes(module.word)


def _argument_header(module: ModuleObject, parameter: Parameter) -> bytes:
    """Return ``struct kparam_array`` or ``struct kparam_string`` with empty pointers; nothing for other parameters."""
    capacity = _capacity(parameter)
    if parameter.is_array:
        return module.numbers([capacity, _element_size(parameter)], 4) + bytes(3 * module.word)
    if parameter.type == "string":
        return module.numbers([capacity], 4).ljust(module.word, b"\0") + bytes(module.word)
    return b""


def _point_argument(module: ModuleObject, section: int, place: int, targets: tuple[int, int | None]) -> None:
    # An array: u32 max, u32 elemsize, num, ops, elem. A string: u32 maxlen, string.
    value, element_ops = targets
    if element_ops is None:
        module.point(section, place + module.word, value)
    else:
        module.point(section, place + 8 + module.word, element_ops)
        module.point(section, place + 8 + 2 * module.word, value)


def _capacity(parameter: Parameter) -> int:
    return _DEFAULT_CAPACITY if parameter.capacity is None else parameter.capacity


def _element_size(parameter: Parameter) -> int:
    return _SIZES.get((parameter.type or "").removeprefix(_ARRAY), _LARGEST)


def _value_size(parameter: Parameter) -> int:
    if parameter.is_array:
        return _capacity(parameter) * _element_size(parameter)
    return _capacity(parameter) if parameter.type == "string" else _LARGEST


def _joined(parts: Sequence[bytes]) -> bytes:
    return b"".join(part + bytes(-len(part) % 8) for part in parts)


def _places(parts: Sequence[bytes]) -> list[int]:
    return [len(_joined(parts[:index])) for index in range(len(parts))]
