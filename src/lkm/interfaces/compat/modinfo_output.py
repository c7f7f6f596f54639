"""How ``modinfo`` lays out what it shows.

Facts: kmod 30, tools/modinfo.c ``modinfo_do``, ``modinfo_params_do``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lkm.interfaces.compat.modinfo_source import Fields

__all__ = ["Layout"]

_LABEL_WIDTH = 16
_PARAMETER_KEYS = ("parm", "parmtype")


@dataclass(slots=True)
class _Parameter:
    description: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What is shown, and what ends each part of it.

    :param only: the one field whose values are shown; None shows all with their names
    :param separator: after each value
    :param complain: called with the message about a field that can't be read
    """

    only: str | None
    separator: str
    complain: Callable[[str], None]
    _labels: "_Labels" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_labels", _Labels(self.separator))

    def head(self, name: str, filename: str | None) -> str:
        """Lay out what comes before the module is opened.

        :param filename: None for a built-in, whose name is shown too
        """
        parts: Fields = [("filename", "(builtin)" if filename is None else filename)]
        if filename is None:
            parts.insert(0, ("name", name))
        if self.only is not None:
            return "".join(f"{value}{self.separator}" for key, value in parts if key == self.only)
        return "".join(f"{f'{key}:':<{_LABEL_WIDTH}}{value}{self.separator}" for key, value in parts)

    def body(self, fields: Fields) -> str:
        """Lay out the fields in their order, the parameters after all others."""
        if self.only == "parm":
            return "".join([f"{text}{self.separator}" for text in self._parameters(fields, between=": ")])
        if self.only is not None:
            return "".join([f"{value}{self.separator}" for key, value in fields if key == self.only])
        labels, separator = self._labels, self.separator
        others = [labels[key] + value + separator for key, value in fields if key not in _PARAMETER_KEYS]
        label = f"{'parm:':<{_LABEL_WIDTH}}"
        others += [f"{label}{text}{self.separator}" for text in self._parameters(fields, between=":")]
        return "".join(others)

    def _parameters(self, fields: Fields, *, between: str) -> Iterable[str]:
        """Bring types and descriptions together; kmod shows the parameter first that it met last."""
        found: dict[str, _Parameter] = {}
        for key, value in fields:
            if key not in _PARAMETER_KEYS:
                continue
            name, colon, text = value.partition(":")
            if not colon:
                self.complain(f"Found invalid \"{key}={value}\": missing ':'")
                continue
            parameter = found.setdefault(name, _Parameter())
            if key == "parm":
                parameter.description = text
            else:
                parameter.type = text
        return [_parameter(name, found[name], between) for name in reversed(found)]


def _parameter(name: str, parameter: _Parameter, between: str) -> str:
    if parameter.description is None:
        shown = f"({parameter.type})" if between == ": " else f"{parameter.type}"
        return f"{name}{between}{shown}"
    if parameter.type is None:
        return f"{name}:{parameter.description}"
    return f"{name}:{parameter.description} ({parameter.type})"


class _Labels(dict[str, str]):
    """Labels of keys: 16 characters wide, and wider again where the key is longer than 15; ``key=`` before a NUL."""

    def __init__(self, separator: str) -> None:
        super().__init__()
        self._ends_by_nul = separator == "\0"

    def __missing__(self, key: str) -> str:
        blanks = abs(_LABEL_WIDTH - 1 - len(key.encode("utf-8", "surrogateescape")))
        label = self[key] = f"{key}=" if self._ends_by_nul else f"{key}:{' ' * blanks}"
        return label
