"""The examples of the documents are run: what they show is what happens."""

import doctest
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lkm.actions.sample_tree import make_sample_tree

_ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HOME = "/home/you"


@dataclass(frozen=True)
class _Example:
    command: str
    output: str


def _examples(document: Path) -> list[_Example]:
    """Give the commands of a document, lines that begin with ``$``, with what stands below each."""
    found: list[_Example] = []
    for block in _BLOCK.findall(document.read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(_Example(command, output))
    return found


def _outputs(commands: list[str], home: Path) -> list[str]:
    """Run all commands in one shell, so that what one exports the next sees, and give what each printed."""
    script = "".join(f"{command}\nprintf '\\0'\n" for command in commands)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        ["/bin/bash", "-c", f"exec 2>&1\n{script}"],
        env=environment,
        cwd=home,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stdout.replace(str(home), _HOME).split("\0")[:-1]


@pytest.mark.parametrize("name", ["README.md", "docs/administration.md", "docs/signing.md"])
def test_the_examples_of_a_document_show_what_happens(name: str, tmp_path: Path) -> None:
    examples = [example for example in _examples(_ROOT / name) if not example.command.startswith("make ")]
    assert examples
    outputs = _outputs([example.command for example in examples], tmp_path)
    assert len(outputs) == len(examples), outputs
    for example, output in zip(examples, outputs, strict=True):
        assert output == example.output, example.command


def _python(text: str) -> str:
    """Give a document with all but its Python left blank, so that lines keep their numbers."""
    found, end = "", 0
    for block in _PYTHON.finditer(text):
        found += "\n" * text.count("\n", end, block.start(1)) + block[1]
        end = block.end(1)
    return found


@pytest.mark.parametrize("name", ["docs/library.md"])
def test_the_python_of_a_document_does_what_it_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All blocks share their names, beside a sample root as `lkm demo --keep try` makes it."""
    text = (_ROOT / name).read_text()
    make_sample_tree(str(tmp_path / "try/root"))
    monkeypatch.chdir(tmp_path)
    found = doctest.DocTestParser().get_doctest(_python(text), {}, name, name, 0)
    assert found.examples
    said: list[str] = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(found, out=said.append)
    assert failed == 0, "".join(said)
    assert text.count(">>> ") == len(found.examples), "an example stands outside of the blocks that are run"
