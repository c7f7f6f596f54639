"""The recorded truth, as two texts: what was answered, each answer once, and which case got which.

``recorded/answers.jsonl`` has a line for each: a label, made from the contents so that it stays, and what each step of
a case gave. ``recorded/cases.tsv`` has a line for each case: its name and, for each kernel, the labels for the
environments; ``=`` is what the kernel before gave, ``-`` was not asked.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.truth.case import ENVIRONMENTS
from tests.truth.kernels import KERNELS

__all__ = ["Record", "Truth", "read", "write"]

_HOME = Path(__file__).with_name("recorded")
_ANSWERS = _HOME / "answers.jsonl"
_CASES = _HOME / "cases.tsv"
_LABEL = 7


@dataclass(frozen=True)
class Record:
    """What a kernel did in answer to one system call.

    :param errno: 0 where it did what was asked
    :param log: the lines that it printed, without time stamps; addresses are written ``?``
    :param taints: the letters of the module, where it loaded, as in /sys/module/NAME/taint
    :param kernel_taint: the kernel's mask afterwards
    :param crash: how the kernel fell over this; the rest is then meaningless
    """

    errno: int = 0
    log: tuple[str, ...] = ()
    taints: str = ""
    kernel_taint: int = 0
    crash: str = ""


Truth = Mapping[str, Mapping[str, tuple[Record, ...]]]
"""Case → environment → what each of its steps gave."""


def read(kernel: str) -> dict[str, dict[str, tuple[Record, ...]]]:
    """Read what was recorded of a kernel; nothing, where nothing was."""
    if not _CASES.exists():
        return {}
    answers = {}
    for line in _ANSWERS.read_text().splitlines():
        label, steps = json.loads(line)
        answers[label] = tuple(_from_json(step) for step in steps)
    found = {}
    for line in _CASES.read_text().splitlines()[1:]:
        name, *columns = line.split("\t")
        for index in range(1, len(columns)):
            columns[index] = columns[index - 1] if columns[index] == "=" else columns[index]
        labels = columns[KERNELS.index(kernel)]
        if labels != "-":
            given = (answers[label] for label in labels.split(" "))
            found[json.loads(name)] = dict(zip(ENVIRONMENTS, given, strict=True))
    return found


def write(kernel: str, truth: Truth, order: Sequence[str]) -> None:
    """Write down what was recorded of a kernel, and keep the others'.

    :param order: all cases
    """
    truths = {other: truth if other == kernel else read(other) for other in KERNELS}
    answers: dict[str, str] = {}

    def labelled(results: Mapping[str, tuple[Record, ...]]) -> str:
        return " ".join(_labelled(results[environment], answers) for environment in ENVIRONMENTS)

    lines = ["\t".join(("case", *KERNELS)) + "\n"]
    for name in order:
        columns = [labelled(each[name]) if name in each else "-" for each in truths.values()]
        shown = [
            "=" if index and column == columns[index - 1] and column != "-" else column
            for index, column in enumerate(columns)
        ]
        lines.append("\t".join((json.dumps(name), *shown)) + "\n")
    _HOME.mkdir(exist_ok=True)
    _CASES.write_text("".join(lines))
    _ANSWERS.write_text("".join(f'["{label}", {steps}]\n' for label, steps in sorted(answers.items())))


def _labelled(steps: Sequence[Record], answers: dict[str, str]) -> str:
    text = json.dumps([_to_json(step) for step in steps])
    label = hashlib.sha256(text.encode()).hexdigest()[:_LABEL]
    assert answers.setdefault(label, text) == text, "two answers have one label: make labels longer"
    return label


def _to_json(record: Record) -> dict[str, Any]:
    entries = {
        "errno": record.errno,
        "log": list(record.log),
        "taints": record.taints,
        "kernel": record.kernel_taint,
        "crash": record.crash,
    }
    return {name: value for name, value in entries.items() if value}


def _from_json(plain: Mapping[str, Any]) -> Record:
    return Record(
        plain.get("errno", 0),
        tuple(plain.get("log", ())),
        plain.get("taints", ""),
        plain.get("kernel", 0),
        plain.get("crash", ""),
    )
