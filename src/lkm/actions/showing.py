"""How an action that takes long tells whoever asked for it how far it is."""

import contextlib
from collections.abc import Callable, Iterator

__all__ = ["Advance", "Showing", "unseen"]

Advance = Callable[[int], None]
"""Takes how many parts were done since the last call; 0 only says that it goes on."""

Showing = Callable[[int], contextlib.AbstractContextManager[Advance]]
"""Is given the number of all parts before the first."""


@contextlib.contextmanager
def unseen(_: int) -> Iterator[Advance]:
    """Show nothing, for those who don't look."""
    yield lambda _: None
