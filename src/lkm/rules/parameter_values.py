"""Whether a kernel takes a value for a parameter, and what it makes of it: the kernel's parsing, asked for one."""

import errno
import re
from dataclasses import dataclass, replace

from lkm.formats.kernel_cmdline import Cmdline
from lkm.formats.parameters import Parameter
from lkm.rules.loading.attempt import Attempt, KernelState, Request
from lkm.rules.loading.parameters import parse_parameters
from lkm.rules.signatures.policy import Lockdown
from lkm.system.kernel_profile import KernelProfile

__all__ = ["Judged", "Setting", "judge", "settings_in", "with_kind"]

_NUMBERS = ("byte", "short", "ushort", "int", "uint", "hexint", "long", "ulong", "ullong")
_KINDS = frozenset((*_NUMBERS, "bool", "bool_enable_only", "invbool", "bint", "charp", "string"))
_ARRAY = "array of "
_WORDS = {
    "bool": "yes or no: y or n, 1 or 0, on or off",
    "bool_enable_only": "yes or no, and once yes it stays so",
    "invbool": "yes or no: y or n, 1 or 0, on or off",
    "bint": "yes or no, as 1 or 0",
    "charp": "a text of up to 1024 bytes",
    "string": "a text",
}
# Arguments as lib/cmdline.c parts them; see formats/kernel_cmdline.py.
_ARGUMENT = re.compile(rb'(?:[^ \t\n\v\f\r\xa0"]+|"[^"]*"?)+')


@dataclass(frozen=True, slots=True)
class Judged:
    """What the kernel makes of a value.

    :param shown: the value as sysfs would show it; None where the kernel refuses it
    :param errno: 0 where the kernel takes it
    :param reason: why not, a clause
    :param is_certain: only the module's own code decides, where False
    """

    shown: str | None
    errno: int = 0
    reason: str = ""
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Setting:
    """One ``name=value`` of a parameter string.

    :param name: as written
    :param value: None where there is no ``=``
    :param text: the whole as it stands there, quotes included
    """

    name: str
    value: str | None
    text: str


def settings_in(options: str) -> tuple[Setting, ...]:
    """Part a parameter string, as an options line has one; what stands behind ``--`` counts no more."""
    raw = options.split("\0", 1)[0].encode("utf-8", "surrogateescape")
    texts = (argument[0].decode("utf-8", "surrogateescape") for argument in _ARGUMENT.finditer(raw))
    parts = Cmdline(options).parameters
    return tuple(Setting(name, value, text) for (name, value), text in zip(parts, texts, strict=False))


def with_kind(parameter: Parameter) -> Parameter:
    """Fill in from the type that modinfo states which functions of the kernel a parameter uses, where no file tells.

    Of a built-in only modinfo is known.
    """
    stated = parameter.type or ""
    kind = stated.removeprefix(_ARRAY)
    if parameter.ops is not None or kind not in _KINDS:
        return parameter
    if stated.startswith(_ARRAY):
        return replace(parameter, is_array=True, ops="param_array_ops", element_ops=f"param_ops_{kind}")
    return replace(parameter, ops=f"param_ops_{kind}")


def judge(parameter: Parameter, text: str, profile: KernelProfile) -> Judged:
    """Say what the kernel makes of a value.

    :param parameter: as the module declares it
    :param text: ``name=value`` as a parameter string has it, quoted where that is needed; or the name alone
    :param profile: for the version and the width of numbers
    """
    attempt = Attempt(Request(b"", text), profile, KernelState(), profile.traits, Cmdline(""), Lockdown.NONE)
    attempt.__dict__ |= {"declared": (with_kind(parameter),), "name": parameter.name}  # what else the file would tell
    refusal = parse_parameters(attempt)
    if refusal is not None:
        return Judged(None, refusal.errno, _reason(with_kind(parameter), refusal.errno, attempt.log))
    return Judged(attempt.parameters.get(parameter.name), is_certain=not attempt.undecidable)


def _reason(parameter: Parameter, code: int, log: list[str]) -> str:
    kind = ((parameter.element_ops if parameter.is_array else parameter.ops) or "").removeprefix("param_ops_")
    if kind not in _KINDS:
        return "it takes a value"  # more the kernel does not ask where the module's own code reads it
    wanted = _WORDS.get(kind) or f"a number of type {kind}"
    if parameter.is_array and any("can only take" in line for line in log):
        return f"it takes {parameter.capacity} values at most"
    if code == errno.ERANGE:
        return f"out of the range of {kind}"
    if code == errno.ENOSPC:
        most = 1024 if kind == "charp" else (parameter.capacity or 1) - 1
        return f"too long: it takes {most} bytes at most"
    return f"it takes {wanted}" + (", or several between commas" if parameter.is_array else "")
