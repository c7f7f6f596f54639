"""Giving errors a place: parsers know bytes and no file names."""

from lkm.errors import FormatError, LkmError

__all__ = ["located"]


class located:  # noqa: N801  used like a function
    """Give the errors that come out of a ``with`` block, and that name no place, this one.

    :param where: the file
    :param hint: what to do about a damaged file, for errors that give no advice
    """

    __slots__ = ("hint", "where")

    def __init__(self, where: str, *, hint: str | None = None) -> None:
        self.where = where
        self.hint = hint

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, LkmError) and error.where is None:
            error.where = self.where
            if isinstance(error, FormatError) and error.hint is None:
                error.hint = self.hint
