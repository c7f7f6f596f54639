"""The kernel command line, as the kernel reads it and as kmod reads it; the two differ.

The kernel: Linux 6.1, lib/cmdline.c ``next_arg``, kernel/params.c ``parse_args``. kmod 30: libkmod/libkmod-config.c
``kmod_config_parse_kcmdline``, which takes ``module.parameter=value`` for options and ``modprobe.blacklist=a,b`` for a
blacklist, and does not stop at ``--``.
"""

import re
from collections.abc import Iterator

from lkm.formats.modprobe_conf import Blacklist, Options, Problem, ProblemKind
from lkm.formats.module_name import canonical, normalise_alias

__all__ = ["FILE", "Cmdline"]

FILE = "/proc/cmdline"
"""The file that directives of the command line name as their source; its only line is 1."""

# Arguments end at a space outside quotes; to the kernel's lib/ctype.c the no-break space of Latin-1 is one, too.
_KERNEL_ARGUMENT = re.compile(rb'(?:[^ \t\n\v\f\r\xa0"]+|"[^"]*"?)+')
_KMOD_ARGUMENT = re.compile(rb'(?:[^ \t\n\v\f\r"]+|"[^"]*"?)+')
_KMOD_PARAMETER = re.compile(rb'("?)([^".= \t\n\v\f\r]*)\.([^".= \t\n\v\f\r]*)(?:=(?P<value>.*))?', re.DOTALL)
_KMOD_BUFFER = 4096  # bytes, a NUL among them: libkmod-internal.h KCMD_LINE_SIZE
_WELL_FORMED = re.compile(r"(?:[^\[\]]|\[[^\]]*\])*")


class Cmdline:
    """A kernel command line.

    :param text: as in /proc/cmdline
    :ivar parameters: (name, value) as the kernel splits them, up to ``--``; a value is None where there is no ``=``
    :ivar options: what kmod takes for options of modules, in order
    :ivar blacklist: what kmod takes for blacklisted modules, in order; ``-`` stays, so such an entry never matches
    :ivar problems: what kmod can't read
    """

    __slots__ = ("blacklist", "options", "parameters", "problems", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.parameters = _kernel_parameters(text)
        options: list[Options] = []
        blacklist: list[Blacklist] = []
        problems: list[Problem] = []
        for module, parameter, value in _kmod_parameters(text):
            if module == "modprobe" and parameter.startswith("blacklist="):
                blacklist.extend(Blacklist(name, FILE, 1) for name in value.split(","))
            elif normalise_alias(module) is None:
                problems.append(_problem(module))
            else:
                options.append(Options(normalise_alias(module) or "", parameter.replace("\t", " "), FILE, 1))
        self.options = tuple(options)
        self.blacklist = tuple(blacklist)
        self.problems = tuple(problems)

    def __repr__(self) -> str:
        return f"Cmdline({self.text!r})"

    def values(self, name: str) -> tuple[str | None, ...]:
        """Give all values of a kernel parameter in their order, None for each time it stands there without ``=``.

        :param name: ``-`` and ``_`` are equal, as to the kernel
        """
        wanted = canonical(name)
        return tuple(value for found, value in self.parameters if canonical(found) == wanted)

    def value(self, name: str) -> str | None:
        """Give the last value of a kernel parameter, the one that counts for most; None where it has none."""
        found = self.values(name)
        return found[-1] if found else None

    def has(self, name: str) -> bool:
        """Tell whether a kernel parameter is there, with a value or without."""
        return bool(self.values(name))


def _problem(module: str) -> Problem:
    # kmod has already replaced what stands before the stray bracket.
    found = _WELL_FORMED.match(module)
    good = module[: found.end()] if found else ""
    shown = f"{normalise_alias(good)}{module[len(good) :]}"
    text = f"Ignoring bad option on kernel command line while parsing module name: '{shown}'"
    return Problem(ProblemKind.BAD_COMMAND_LINE, text, FILE, 1)


# --- the kernel -------------------------------------------------------------------------------------------------------


def _kernel_parameters(text: str) -> tuple[tuple[str, str | None], ...]:
    found: list[tuple[str, str | None]] = []
    for argument in _KERNEL_ARGUMENT.finditer(_until_nul(text)):
        name, value = _split_argument(argument[0])
        if name == b"--" and value is None:
            break
        found.append((_decode(name), None if value is None else _decode(value)))
    return tuple(found)


def _split_argument(text: bytes) -> tuple[bytes, bytes | None]:
    """Part name and value; of the quotes only one at the start and one at the end are taken away."""
    is_quoted = text.startswith(b'"')
    text = text[is_quoted:]
    equals = text.find(b"=", 1)  # one at the very start parts nothing
    if equals < 0:
        return (text.removesuffix(b'"') if is_quoted else text), None
    value = text[equals + 1 :]
    if value.startswith(b'"'):
        return text[:equals], value[1:].removesuffix(b'"')
    return text[:equals], value.removesuffix(b'"') if is_quoted else value


# --- kmod -------------------------------------------------------------------------------------------------------------


def _kmod_parameters(text: str) -> Iterator[tuple[str, str, str]]:
    """Find ``module.parameter`` and ``module.parameter=value``.

    :returns: the module, the whole behind the dot, and the value alone
    """
    for argument in _KMOD_ARGUMENT.finditer(_until_nul(text)[: _KMOD_BUFFER - 1]):
        found = _KMOD_PARAMETER.fullmatch(argument[0])
        if not found or argument[0].count(b'"') % 2:
            continue
        quote, module, parameter, value = (_decode(part or b"") for part in found.groups())
        if found["value"] is None:
            yield module, parameter, ""
        else:
            # A boot loader quotes the whole; the kernel wants the quote before the value.
            yield module, f"{parameter}={quote}{value}", quote + value


def _until_nul(text: str) -> bytes:
    return text.split("\0", 1)[0].encode("utf-8", "surrogateescape")


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
