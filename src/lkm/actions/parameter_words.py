"""Parameters as a user gives them, written as the kernel reads them."""

from collections.abc import Mapping, Sequence

from lkm.errors import UsageError

__all__ = ["ParameterValue", "parameter_string", "parameter_words", "quoted"]

ParameterValue = str | int | bool | Sequence[str | int] | None
"""A text, a number, yes or no, several of them for an array, or None for a name without a value."""


def quoted(word: str) -> str:
    """Quote the value of ``name=value`` if it has blanks (Linux 6.1, lib/cmdline.c ``next_arg``).

    :param word: a value that begins with a quote is taken to be quoted already
    """
    name, equals, value = word.partition("=")
    # To the kernel a byte a0 is a blank (lib/ctype.c), and some letters of UTF-8 end in one, as à does.
    has_blanks = any(character.isspace() for character in value) or b"\xa0" in value.encode("utf-8", "surrogateescape")
    return f'{name}{equals}"{value}"' if has_blanks and not value.startswith('"') else word


def parameter_string(parameters: Mapping[str, ParameterValue]) -> str:
    """Write parameters for the kernel.

    :param parameters: values by name
    :raises UsageError: the kernel can't be told this: a name with blanks, or a value with blanks and quotes
    """
    return " ".join(_written(name, value) for name, value in parameters.items())


def parameter_words(parameters: Mapping[str, ParameterValue]) -> tuple[str, ...]:
    """Write parameters as the words of a command line, each ``name=value`` without quotes.

    :param parameters: values by name
    :raises UsageError: a name can't be one
    """
    for name in parameters:
        _require_name(name)
    return tuple(name if value is None else f"{name}={_text(value)}" for name, value in parameters.items())


def _require_name(name: str) -> None:
    if not name or any(character.isspace() or character in '="\0' for character in name):
        raise UsageError(f"{name!r} is no name of a parameter")


def _written(name: str, value: ParameterValue) -> str:
    _require_name(name)
    if value is None:
        return name
    text = _text(value)
    if "\0" in text or ('"' in text and any(character.isspace() for character in text)):
        raise UsageError(
            f"the value {text!r} of {name} can't be written", hint="the kernel knows no way to quote a quote"
        )
    return quoted(f"{name}={text}")


def _text(value: str | int | Sequence[str | int]) -> str:
    match value:
        case str():
            return value
        case bool():
            return "Y" if value else "N"
        case int():
            return str(value)
        case _:
            return ",".join(map(_text, value))
