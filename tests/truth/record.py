"""Ask the real kernels and write down what they answer.

``python -m tests.truth.record`` asks all of them again; ``--kernel 6.12`` one, ``--case 'symbol/*'`` some cases, which
then replace what was recorded of them before.
"""

import argparse
import fnmatch
import hashlib
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Self

from tests.truth import records
from tests.truth.case import ENVIRONMENTS, Case, Load, Step, Unload
from tests.truth.kernels import KERNELS, gathered, image_of, save
from tests.truth.machine import Answer, Lost, SavedMachine
from tests.truth.maker import NAME, Maker
from tests.truth.records import Record
from tests.truth.suite import all_cases, made

from lkm.errors import LkmError
from lkm.formats.compression import decompress
from lkm.formats.module_image import ModuleImage

__all__ = ["ask", "main"]

# Addresses of the kernel and its modules, and hashed ones (%p), are written "?".
_ADDRESSES = re.compile(r"\bffffffff[89abc][0-9a-f]{7}\b|\bffff[89abcd][0-9a-f]{11}\b")
_LOCATION = re.compile(r", loc [0-9a-f?]+, val [0-9a-f?]+")
_NOISE = re.compile(r"hrtimer: |clocksource: |tsc: |sched_clock: |rcu: |\t\(t=|task:rcu_|NMI backtrace ")
_STACK = re.compile(
    r"CPU: \d+ |Tainted: |Hardware name: |Call Trace:| |RIP: |Code: |RSP: |R[A-Z0-9]{2}: |FS: |CS: |CR2: "
    r"|Modules linked in"
)
_CRASH = re.compile(r"BUG: |Oops|general protection fault|kernel BUG|WARNING: |stack segment|invalid opcode")
_LIMITED = "Lockdown: "  # printed ten times in five seconds at most (security/lockdown/lockdown.c)
_MOST_LIMITED = 4  # a case has six steps at most
_FORCE = os.O_TRUNC
_IDENTIFICATION = b"\x7fELF\x02\x01"
_TAINT = "/proc/sys/kernel/tainted"


def ask(
    kernel: str, cases: Sequence[Case], environments: Iterable[str] = ENVIRONMENTS
) -> dict[str, dict[str, tuple[Record, ...]]]:
    """Put cases to a real kernel.

    :returns: case → environment → what each of its steps gave
    """
    maker = Maker(kernel, gathered(kernel))
    found: dict[str, dict[str, tuple[Record, ...]]] = {case.id: {} for case in cases}
    for real in (False, True):  # apart, for those of the kernel's own are large, and what a machine holds slows it down
        steps = made(maker, [case for case in cases if case.real is real])
        if not steps:
            continue
        for environment in environments:
            with _Session(kernel, environment, steps) as session:
                for name, each in steps.items():
                    found[name][environment] = session.records(each)
    return {name: results for name, results in found.items() if results}


class _Session:
    """A machine for one environment, put back whenever something has changed in it."""

    def __init__(self, kernel: str, environment: str, steps: Mapping[str, Sequence[Step]]) -> None:
        self._kernel = kernel
        self._cmdline = ENVIRONMENTS[environment]
        self._files = {
            _name(step.contents): step.contents for each in steps.values() for step in each if isinstance(step, Load)
        }
        self._stack = ExitStack()
        self._machine: SavedMachine
        self._is_fresh = True
        self._limited = 0

    def __enter__(self) -> Self:
        self._boot()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _boot(self) -> None:
        self._stack.close()
        machine = SavedMachine(image_of(self._kernel), self._cmdline, self._files)
        self._machine = self._stack.enter_context(machine)
        self._is_fresh, self._limited = True, 0

    def records(self, steps: Sequence[Step]) -> tuple[Record, ...]:
        """Carry out the steps of a case."""
        if not self._is_fresh or self._limited > _MOST_LIMITED:
            self._machine.restore()
            self._limited = 0
        found: list[Record] = []
        try:
            for step in steps:
                found.append(self._record(step))
                if found[-1].crash:
                    break
        except Lost as error:
            found.append(Record(crash=f"the machine was lost: {error}"))
            self._boot()
            return tuple(found)
        # What was refused and left no taint has changed nothing: a restart would show the same.
        self._is_fresh = all(record.errno > 0 and not record.kernel_taint for record in found)
        self._limited += sum(_LIMITED in line for record in found for line in record.log)
        return tuple(found)

    def _record(self, step: Step) -> Record:
        machine = self._machine
        match step:
            case Load():
                name = _name(step.contents)
                answer = machine.load(name, step.parameters, step.flags, step.command, privileged=step.privileged)
                taints = machine.read(f"/sys/module/{_module(step)}/taint") if answer.errno == 0 else ""
            case Unload():
                answer, taints = machine.unload(step.name, _FORCE if step.force else os.O_NONBLOCK), ""
            case _:
                machine.write("/proc/sys/kernel/modules_disabled", "1")
                answer, taints = Answer(0, ()), ""
        kernel_taint = int(machine.read(_TAINT) or "0")
        crashes = [found[0] for line in answer.log if (found := _CRASH.match(line))]
        if crashes or answer.errno < 0:
            return Record(crash=crashes[0] if crashes else "the process was killed")
        return Record(answer.errno, _tidied(answer.log), taints or "", kernel_taint)


def _tidied(log: Iterable[str]) -> tuple[str, ...]:
    """Leave away what is by chance, and the stack that follows the line of a failed allocation."""
    kept = (line for line in log if not _NOISE.match(line) and not _STACK.match(line))
    return tuple(_LOCATION.sub(", loc ?, val ?", _ADDRESSES.sub("?", line)) for line in kept)


def _name(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()[:20]


def _module(step: Load) -> str:
    """Give the name that the kernel knows a module by, which does not look at an ELF file's class and byte order."""
    try:
        contents = decompress(step.contents)
        return ModuleImage(_IDENTIFICATION + contents[len(_IDENTIFICATION) :]).name
    except LkmError:
        return NAME


def main() -> None:
    """Record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", action="append", choices=KERNELS, help="one of them (repeatable)")
    parser.add_argument("--case", action="append", help="only cases like this (repeatable, with * and ?)")
    chosen = parser.parse_args()
    patterns = chosen.case or ["*"]
    cases = all_cases()
    asked = [case for case in cases if any(fnmatch.fnmatchcase(case.id, pattern) for pattern in patterns)]
    for kernel in chosen.kernel or KERNELS:
        begin = time.monotonic()
        answers = ask(kernel, asked)
        truth = (records.read(kernel) if chosen.case else {}) | answers
        records.write(kernel, truth, [case.id for case in cases])
        facts = gathered(kernel)
        steps = made(Maker(kernel, facts), [case for case in cases if not case.real])
        save(kernel, facts, [step.contents for each in steps.values() for step in each if isinstance(step, Load)])
        print(f"{kernel}: {len(answers)} cases in {time.monotonic() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
