"""Work in another process: its result, its failure, and a result that nobody wants."""

import os
from pathlib import Path

import pytest

from lkm.system.apart import Apart, joined, parted, processors


@pytest.mark.parametrize("alone", [False, True])
def test_the_result_comes_back(*, alone: bool) -> None:
    assert Apart(lambda: b"x" * 100_000, alone=alone).result() == b"x" * 100_000


def test_what_fails_there_is_done_here() -> None:
    here = os.getpid()

    def task() -> bytes:
        if os.getpid() != here:
            raise OSError
        return b"here"

    assert Apart(task).result() == b"here"


def test_a_task_that_is_dropped_has_ended(tmp_path: Path) -> None:
    mark = tmp_path / "done"

    def task() -> bytes:
        mark.write_bytes(b"")
        return b""

    before = set(Path("/proc/self/fd").iterdir())
    other = Apart(task)
    other.drop()
    assert mark.exists() == (processors() > 1)
    assert set(Path("/proc/self/fd").iterdir()) == before


@pytest.mark.parametrize("parts", [[], [b""], [b"a", b"", b"\0b"]])
def test_parts_come_back(parts: list[bytes]) -> None:
    assert parted(joined(parts)) == parts
