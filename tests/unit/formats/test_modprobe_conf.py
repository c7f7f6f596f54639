"""modprobe.d, by kmod's parser to the character."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.formats.modprobe_conf import (
    Alias,
    Blacklist,
    Directive,
    Install,
    Options,
    Problem,
    ProblemKind,
    Remove,
    Softdep,
    Weakdep,
    parse,
)


def only(data: bytes) -> Directive:
    directives, problems = parse(data, "f")
    assert problems == ()
    (directive,) = directives
    return directive


def refused(data: bytes) -> Problem:
    directives, problems = parse(data, "f")
    assert directives == ()
    (problem,) = problems
    return problem


@pytest.mark.parametrize(
    ("line", "directive"),
    [
        (b"alias eth-0 e1000-e", Alias("eth_0", "e1000_e", "f", 1)),
        (b"alias usb:v[a-b]-* x trailing words", Alias("usb:v[a-b]_*", "x", "f", 1)),
        (b"blacklist snd-pcsp", Blacklist("snd_pcsp", "f", 1)),
        (b'options snd-hda a=1 b="x y"', Options("snd_hda", 'a=1 b="x y"', "f", 1)),
        (b"options a \tx=1\ty=2 ", Options("a", " x=1 y=2 ", "f", 1)),
        (b"install a-* /bin/false; echo \t$CMDLINE_OPTS ", Install("a_*", "/bin/false; echo \t$CMDLINE_OPTS ", "f", 1)),
        (b"remove a  echo", Remove("a", " echo", "f", 1)),
        (b"softdep a-b pre: c-d e post: f", Softdep("a_b", ("c-d", "e"), ("f",), "f", 1)),
        (b"softdep a b pre: c post: d pre: e", Softdep("a", ("c", "e"), ("d",), "f", 1)),
        (b"softdep a pre:\vb\rc ", Softdep("a", ("b", "c"), (), "f", 1)),
        (b"softdep a nothing", Softdep("a", (), (), "f", 1)),
        (b"weakdep a b-c  d", Weakdep("a", ("b-c", "d"), "f", 1)),
        (b"\t blacklist\ta", Blacklist("a", "f", 1)),
        (b"blacklist a\r", Blacklist("a\r", "f", 1)),
        (b"blacklist \xff\xc3\xa9", Blacklist("\udcffé", "f", 1)),
        (b"blacklist a\0 b", Blacklist("a", "f", 1)),
    ],
)
def test_directives(line: bytes, directive: Directive) -> None:
    assert only(line) == directive
    assert only(line + b"\n") == directive


def test_one_space_before_the_first_word_of_a_softdep_hides_it() -> None:
    assert only(b"softdep a  pre: b post: c") == Softdep("a", (), ("c",), "f", 1)
    assert only(b"softdep a   pre: b post: c") == Softdep("a", ("b",), ("c",), "f", 1)


@pytest.mark.parametrize("data", [b"", b"\n", b"#x\n", b"# alias a b\\\n c\n", b" \t\n", b"\0alias a b\n", b"\\\n\\\n"])
def test_nothing(data: bytes) -> None:
    assert parse(data, "f") == ((), ())


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"alias a", "alias"),
        (b"alias a] b", "alias"),
        (b"alias a [b", "alias"),
        (b"blacklist", "blacklist"),
        (b"options a", "options"),
        (b"options a ", "options"),
        (b"install a", "install"),
        (b"remove a", "remove"),
        (b"softdep a", "softdep"),
        (b"Blacklist a", "Blacklist"),
        (b" # comment", "#"),
        (b"blacklist\ra", "blacklist\ra"),
        (b"\xff\x01", "\udcff\x01"),
    ],
)
def test_bad_lines_are_told_in_kmods_words(line: bytes, word: str) -> None:
    text = f"f line 1: ignoring bad line starting with '{word}'"
    assert refused(line) == Problem(ProblemKind.BAD_LINE, text, "f", 1)
    assert ProblemKind.BAD_LINE.is_printed


@pytest.mark.parametrize("word", ["include", "config"])
def test_what_is_no_longer_read_is_told_in_kmods_words(word: str) -> None:
    problem = refused(f"{word} /etc/x".encode())
    assert problem.text == f"f: command {word} is deprecated and not parsed anymore"
    assert problem.kind is ProblemKind.DEPRECATED


def test_a_backslash_joins_lines_and_vanishes_elsewhere() -> None:
    assert only(b"install a one \\\n two\\\tthree\\\\") == Install("a", "one  two\tthree\\", "f", 1)
    assert only(b"black\\\nlist a\\b") == Blacklist("ab", "f", 1)
    assert only(b"install a \xc3\\\xa9") == Install("a", "é", "f", 1)


def test_a_backslash_at_the_end_of_the_file_becomes_a_byte() -> None:
    assert only(b"blacklist a\\") == Blacklist("a\udcff", "f", 1)


def test_a_directive_tells_where_it_begins_and_a_problem_where_it_ends() -> None:
    directives, problems = parse(b"#\nblacklist \\\n a\n\nnonsense \\\n\\\nx\nblacklist b\nbad\\\n", "f")
    assert directives == (Blacklist("a", "f", 2), Blacklist("b", "f", 8))
    assert [problem.line for problem in problems] == [7, 10]


def test_binary_junk_and_endless_continuations_end() -> None:
    start = time.process_time()
    parse(bytes(range(256)) * 4000, "f")
    parse(b"a\\\n" * 200_000, "f")
    parse(b"\\" * 300_000, "f")
    parse(b"softdep a " + b"pre: b post: " * 50_000, "f")
    assert time.process_time() - start < 4


lines = st.sampled_from(["alias", "blacklist", "options", "install", "softdep", "weakdep", "a-b", "[", "]", "pre:"])


@given(
    st.binary(max_size=200) | st.lists(lines | st.sampled_from(" \t\n\\\0#\r")).map(lambda all_: "".join(all_).encode())
)
def test_any_bytes_are_read(data: bytes) -> None:
    directives, problems = parse(data, "f")
    most = data.count(b"\n") + 1
    assert len(directives) + len(problems) <= most
    assert all(1 <= found.line <= most for found in (*directives, *problems))
