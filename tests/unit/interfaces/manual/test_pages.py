"""The manual pages: one for each verb, front-end and topic, with all that the parsers know."""

import subprocess
import sys

import pytest

from lkm.interfaces.cli import verbs
from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.cli.parsers import verb_parser
from lkm.interfaces.completion.grammar import actions_of
from lkm.interfaces.data_files import data_files
from lkm.interfaces.manual import roff
from lkm.interfaces.manual.pages import pages
from lkm.interfaces.topics import TOPICS

PAGES = pages()


def test_there_is_a_page_for_everything() -> None:
    names = [*verbs._VERBS, *FRONT_ENDS]
    assert set(PAGES) == {"lkm.1", *(f"lkm-{name}.1" for name in names), *(f"lkm-{name}.7" for name in TOPICS)}
    for name, text in PAGES.items():
        assert text.startswith(f'.TH "{roff.escaped(name[:-2].upper())}" {name[-1]} "" "lkm ')
        assert text.isascii()
        for section in ("NAME", "SEE ALSO") if name != "lkm.1" else ("NAME", "SYNOPSIS", "VERBS", "EXIT STATUS"):
            assert f'.SH "{section}"\n' in text, name


@pytest.mark.parametrize("verb", list(verbs._VERBS))
def test_every_option_stands_in_the_page(verb: str) -> None:
    text = PAGES[f"lkm-{verb}.1"]
    for action in actions_of(verb_parser(verb)):
        for name in action.option_strings:
            assert roff.bold(name) in text


def test_a_page_is_the_same_each_time_and_of_no_date() -> None:
    assert pages() == PAGES
    assert "/root" not in "".join(PAGES.values())


def test_every_character_stands_for_itself() -> None:
    assert roff.escaped("a\\b-c…'") == "a\\eb\\-c\\[u2026]\\(aq"
    assert roff.paragraphs(".so /etc/passwd") == ".PP\n\\&.so /etc/passwd\n"
    assert roff.item("x", "'.br") == ".TP\nx\n\\&\\(aq.br\n"


def test_the_files_need_nothing_but_the_standard_library() -> None:
    absent = "import sys; sys.modules.update(dict.fromkeys(('cryptography', 'rich', 'backports.zstd')))"
    program = f"{absent}\nfrom lkm.interfaces.data_files import data_files\nprint(*data_files(), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) == set(data_files())
    assert {"share/man/man1/lkm.1", "share/man/man7/lkm-taint.7", "share/zsh/site-functions/_lkm"} <= set(data_files())
