"""The ``.modinfo`` section of a module, and its like for built-ins: ``key=value`` texts between NULs."""

from typing import NamedTuple

from lkm.errors import FormatError

__all__ = ["Modinfo", "entries", "parse", "parse_builtin"]


class Modinfo(NamedTuple):
    """What a module says of itself.

    :param fields: (key, value) in the file's order; a key may come several times; bytes that are no UTF-8 are kept
        as surrogate escapes
    """

    fields: tuple[tuple[str, str], ...] = ()

    def first(self, key: str) -> str | None:
        """Return the first value of a key, the only one the kernel reads (``kernel/module/main.c:get_modinfo``, 6.1).

        :param key: the exact key, as in ``vermagic``
        :returns: the value, which may be empty, or None when no entry has this key
        """
        for field, value in self.fields:
            if field == key:
                return value
        return None

    def all(self, key: str) -> tuple[str, ...]:
        """Return every value of a key, in the file's order.

        :param key: the exact key, as in ``alias``
        :returns: the values; empty when no entry has this key
        """
        return tuple(value for field, value in self.fields if field == key)


def parse(section: bytes | bytearray | memoryview) -> Modinfo:
    """Read the contents of a ``.modinfo`` section; there is nothing it could refuse.

    An entry without ``=`` is a key with an empty value (kmod 30, ``libkmod-module.c:kmod_module_get_info``).

    :param section: the section's bytes
    :returns: the entries in order
    """
    text = _entries(section).decode("utf-8", "surrogateescape")
    parts = [entry.partition("=") for entry in text.split("\0") if entry]
    return Modinfo(tuple([(key, value) for key, _, value in parts]))


def entries(section: bytes | bytearray | memoryview) -> list[bytes]:
    """Split the contents of a ``.modinfo`` section into ``key=value``, as the bytes that they are.

    :param section: the section's bytes
    :returns: the entries in order
    """
    return list(filter(None, _entries(section).split(b"\0")))


def _entries(section: bytes | bytearray | memoryview) -> bytes:
    """Leave out what is no entry.

    Entries end at a NUL or at the section's end, and empty ones are padding. One single byte is not an entry (kmod 30,
    ``libkmod-elf.c:kmod_elf_get_strings``).
    """
    found = bytes(section).lstrip(b"\0")
    return found if len(found) > 1 else b""


def parse_builtin(data: bytes | bytearray | memoryview) -> dict[str, Modinfo]:
    r"""Read ``modules.builtin.modinfo``: ``module.key=value\0`` for every module that is part of the kernel image.

    Entries of one module that don't stand together are brought together (kmod 30 sees only the first run,
    ``libkmod-builtin.c:kmod_builtin_get_modinfo``).

    :param data: the file's bytes
    :returns: the entries of each module without the prefix, modules and entries in the file's order
    :raises FormatError: an entry has no module name before a dot
    """
    raw = bytes(data)
    fields: dict[str, list[tuple[str, str]]] = {}
    offset = 0
    for entry in raw.split(b"\0"):
        if entry:
            module, dot, field = entry.decode("utf-8", "surrogateescape").partition(".")
            if not dot or not module:
                raise FormatError("an entry without a module's name", offset=offset)
            key, _, value = field.partition("=")
            fields.setdefault(module, []).append((key, value))
        offset += len(entry) + 1
    return {module: Modinfo(tuple(entries)) for module, entries in fields.items()}
