"""Tasks that several processes do, in order."""

import os
import threading
import time
from collections.abc import Callable

import pytest

from lkm.system import side_by_side
from lkm.system.side_by_side import in_order

Work = Callable[[int], bytes | None]


def done(count: int, work: Work) -> list[bytes | None]:
    """Do all tasks, as callers do it."""
    return [work(number) if found is None else found for number, found in enumerate(in_order(count, work))]


@pytest.fixture(autouse=True)
def four_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "processors", lambda: 4)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 61])
def test_results_come_in_order(count: int) -> None:
    assert done(count, lambda number: b"%d" % number) == [b"%d" % number for number in range(count)]


def test_others_do_a_part() -> None:
    pids = {int(found or b"0") for found in in_order(40, lambda _: b"%d" % os.getpid())}
    assert len(pids) == 4
    assert os.getpid() not in pids
    assert 0 in pids  # the caller's own


def test_the_first_is_the_callers() -> None:
    seen: list[int] = []
    for number, found in enumerate(in_order(9, lambda _: b"%d" % len(seen))):
        if found is None:
            seen.append(number)
        else:
            assert found == b"1"
    assert seen[0] == 0


def test_large_results_and_those_left_to_the_caller() -> None:
    def work(number: int) -> bytes | None:
        return None if number % 3 == 0 else bytes([number]) * (3 << 20)

    found = list(in_order(9, work))
    assert all(one is None or one == work(number) for number, one in enumerate(found))
    assert sum(one is not None for one in found) > 2


def test_a_process_that_dies_leaves_its_tasks_to_the_caller() -> None:
    parent = os.getpid()

    def work(number: int) -> bytes:
        if os.getpid() != parent and number > 12:
            os._exit(1)
        return b"%d" % number

    assert done(40, work) == [b"%d" % number for number in range(40)]


def test_an_error_elsewhere_leaves_the_tasks_to_the_caller() -> None:
    parent = os.getpid()

    def work(number: int) -> bytes:
        if os.getpid() != parent:
            raise ValueError
        return b"%d" % number

    assert done(9, work) == [b"%d" % number for number in range(9)]


def test_leaving_early_ends_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    fork = os.fork

    def noted() -> int:
        started.append(fork())
        return started[-1]

    monkeypatch.setattr(os, "fork", noted)
    results = in_order(1000, lambda _: bytes(1 << 20))
    assert [next(results) for _ in range(2)] == [None, None]
    start = time.monotonic()
    results.close()
    assert time.monotonic() - start < 5
    assert started
    for pid in started:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def test_without_processes_the_caller_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError

    monkeypatch.setattr(os, "fork", refuse)
    assert list(in_order(9, lambda _: b"x")) == [None] * 9


def test_no_fork_beside_threads() -> None:
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    try:
        assert list(in_order(9, lambda _: b"x")) == [None] * 9
    finally:
        go_on.set()
        thread.join()
