"""Telling a function how far a task is."""

from lkm.actions.library.progress import watching


def test_the_sum_is_told() -> None:
    seen: list[tuple[int, int]] = []
    with watching(lambda done, total: seen.append((done, total)))(5) as advance:
        for parts in (1, 0, 4):
            advance(parts)
    assert seen == [(1, 5), (1, 5), (5, 5)]


def test_nobody_needs_to_listen() -> None:
    with watching(None)(5) as advance:
        advance(5)
    with watching(None)(0):
        pass
