"""/proc/modules: the modules that are in the kernel (Linux 6.1, kernel/module/procfs.c ``m_show``)."""

from enum import StrEnum
from typing import NamedTuple

from lkm.errors import FormatError

__all__ = ["LoadedModule", "ModuleState", "parse", "render"]

_PERMANENT = "[permanent]"
_NONE = "-"
_LONGEST_NUMBER = 20  # digits of 2**64


class ModuleState(StrEnum):
    """What a module in the kernel is doing; the text is the kernel's."""

    LIVE = "Live"
    LOADING = "Loading"
    UNLOADING = "Unloading"


class LoadedModule(NamedTuple):  # not a dataclass, for the start-up of lsmod
    """One line of /proc/modules.

    :param name: the module's name
    :param size: bytes of memory, initialisation code included while it is there
    :param refcount: how many use it, -1 while it is being removed; None where the kernel can't remove modules
    :param used_by: the modules that use it, in the kernel's order
    :param state: what it is doing
    :param address: where it lies in memory; 0 for readers who may not know
    :param taints: the letters of the taints it brought, as in ``OE``
    :param permanent: it has no exit function and can't be removed
    """

    name: str
    size: int
    refcount: int | None = 0
    used_by: tuple[str, ...] = ()
    state: ModuleState = ModuleState.LIVE
    address: int = 0
    taints: str = ""
    permanent: bool = False


def parse(text: str) -> tuple[LoadedModule, ...]:
    """Read /proc/modules.

    :returns: the modules in the kernel's order, the one loaded last first
    :raises FormatError: a line has another form
    """
    modules = []
    offset = 0
    for line in text.split("\n"):
        if line:
            modules.append(_parse_line(line, offset))
        offset += len(line) + 1
    return tuple(modules)


def _parse_line(line: str, offset: int) -> LoadedModule:
    words = [word for word in line.split(" ") if word]
    if len(words) not in {6, 7}:
        raise _malformed(line, offset)
    name, size, refcount, users, state, address, *taints = words
    names = [] if users == _NONE else users.removesuffix(",").split(",")
    try:
        return LoadedModule(
            name=name,
            size=_number(size),
            refcount=None if refcount == _NONE else _number(refcount),
            used_by=tuple(user for user in names if user != _PERMANENT),
            state=ModuleState(state),
            address=_hexadecimal(address),
            taints=_taints(taints[0]) if taints else "",
            permanent=_PERMANENT in names,
        )
    except ValueError:
        raise _malformed(line, offset) from None


def _number(word: str) -> int:
    if not word.removeprefix("-").isdecimal() or not word.isascii() or len(word) > _LONGEST_NUMBER:
        raise ValueError
    return int(word)


def _hexadecimal(word: str) -> int:
    digits = word.removeprefix("0x")
    if not digits.isalnum() or not digits.isascii() or len(digits) > _LONGEST_NUMBER:
        raise ValueError
    return int(digits, 16)


def _taints(word: str) -> str:
    """Take the letters out of ``(OE+)``; the sign repeats the state."""
    if not (word.startswith("(") and word.endswith(")")):
        raise ValueError
    return word[1:-1].rstrip("+-")


def _malformed(line: str, offset: int) -> FormatError:
    return FormatError(f"is no line of /proc/modules: {line[:80]!r}", offset=offset)


def render(modules: tuple[LoadedModule, ...]) -> str:
    """Write what the kernel would show for these modules."""
    return "".join(map(_render_line, modules))


def _render_line(module: LoadedModule) -> str:
    refcount = _NONE if module.refcount is None else str(module.refcount)
    names = [*module.used_by, _PERMANENT] if module.permanent else module.used_by
    users = "".join(f"{name}," for name in names) or _NONE
    sign = {ModuleState.LIVE: "", ModuleState.LOADING: "+", ModuleState.UNLOADING: "-"}[module.state]
    taints = f" ({module.taints}{sign})" if module.taints else ""
    return f"{module.name} {module.size} {refcount} {users} {module.state} {module.address:#018x}{taints}\n"
