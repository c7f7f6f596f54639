"""Parsing a module's parameters as the kernel does (kernel/params.c, lib/cmdline.c, lib/kstrtox.c)."""

import errno
import re
from collections.abc import Callable
from dataclasses import dataclass

from lkm.formats.parameters import Parameter
from lkm.rules.loading.attempt import Attempt, Refusal
from lkm.rules.signature_policy import Lockdown, parse_boolean
from lkm.rules.taint import Taint

__all__ = ["parse_parameters"]

_SPACES = " \t\n\v\f\r\xa0"  # isspace() of lib/ctype.c, which also counts 0xa0
_CHARP_LIMIT = 1024

_INTEGERS = {
    "byte": (0, 2**8 - 1),
    "short": (-(2**15), 2**15 - 1),
    "ushort": (0, 2**16 - 1),
    "int": (-(2**31), 2**31 - 1),
    "uint": (0, 2**32 - 1),
    "hexint": (0, 2**32 - 1),
    "long": (-(2**63), 2**63 - 1),
    "ulong": (0, 2**64 - 1),
    "ullong": (0, 2**64 - 1),
}
_WITHOUT_VALUE = frozenset({"bool", "bool_enable_only", "bint"})  # KERNEL_PARAM_OPS_FL_NOARG
_NUMBER = re.compile(r"([+-]?)(0[xX](?=[0-9a-fA-F])|0|)([0-9a-fA-F]*)\n?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Failure:
    errno: int
    quoted: str  # the value as the kernel's line quotes it


def parse_parameters(attempt: Attempt) -> Refusal | None:
    """``parse_args``: all are parsed, a bad one does not end it, and the last failure gives the errno."""
    declared = attempt.image.parameters
    values: dict[str, str] = {}
    last: int | None = None
    rest = attempt.request.parameters.lstrip(_SPACES)
    while rest:
        name, value, rest = _next(rest)
        if value is None and name == "--":
            if rest and last is None:
                attempt.say(f"{attempt.name}: parameters '{rest}' after `--' ignored")
            break
        failure = _set(attempt, declared, name, value, values)
        if failure:
            large = failure.errno == errno.ENOSPC
            relation = "too large" if large else "invalid"
            attempt.say(f"{attempt.name}: `{failure.quoted}' {relation} for parameter `{name}'")
            last = failure.errno
    attempt.parameters = values
    return Refusal(last) if last else None


def _next(text: str) -> tuple[str, str | None, str]:
    """``next_arg``: cut the next name and value off; blanks count inside double quotes."""
    quoted = text.startswith('"')
    body = text[1:] if quoted else text
    in_quote = quoted
    equals = end = 0
    for end, character in enumerate(body):
        if character in _SPACES and not in_quote:
            break
        if character == "=" and not equals:
            equals = end
        if character == '"':
            in_quote = not in_quote
    else:
        end = len(body)
    word, rest = body[:end], body[end + 1 :].lstrip(_SPACES)
    if not equals:
        return (word.removesuffix('"') if quoted else word), None, rest
    name, value = word[:equals], word[equals + 1 :]
    if value.startswith('"'):
        value = value[1:].removesuffix('"')
    elif quoted:
        value = value.removesuffix('"')
    return name, value, rest


def _set(
    attempt: Attempt, declared: tuple[Parameter, ...], name: str, value: str | None, values: dict[str, str]
) -> _Failure | None:
    """``parse_one``: the first declared parameter of this name takes it; unknown ones are ignored with a line."""
    wanted = name.replace("-", "_")
    found = next((parameter for parameter in declared if parameter.name.replace("-", "_") == wanted), None)
    if found is None:
        if name not in {"async_probe", "dyndbg"}:
            attempt.say(f"{attempt.name}: unknown parameter '{name}' ignored")
        return None
    kind, is_array = _kind(found)
    if value is None and (is_array or kind not in _WITHOUT_VALUE):
        return _Failure(errno.EINVAL, "")
    if found.hwparam and attempt.lockdown is not Lockdown.NONE:
        return _Failure(errno.EPERM, value or "")
    if found.unsafe:
        attempt.say(f"Setting dangerous option {found.name} - tainting kernel")
        attempt.add_taint(Taint.USER, kernel_only=True)
    if is_array:
        return _set_array(attempt, kind, found, value or "", values)
    outcome = _convert(attempt, kind, found.name, value)
    if isinstance(outcome, int):
        return _Failure(outcome, value or "")
    values[found.name] = outcome
    return None


def _kind(parameter: Parameter) -> tuple[str, bool]:
    kind = parameter.type or "unknown"
    return kind.removeprefix("array of "), parameter.is_array or kind.startswith("array of ")


def _set_array(attempt: Attempt, kind: str, parameter: Parameter, text: str, values: dict[str, str]) -> _Failure | None:
    """``param_array``: the buffer is cut at each comma, so an error quotes only what stood before the first."""
    elements = text.split(",")
    shown: list[str] = []
    for number, element in enumerate(elements):
        if number == parameter.capacity:
            attempt.say(f"{parameter.name}: can only take {number} arguments")
            return _Failure(errno.EINVAL, elements[0])
        outcome = _convert(attempt, kind, parameter.name, element)
        if isinstance(outcome, int):
            return _Failure(outcome, elements[0])
        shown.append(outcome)
    values[parameter.name] = ",".join(shown)
    return None


def _convert(attempt: Attempt, kind: str, name: str, text: str | None) -> str | int:
    """Give the value as sysfs would show it, or an errno."""
    if kind in _INTEGERS:
        return _integer(kind, text or "")
    if kind in {"bool", "bool_enable_only", "invbool", "bint"}:
        return _boolean(kind, text, wide=attempt.traits.wide_booleans)
    if kind == "charp" and text is not None and len(text.encode("utf-8", "surrogateescape")) > _CHARP_LIMIT:
        attempt.say(f"{name}: string parameter too long")
        return errno.ENOSPC
    return text or ""


def _boolean(kind: str, text: str | None, *, wide: bool) -> str | int:
    value = parse_boolean(text, wide=wide)
    if value is None:
        return errno.EINVAL
    if kind == "bint":
        return str(int(value))
    return "Y" if value else "N"


def _integer(kind: str, text: str) -> str | int:
    """``kstrtoint`` and its kin with base 0: an optional sign, 0x or 0 for the base, one newline at the end."""
    lowest, highest = _INTEGERS[kind]
    match = _NUMBER.fullmatch(text)
    if match is None:
        return errno.EINVAL
    sign, prefix, digits = match.groups()
    if sign == "-" and lowest == 0:
        return errno.EINVAL
    parse = _base(prefix)
    value = parse(digits, prefix)
    if value is None:
        return errno.EINVAL
    value = -value if sign == "-" else value
    if not lowest <= value <= highest:
        return errno.ERANGE
    return f"{value:#08x}" if kind == "hexint" else str(value)


def _base(prefix: str) -> Callable[[str, str], int | None]:
    if len(prefix) > 1:
        return lambda digits, _: int(digits, 16)
    base, allowed = (8, "01234567") if prefix else (10, "0123456789")

    def parse(digits: str, prefix: str) -> int | None:
        text = prefix + digits
        if not text or any(digit not in allowed for digit in digits):
            return None
        return int(text, base) if len(text) < _MOST_DIGITS else 2**65

    return parse


_MOST_DIGITS = 400  # longer ones are out of every range, and dear to convert
