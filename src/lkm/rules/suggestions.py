"""Names that are like a name that was not found."""

from collections.abc import Iterable

__all__ = ["similar"]

_MOST = 3


def similar(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Give up to three known names that are much like this one, the closest first."""
    import difflib  # noqa: PLC0415  dear, and only for an error

    wanted = name.replace("-", "_")[:64]
    return tuple(difflib.get_close_matches(wanted, set(known), _MOST, cutoff=0.75))
