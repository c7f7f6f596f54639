"""try: as text and as JSON; the machines are emulated kernels here."""

import errno
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.support.key_pair import make_key_pair
from tests.support.schema import check_schema

from lkm.actions.session import Session, Target
from lkm.actions.trying import trying
from lkm.actions.trying.trying import Observation, Trial, differences, observe, planned
from lkm.errors import MachineError
from lkm.kernels.vm import choice
from lkm.kernels.vm.images import Image

Lkm = Callable[..., Any]


@pytest.fixture
def seen() -> list[Observation]:
    """What the next kernels do; where nothing is said, what was foretold."""
    return []


@pytest.fixture
def owners() -> list[object]:
    """What was enrolled in each machine; None where it had no firmware."""
    return []


@pytest.fixture
def attempt(
    lkm: Lkm, sample: Path, monkeypatch: pytest.MonkeyPatch, seen: list[Observation], owners: list[object]
) -> Lkm:
    """Try on the sample's kernel by two names."""

    def choose(kernel: str, root: str) -> tuple[Image, Path]:
        if kernel not in {"one", "two"}:
            raise MachineError(f"no kernel {kernel} to boot", where=f"{root}/boot", hint="there is: one, two")
        return Image(kernel, Path("vmlinuz"), Path("modules")), Path(root)

    def try_on(image: Image, root: str, subject: str, parameters: str, **more: object) -> Trial:
        owners.append(more["owners"])
        session = Session(Target(root, kernel="emulated"))
        expected = observe(session.kernel, planned(session, subject, parameters))
        observed = seen.pop(0) if seen else expected
        return Trial(image.release, expected, observed, differences(expected, observed))

    monkeypatch.setattr(choice, "choose", choose)
    monkeypatch.setattr(trying, "try_on", try_on)
    monkeypatch.setenv("LKM_ROOT", str(sample))
    return lambda *words: lkm("try", *words)


def _rows(out: str) -> Sequence[list[str]]:
    return [line.split("  ") for line in out.splitlines()]


def test_a_table(attempt: Lkm, sample: Path) -> None:
    outcome = attempt(f"{sample}/home/you/hello.ko", "--kernel", "one", "two")
    assert (outcome.status, outcome.err) == (0, "")
    assert [line.split() for line in outcome.out.splitlines()] == [
        ["KERNEL", "LOADS", "TAINTS", "VERDICT", "WHY"],
        ["one", "yes", "OE", "as", "foretold"],
        ["two", "yes", "OE", "as", "foretold"],
    ]


def test_more_is_told_when_asked(attempt: Lkm) -> None:
    out = attempt("dummy", "numdummies=4", "-v", "--kernel", "one").out
    assert "one: parameter numdummies=4" in out.splitlines()


def test_a_refusal_and_why(attempt: Lkm, sample: Path) -> None:
    outcome = attempt(f"{sample}/home/you/old.ko", "--kernel", "one")
    assert (outcome.status, outcome.err) == (1, "")
    assert "as foretold" in outcome.out
    assert "was built for another kernel" in outcome.out


def test_a_verdict_that_was_wrong(attempt: Lkm, seen: list[Observation]) -> None:
    seen.append(Observation(errno=errno.ENOEXEC, log=("what nobody thought of",)))
    outcome = attempt("dummy", "--kernel", "one")
    assert outcome.status == 1
    assert "NOT as foretold" in outcome.out
    assert "one: whether it loads: expected True, saw False" in outcome.out.splitlines()


def test_an_init_function_that_fails(attempt: Lkm, seen: list[Observation]) -> None:
    seen.append(Observation(errno=errno.ENODEV))
    assert "its init failed" in attempt("dummy", "--kernel", "one").out


@pytest.mark.parametrize("name", ["hello.ko", "old.ko"])
def test_as_json(attempt: Lkm, sample: Path, name: str) -> None:
    outcome = attempt("--json", f"{sample}/home/you/{name}", "--kernel", "one", "two")
    answer = json.loads(outcome.out)
    check_schema(answer, "try")
    assert [result["release"] for result in answer["results"]] == ["one", "two"]
    for result in answer["results"]:
        assert result["agrees"]
        assert {key: result[key] for key in result["expected"]} == result["expected"]


def test_a_kernel_that_was_not_tried(attempt: Lkm, seen: list[Observation], sample: Path) -> None:
    seen.append(Observation(failed="the machine is lost"))
    outcome = attempt("--json", "dummy", "--kernel", "one")
    answer = json.loads(outcome.out)
    check_schema(answer, "try")
    assert (outcome.status, answer["results"][0]["failed"]) == (1, "the machine is lost")
    missing = attempt("--json", f"{sample}/none.ko", "--kernel", "one", "two")
    answer = json.loads(missing.out)
    check_schema(answer, "try")
    assert (missing.status, len(answer["results"])) == (2, 2)
    assert [result["error"]["type"] for result in answer["results"]] == ["Unreadable", "Unreadable"]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_kernel_that_is_not_there(attempt: Lkm, form: tuple[str, ...]) -> None:
    outcome = attempt(*form, "dummy", "--kernel", "one", "three")
    assert outcome.status == 2
    assert "no kernel three to boot" in outcome.err
    assert "hint: there is: one, two" in outcome.err
    if form:
        check_schema(json.loads(outcome.out), "try")


def test_a_text_is_no_kernel(lkm: Lkm, sample: Path) -> None:
    outcome = lkm("try", "--root", str(sample), "dummy", "--kernel", "/etc/passwd")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("lkm: /etc/passwd: not a kernel image")


def test_only_the_module_is_required(lkm: Lkm) -> None:
    assert lkm("try").err.splitlines()[-1] == "lkm try: error: the following arguments are required: NAME|FILE"


def test_keys_of_the_machines_owner(attempt: Lkm, owners: list[object], tmp_path: Path) -> None:
    pair = make_key_pair(tmp_path, "owner", "p256")
    pem = tmp_path / "owner.crt"
    pem.write_bytes(pair.loaded.public_bytes(Encoding.PEM) * 2)
    words = ("--trust", str(pair.certificate), "--trust", str(pem))
    assert attempt("dummy", "--kernel", "one").status == 0
    assert attempt("dummy", "--kernel", "one", "--secure-boot").status == 0
    assert attempt("dummy", "--kernel", "one", "--secure-boot", *words).status == 0
    assert owners == [None, (), (pair.der,) * 3]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--trust", "{key}"), "--trust is for a machine with Secure Boot"),
        (("--secure-boot", "--trust", "{key}"), "holds no certificate"),
        (("--secure-boot", "--trust", "{key}.not"), "no such file or directory"),
    ],
)
def test_what_is_no_certificate(attempt: Lkm, tmp_path: Path, words: tuple[str, ...], what: str) -> None:
    key = make_key_pair(tmp_path, "owner", "p256").key
    outcome = attempt("dummy", "--kernel", "one", *(word.format(key=key) for word in words))
    assert (outcome.status, outcome.out) == (2, "")
    assert what in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ["--kernel", "one", "two", "{file}"],
        ["{file}", "--kernel", "one", "two"],
        ["--kernel", "one", "two", "{file}", "--memory", "512"],
    ],
)
def test_a_file_ends_the_list_of_kernels(attempt: Lkm, sample: Path, words: list[str]) -> None:
    outcome = attempt(*(word.format(file=sample / "home/you/hello.ko") for word in words))
    assert (outcome.status, len(outcome.out.splitlines())) == (0, 3), outcome
