"""How ``modinfo`` lays out what it shows.

Facts: kmod 30, tools/modinfo.c ``modinfo_do``, ``modinfo_params_do``.
"""

from collections.abc import Callable, Sequence

__all__ = ["Layout"]

_LABEL_WIDTH = 16
_PARM = b"parm"
_PARAMETER_KEYS = (_PARM, b"parmtype")
_BEGINS_PARAMETER = b"\0" + _PARM  # no entry holds a NUL
_MOST_LABELS = 1000


class Layout:
    """What is shown, and what ends each part of it. All is bytes, as it stands in the files.

    :param only: the one field whose values are shown; None shows all with their names
    :param separator: after each value
    :param complain: called with the message about a field that can't be read
    """

    __slots__ = ("_complain", "_labels", "_separator", "only")

    def __init__(self, only: str | None, separator: str, complain: Callable[[str], None]) -> None:
        self.only = None if only is None else _bytes(only)
        self._separator = _bytes(separator)
        self._complain = complain
        self._labels = _Labels(self._separator)

    def head(self, name: str, filename: str | None) -> bytes:
        """Lay out what comes before the module is opened.

        :param filename: None for a built-in, whose name is shown too
        """
        parts = [(b"filename", b"(builtin)" if filename is None else _bytes(filename))]
        if filename is None:
            parts.insert(0, (b"name", _bytes(name)))
        if self.only is not None:
            return self._lines([value for key, value in parts if key == self.only])
        return self._lines([_label(key) + value for key, value in parts])

    def body(self, entries: Sequence[bytes]) -> bytes:
        """Lay out entries, each ``key=value`` or a key without a value, in their order, the parameters at the end."""
        fields = [entry.partition(b"=") for entry in entries]
        if self.only == _PARM:
            return self._lines(self._parameters(fields, between=b": "))
        if self.only is not None:
            return self._lines([value for key, _, value in fields if key == self.only])
        labels = self._labels
        if _BEGINS_PARAMETER not in b"\0".join([b"", *entries]):  # as in most: this spares them looking at each key
            return self._lines([labels[key] + value for key, _, value in fields])
        others = [labels[key] + value for key, _, value in fields if key not in _PARAMETER_KEYS]
        label = _label(_PARM)
        return self._lines(others + [label + text for text in self._parameters(fields, between=b":")])

    def _lines(self, values: list[bytes]) -> bytes:
        values.append(b"")
        return self._separator.join(values)

    def _parameters(self, fields: Sequence[tuple[bytes, bytes, bytes]], *, between: bytes) -> list[bytes]:
        """Bring types and descriptions together; kmod shows the parameter first that it met last."""
        found: dict[bytes, None] = {}
        descriptions: dict[bytes, bytes] = {}
        types: dict[bytes, bytes] = {}
        for key, equals, value in fields:
            if key not in _PARAMETER_KEYS:
                continue
            name, colon, text = value.partition(b":")
            if not colon:
                shown = (key + (equals or b"=") + value).decode("utf-8", "surrogateescape")
                self._complain(f"Found invalid \"{shown}\": missing ':'")
                continue
            found[name] = None
            (descriptions if key == _PARM else types)[name] = text
        return [_parameter(name, descriptions.get(name), types.get(name), between) for name in reversed(found)]


def _parameter(name: bytes, description: bytes | None, kind: bytes | None, between: bytes) -> bytes:
    if description is None:
        return b"%s%s(%s)" % (name, between, kind) if between == b": " else b"%s%s%s" % (name, between, kind)
    if kind is None:
        return b"%s:%s" % (name, description)
    return b"%s:%s (%s)" % (name, description, kind)


def _label(key: bytes) -> bytes:
    return (key + b":").ljust(_LABEL_WIDTH)


class _Labels(dict[bytes, bytes]):
    """Labels of keys: 16 characters wide, and wider again where the key is longer than 15; ``key=`` before a NUL."""

    def __init__(self, separator: bytes) -> None:
        super().__init__()
        self._ends_by_nul = separator == b"\0"

    def __missing__(self, key: bytes) -> bytes:
        blanks = abs(_LABEL_WIDTH - 1 - len(key))
        label = key + b"=" if self._ends_by_nul else key + b":" + b" " * blanks
        if len(self) < _MOST_LABELS:
            self[key] = label
        return label


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
