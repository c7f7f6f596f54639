"""Parsing a module's parameters as the kernel does (kernel/params.c, lib/cmdline.c, lib/kstrtox.c; 6.1)."""

import errno
import re
from dataclasses import dataclass

from lkm.formats.parameters import Parameter
from lkm.rules.loading.attempt import Attempt, Refusal
from lkm.rules.signatures.policy import Lockdown, parse_boolean
from lkm.rules.taint import Taint

__all__ = ["parse_parameters"]

_SPACES = " \t\n\v\f\r\xa0"  # isspace() of lib/ctype.c, which also counts 0xa0
_CHARP_LIMIT = 1024

# (bits, signed) of the integers of kernel/params.c; those that are as wide as a pointer have 0.
_INTEGERS = {
    "byte": (8, False),
    "short": (16, True),
    "ushort": (16, False),
    "int": (32, True),
    "uint": (32, False),
    "hexint": (32, False),
    "long": (0, True),
    "ulong": (0, False),
    "ullong": (64, False),
}
_BOOLEANS = frozenset({"bool", "bool_enable_only", "invbool", "bint"})
_TEXTS = frozenset({"charp", "string"})
_WITHOUT_VALUE = frozenset({"bool", "bool_enable_only", "bint"})  # KERNEL_PARAM_OPS_FL_NOARG
_DIGITS = {
    8: re.compile("[0-7]+"),
    10: re.compile("[0-9]+"),
    16: re.compile("[0-9a-fA-F]+"),
}
_MOST_DIGITS = 22  # of 2**64 in octal


@dataclass(frozen=True, slots=True)
class _Failure:
    errno: int
    quoted: str  # the value as the kernel's line quotes it


def parse_parameters(attempt: Attempt) -> Refusal | None:
    """``parse_args``: all are parsed, a bad one does not end it, and the last failure gives the errno."""
    declared = attempt.declared
    values: dict[str, str] = {}
    last: int | None = None
    rest = _bytewise(attempt.request.parameters)
    while rest:
        name, value, rest = _next(rest)
        if value is None and name == "--":
            if last is None:
                attempt.say(f"{attempt.name}: parameters '{_text(rest)}' after `--' ignored")
            break
        failure = _set(attempt, declared, _text(name), None if value is None else _text(value), values)
        if failure:
            relation = "too large" if failure.errno == errno.ENOSPC else "invalid"
            attempt.say(f"{attempt.name}: `{failure.quoted}' {relation} for parameter `{_text(name)}'")
            last = failure.errno
    attempt.parameters = values
    return Refusal(last) if last else None


def _bytewise(text: str) -> str:
    """Give the string as the kernel sees it: up to a NUL, a character a byte, without blanks before it."""
    raw = text.split("\0", 1)[0].encode("utf-8", "surrogateescape")
    return raw.decode("latin-1").lstrip(_SPACES)


def _text(characters: str) -> str:
    return characters.encode("latin-1").decode("utf-8", "surrogateescape")


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
        _say_unknown(attempt, name)
        return None
    kind = _kind(found)
    if value is None and (found.is_array or kind not in _WITHOUT_VALUE):
        return _Failure(errno.EINVAL, "")
    if found.hwparam and attempt.lockdown is not Lockdown.NONE:
        attempt.say_locked_down("unsafe module parameters")
        return _Failure(errno.EPERM, value or "")
    if found.unsafe:
        attempt.say(f"Setting dangerous option {found.name} - tainting kernel")
        attempt.add_taint(Taint.USER, kernel_only=True)
    if found.is_array:
        return _set_array(attempt, kind, found, value or "", values)
    outcome = _convert(attempt, kind, found, value)
    if outcome == "N" and kind == "bool_enable_only" and values.get(found.name) == "Y":
        outcome = errno.EROFS  # once on, it stays on
    if isinstance(outcome, int):
        return _Failure(outcome, value or "")
    values[found.name] = outcome
    return None


def _say_unknown(attempt: Attempt, name: str) -> None:
    """``unknown_module_param_cb``, which knows two names that no module declares.

    Dynamic debugging cuts the name at a dot on the way (lib/dynamic_debug.c ``ddebug_dyndbg_param_cb``).
    """
    if name == "async_probe":
        return
    has_debug = attempt.profile.has("DYNAMIC_DEBUG")
    shown, dot, rest = name.partition(".") if has_debug else (name, "", "")
    if (rest if dot else shown) != "dyndbg":
        attempt.say(f"{attempt.name}: unknown parameter '{shown}' ignored")
    elif not has_debug:
        attempt.say("dyndbg param is supported only in CONFIG_DYNAMIC_DEBUG builds")


def _kind(parameter: Parameter) -> str:
    """Give the type by the functions that the kernel calls; what .modinfo says of it is for people."""
    ops = parameter.element_ops if parameter.is_array else parameter.ops
    return (ops or "").removeprefix("param_ops_")


def _set_array(attempt: Attempt, kind: str, parameter: Parameter, text: str, values: dict[str, str]) -> _Failure | None:
    """``param_array``: the buffer is cut at each comma, so an error quotes only what stood before the first."""
    elements = text.split(",")
    shown: list[str] = []
    for number, element in enumerate(elements):
        if number == parameter.capacity:
            attempt.say(f"{parameter.name}: can only take {number} arguments")
            return _Failure(errno.EINVAL, elements[0] if number else text)
        outcome = _convert(attempt, kind, parameter, element)
        if isinstance(outcome, int):
            return _Failure(outcome, elements[0])
        shown.append(outcome)
    values[parameter.name] = ",".join(shown)
    return None


def _convert(attempt: Attempt, kind: str, parameter: Parameter, text: str | None) -> str | int:
    """Give the value as sysfs would show it, or an errno."""
    if kind in _BOOLEANS:
        return _boolean(attempt, kind, text)
    value = text or ""
    if kind in _INTEGERS:
        return _integer(kind, value, is_64bit=attempt.profile.is_64bit)
    if kind in _TEXTS:
        return _string(attempt, kind, parameter, value)
    attempt.undecidable.append(f"what the module's own code makes of {parameter.name}={value}")
    return value


def _string(attempt: Attempt, kind: str, parameter: Parameter, text: str) -> str | int:
    """``param_set_charp`` and ``param_set_copystring``."""
    size = len(text.encode("utf-8", "surrogateescape"))
    if kind == "charp" and size > _CHARP_LIMIT:
        attempt.say(f"{parameter.name}: string parameter too long")
        return errno.ENOSPC
    if kind == "string" and parameter.capacity is not None and size >= parameter.capacity:
        attempt.say(f"{parameter.name}: string doesn't fit in {parameter.capacity - 1} chars.")
        return errno.ENOSPC
    return text


def _boolean(attempt: Attempt, kind: str, text: str | None) -> str | int:
    value = parse_boolean(text, true=attempt.traits.true_letters, false=attempt.traits.false_letters)
    if value is None:
        return errno.EINVAL
    if kind == "bint":
        return str(int(value))
    return "Y" if value else "N"


def _integer(kind: str, text: str, *, is_64bit: bool) -> str | int:
    """``kstrtoint`` and its kin with base 0."""
    width, is_signed = _INTEGERS[kind]
    width = width or (64 if is_64bit else 32)
    highest = (1 << (width - 1 if is_signed else width)) - 1
    lowest = -highest - 1 if is_signed else 0
    is_negative = is_signed and text.startswith("-")
    magnitude = _magnitude(text[1:] if is_negative else text.removeprefix("+"))
    if isinstance(magnitude, _Failure):
        return magnitude.errno
    value = -magnitude if is_negative else magnitude
    if not lowest <= value <= highest:
        return errno.ERANGE
    return f"{value:#08x}" if kind == "hexint" else str(value)


def _magnitude(text: str) -> int | _Failure:
    """``_kstrtoull``: too large is noticed before what does not belong there; one newline may end it."""
    base, digits_at = _radix(text)
    match = _DIGITS[base].match(text, digits_at)
    if match is None:
        return _Failure(errno.EINVAL, text)
    digits = match[0].lstrip("0") or "0"
    if len(digits) > _MOST_DIGITS or int(digits, base) >> 64:
        return _Failure(errno.ERANGE, text)
    if text[match.end() :] not in {"", "\n"}:
        return _Failure(errno.EINVAL, text)
    return int(digits, base)


def _radix(text: str) -> tuple[int, int]:
    """``_parse_integer_fixup_radix``: the base, and where the digits begin."""
    if not text.startswith("0"):
        return 10, 0
    if text[1:2] in {"x", "X"} and _DIGITS[16].match(text, 2):
        return 16, 2
    return 8, 0
