"""Signing many module files: in several processes, each file whole at any instant, one bad file no harm to the rest."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lkm.actions.signing.messages import SigningFailed
from lkm.actions.signing.results import SignedFile, SignOutcome, decoded, encoded
from lkm.actions.signing.treatment import SignJob, Writing, treat
from lkm.errors import LkmError, PrivilegeMissing, UsageError
from lkm.system.replacing import Replacements
from lkm.system.shared_out import shared_out

if TYPE_CHECKING:
    from lkm.actions.signing.subjects import Subject

__all__ = ["sign_files"]

_MOST_FILES = 64  # that wait for the disk together
_MOST_BYTES = 64 << 20
_LONGEST = 0.5  # seconds from one report to the next, but for a file that takes longer
_FEWEST = 12  # files for a process: it costs as much to start
_FEWEST_PACKED = 2
_PACKED = (".gz", ".xz", ".zst")


def sign_files(
    subjects: "Sequence[Subject]", job: SignJob, advance: Callable[[int], object] = lambda _: None
) -> tuple[SignedFile, ...]:
    """Do a job with module files.

    Killed at any instant, each file is there whole, the old or the new one.

    :param advance: is told how many files more are done, and 0 now and then
    :returns: what became of each, in their order
    :raises UsageError: two of them would be written to the same place
    :raises KeyboardInterrupt: what is done is done, the others are as they were
    """
    _make_directories(subjects, job)
    order = sorted(range(len(subjects)), key=lambda number: -subjects[number].size)  # the largest ones don't end it
    results: dict[int, SignedFile] = {}

    def work(numbers: Iterator[int]) -> Iterator[bytes]:
        yield from _worked_off((order[number] for number in numbers), subjects, job)

    for report in shared_out(len(subjects), work, fewest=_fewest(subjects, job)):
        found = decoded(report) if report is not None else []
        results.update(found)
        advance(len(found))
    return tuple(results.get(number) or _not_reached(subject, results) for number, subject in enumerate(subjects))


def _fewest(subjects: "Sequence[Subject]", job: SignJob) -> int:
    """Tell how many files are worth a process."""
    if job.messages is not None and not job.messages.is_shared:
        return len(subjects)
    return _FEWEST_PACKED if any(subject.path.endswith(_PACKED) for subject in subjects) else _FEWEST


def _make_directories(subjects: "Sequence[Subject]", job: SignJob) -> None:
    if job.output is None:
        return
    places = {subject.relative: subject for subject in subjects}
    for subject in subjects:
        if places[subject.relative] is not subject:
            other = places[subject.relative].path
            what = f"{subject.path} and {other} would have the same name there"
            raise UsageError(what, where=job.output, hint="call for each of them, with another directory")
    if not job.dry_run:
        for directory in {os.path.dirname(f"{job.output}/{relative}") for relative in places}:  # noqa: PTH120
            try:
                os.makedirs(directory, exist_ok=True)  # noqa: PTH103  pathlib is dear
            except OSError as error:
                raise _no_directory(directory, error) from error


def _no_directory(directory: str, error: OSError) -> LkmError:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return UsageError("is no directory", where=directory, hint="name another one: --output DIR")
    what = f"can't be made: {(error.strerror or str(error)).lower()}"
    if isinstance(error, PermissionError):
        return PrivilegeMissing(what, where=directory, hint="name one where you may write, or run as root")
    return LkmError(what, where=directory, hint="name another one: --output DIR")


def _not_reached(subject: "Subject", results: dict[int, SignedFile]) -> SignedFile:
    """Say why nobody reported on a file: the key failed before, or a process was killed."""
    if any(one.outcome is SignOutcome.FAILED for one in results.values()):
        return SignedFile.failed(subject.path, LkmError("was not reached", hint="mend what failed, and call again"))
    what = "the process that was to do it ended"
    return SignedFile.failed(subject.path, LkmError(what, hint="the file is whole, old or new: call again"))


# --- in each process --------------------------------------------------------------------------------------------------


def _worked_off(numbers: Iterator[int], subjects: "Sequence[Subject]", job: SignJob) -> Iterator[bytes]:
    """Do the job with some of the files; report on several at once, when they are in their places."""
    with Replacements() as waiting:
        batch = _Batch(waiting)
        for number in numbers:
            goes_on = batch.take(number, subjects[number], job)
            if batch.is_full or not goes_on:
                yield batch.carried_out()
            if not goes_on:
                return
        yield batch.carried_out()


class _Batch:
    """Files that are done but for being in their places."""

    __slots__ = ("_begin", "_bytes", "_found", "_waiting", "_written")

    def __init__(self, waiting: Replacements) -> None:
        self._waiting = waiting
        self._begin = time.monotonic()
        self._bytes = 0
        self._found: list[tuple[int, SignedFile]] = []
        self._written: list[int] = []

    @property
    def is_full(self) -> bool:
        """Whether enough waits, or long enough."""
        if len(self._found) >= _MOST_FILES or self._bytes >= _MOST_BYTES:
            return True
        return time.monotonic() - self._begin > _LONGEST

    def take(self, number: int, subject: "Subject", job: SignJob) -> bool:
        """Do the job with a file; False where it would fail with all others, too."""
        try:
            found, writing = treat(subject, job)
            if writing is not None:
                self._write(writing)
        except SigningFailed as failure:
            self._found.append((number, SignedFile.failed(subject.path, failure.error)))
            return False
        except LkmError as error:
            found = SignedFile.failed(subject.path, error)
        except Exception as error:  # noqa: BLE001  a mistake of ours is no reason to leave the others
            what = f"internal error: {type(error).__name__}: {error}"
            hint = "the file is as it was; this is a mistake of the program: please report it"
            found = SignedFile.failed(subject.path, LkmError(what, hint=hint))
        self._found.append((number, found))
        return True

    def _write(self, writing: Writing) -> None:
        self._waiting.add(writing.path, writing.pieces, like=writing.like, is_old=writing.is_old)
        self._written.append(len(self._found))
        self._bytes += sum(len(piece) for piece in writing.pieces)

    def carried_out(self) -> bytes:
        """Put all that waits in its place, and give the report."""
        for place, error in zip(self._written, self._waiting.carry_out(), strict=True):
            if error is not None:
                number, found = self._found[place]
                self._found[place] = number, SignedFile.failed(found.path, error)
        report = encoded(self._found)
        self._found, self._written, self._bytes, self._begin = [], [], 0, time.monotonic()
        return report
