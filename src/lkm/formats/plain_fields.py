"""The fields of a JSON object, each taken out as the type that it must have."""

from binascii import Error, a2b_base64
from typing import Any

from lkm.errors import FormatError

__all__ = ["PlainFields"]


class PlainFields:
    """An object that came out of ``json.loads``. Every method raises FormatError where the field has another type.

    :param plain: its keys are texts, as JSON's are
    """

    __slots__ = ("_plain",)

    def __init__(self, plain: dict[str, Any]) -> None:
        self._plain = plain

    def is_null(self, name: str) -> bool:
        """Tell whether a field is there and null."""
        return self._plain.get(name, ...) is None

    def text(self, name: str) -> str:
        """Give a text."""
        return str(self._typed(name, str, "no text"))

    def truth(self, name: str) -> bool:
        """Give true or false."""
        return bool(self._typed(name, bool, "neither true nor false"))

    def number(self, name: str, highest: int) -> int:
        """Give a number from 0 up to the highest."""
        found = self._typed(name, int, "no number")
        if not 0 <= found <= highest:
            raise FormatError(f"its {name} is not between 0 and {highest}")
        return int(found)

    def table(self, name: str) -> dict[str, Any]:
        """Give an object, whatever is in it."""
        found: dict[str, Any] = self._typed(name, dict, "no object")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a list of texts."""
        found = self._typed(name, list, "no list")
        if set(map(type, found)) - {str}:
            raise FormatError(f"its {name} holds something else than texts")
        return tuple(found)

    def words(self, name: str) -> dict[str, str]:
        """Give an object of texts."""
        found = self.table(name)
        if set(map(type, found.values())) - {str}:
            raise FormatError(f"its {name} holds something else than texts")
        return found

    def lists(self, name: str) -> dict[str, tuple[str, ...]]:
        """Give an object of lists of texts."""
        found = self.table(name)
        if set(map(type, found.values())) - {list}:
            raise FormatError(f"its {name} holds something else than lists")
        if {type(text) for texts in found.values() for text in texts} - {str}:
            raise FormatError(f"its {name} holds something else than lists of texts")
        return {key: tuple(texts) for key, texts in found.items()}

    def binaries(self, name: str) -> tuple[bytes, ...]:
        """Give a list of bytes, which stand there in base64."""
        try:
            return tuple(a2b_base64(text, strict_mode=True) for text in self.texts(name))
        except (Error, ValueError):
            raise FormatError(f"its {name} are not in base64") from None

    def _typed(self, name: str, kind: type, complaint: str) -> Any:
        if name not in self._plain:
            raise FormatError(f"it lacks {name}")
        found = self._plain[name]
        if type(found) is not kind:  # to isinstance, true is a number
            raise FormatError(f"its {name} is {complaint}")
        return found
