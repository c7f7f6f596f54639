"""Tasks that several processes take, one after the other."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lkm.system import shared_out as module
from lkm.system.shared_out import shared_out


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "processors", lambda: 2)


def squares(numbers: Iterator[int]) -> Iterator[bytes]:
    for number in numbers:
        yield f"{number * number} {os.getpid()}".encode()


def taken(reports: Iterator[bytes | None]) -> dict[int, int]:
    """Give the squares with the process that made each."""
    found = [report.split() for report in reports if report is not None]
    assert len(found) == len({number for number, _ in found})
    return {int(number): int(process) for number, process in found}


@pytest.mark.parametrize("count", [0, 1, 3, 4, 100])
def test_each_task_is_done_once(count: int) -> None:
    found = taken(shared_out(count, squares))
    assert sorted(found) == [number * number for number in range(count)]
    assert (os.getpid() in found.values()) == (0 < count < 4)  # too few to start a process for


def test_a_process_that_waits_leaves_the_rest_to_the_other() -> None:
    def work(numbers: Iterator[int]) -> Iterator[bytes]:
        for number in numbers:
            time.sleep(0.4 if number == 0 else 0)
            yield f"{number} {os.getpid()}".encode()

    found = taken(shared_out(40, work))
    assert sorted(found) == list(range(40))
    assert len(set(found.values())) == 2
    assert list(found.values()).count(found[0]) < 10


def test_there_is_a_tick_while_nothing_is_reported() -> None:
    def work(numbers: Iterator[int]) -> Iterator[bytes]:
        for _ in numbers:
            time.sleep(0.13)
            yield b"done"

    reports = list(shared_out(4, work))
    assert reports.count(b"done") == 4
    assert None in reports


def test_large_reports_come_whole() -> None:
    def work(numbers: Iterator[int]) -> Iterator[bytes]:
        for number in numbers:
            yield bytes([number]) * 300_000

    found = [report for report in shared_out(8, work) if report is not None]
    assert sorted(found) == [bytes([number]) * 300_000 for number in range(8)]


def test_a_process_that_dies_takes_no_other_along() -> None:
    def work(numbers: Iterator[int]) -> Iterator[bytes]:
        for number in numbers:
            if number == 5:
                os.kill(os.getpid(), signal.SIGKILL)
            yield f"{number} 0".encode()

    assert set(taken(shared_out(40, work))) == set(range(40)) - {5}


def test_a_mistake_in_a_process_ends_that_one(capfd: pytest.CaptureFixture[str]) -> None:
    def work(numbers: Iterator[int]) -> Iterator[bytes]:
        for number in numbers:
            if number == 5:
                raise RuntimeError("mistake")
            yield f"{number} 0".encode()

    assert set(taken(shared_out(40, work))) == set(range(40)) - {5}
    assert capfd.readouterr().err == ""


def test_who_leaves_early_ends_the_processes(tmp_path: Path) -> None:
    def work(numbers: Iterator[int]) -> Iterator[bytes]:
        for number in numbers:
            try:
                yield b"done"
                time.sleep(20)
            finally:
                (tmp_path / str(number)).touch()  # what cleans up runs to its end

    begin = time.monotonic()
    reports = shared_out(10, work)
    assert next(report for report in reports if report) == b"done"
    reports.close()
    assert time.monotonic() - begin < 5
    assert len(list(tmp_path.iterdir())) in {1, 2}


def test_threads_forbid_processes() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert set(taken(shared_out(10, squares)).values()) == {os.getpid()}
    finally:
        stop.set()
        thread.join()


def test_no_processes_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    assert set(taken(shared_out(10, squares)).values()) == {os.getpid()}


def test_an_error_here_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "processors", lambda: 1)

    def work(numbers: Iterator[int]) -> Iterator[bytes]:
        yield b"one"
        raise ValueError(next(numbers))

    with pytest.raises(ValueError, match="0"):
        list(shared_out(10, work))
