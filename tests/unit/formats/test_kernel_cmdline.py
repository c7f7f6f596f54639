"""The kernel command line, in the kernel's reading and in kmod's."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.formats.kernel_cmdline import FILE, Cmdline
from lkm.formats.modprobe_conf import ProblemKind


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", ()),
        ("quiet ro\n", (("quiet", None), ("ro", None))),
        ("root=/dev/sda1  a=b=c", (("root", "/dev/sda1"), ("a", "b=c"))),
        ('a="b c" "d=e f" g', (("a", "b c"), ("d", "e f"), ("g", None))),
        ('"a b"', (("a b", None),)),
        ('a="b', (("a", "b"),)),
        ('a=b"c d"', (("a", 'b"c d"'),)),
        ('a=""', (("a", ""),)),
        ('a="', (("a", ""),)),
        ('"a="b""', (("a", 'b"'),)),
        ("=a", (("=a", None),)),
        ("=a=b", (("=a", "b"),)),
        ("a=", (("a", ""),)),
        ("a -- b=c", (("a", None),)),
        ("--=a b", (("--", "a"), ("b", None))),
        ("a\0b", (("a", None),)),
        ("a\udca0b", (("a", None), ("b", None))),
        ("é=\udcff", (("é", "\udcff"),)),
    ],
)
def test_parameters_are_split_as_the_kernel_does(text: str, parameters: tuple[tuple[str, str | None], ...]) -> None:
    assert Cmdline(text).parameters == parameters


def test_values_are_found_by_name() -> None:
    line = Cmdline("module.sig-enforce module.sig_enforce=0 nomodule lockdown=integrity module_blacklist=a,b")
    assert line.values("module.sig_enforce") == (None, "0")
    assert line.value("module.sig-enforce") == "0"
    assert line.has("nomodule")
    assert line.value("nomodule") is None
    assert line.value("lockdown") == "integrity"
    assert line.value("module_blacklist") == "a,b"
    assert not line.has("sig_enforce")
    assert line.values("sig_enforce") == ()
    assert line.value("sig_enforce") is None


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("snd-hda.model=auto", [("snd_hda", "model=auto")]),
        ("a.b", [("a", "b")]),
        ("a.b=c.d=e\n", [("a", "b=c.d=e")]),
        ("a.b.c=d", []),
        ("a=b.c", []),
        ("quiet", []),
        ('"a.b=c d"', [("a", 'b="c d"')]),
        ('a.b="c\td"', [("a", 'b="c d"')]),
        ('a.b="c', []),
        ('a"b.c=d', []),
        ('"a.b"', []),
        ('"a b.c=d" e.f', [("e", "f")]),
        ('""a.b=c', []),
        (".a=b", [("", "a=b")]),
        ("a.", [("a", "")]),
        ("-- a.b=c", [("a", "b=c")]),
        ("a.b\vc.d\fe.f\rg.h", [("a", "b"), ("c", "d"), ("e", "f"), ("g", "h")]),
        ("a.b\0 c.d", [("a", "b")]),
        ("modprobe.blacklist", [("modprobe", "blacklist")]),
        ("modprobe.other=x", [("modprobe", "other=x")]),
    ],
)
def test_options_are_found_as_kmod_does(text: str, options: list[tuple[str, str]]) -> None:
    line = Cmdline(text)
    assert [(found.module, found.options) for found in line.options] == options
    assert line.problems == ()
    assert all(found.file == FILE for found in line.options)


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("modprobe.blacklist=a", ["a"]),
        ("modprobe.blacklist=a,,b-c modprobe.blacklist=d", ["a", "", "b-c", "d"]),
        ("modprobe.blacklist=", [""]),
        ('"modprobe.blacklist=a,b"', ['"a', 'b"']),
    ],
)
def test_the_blacklist_is_found_as_kmod_does(text: str, modules: list[str]) -> None:
    line = Cmdline(text)
    assert [found.module for found in line.blacklist] == modules
    assert line.options == ()


@pytest.mark.parametrize(("module", "shown"), [("a-]-b", "a_]-b"), ("a-[-b", "a_[-b"), ("a-[x-y]-]", "a_[x-y]_]")])
def test_a_stray_bracket_is_told_in_kmods_words(module: str, shown: str) -> None:
    (problem,) = Cmdline(f"{module}.c=d").problems
    assert problem.kind is ProblemKind.BAD_COMMAND_LINE
    assert problem.text == f"Ignoring bad option on kernel command line while parsing module name: '{shown}'"


def test_kmod_reads_only_what_fits_its_buffer() -> None:
    line = Cmdline("x " * 2045 + "a.bcdefghi")
    assert [found.options for found in line.options] == ["bcd"]


@given(st.text('ab.="-[], \t\n\0') | st.text())
def test_any_text_is_read(text: str) -> None:
    line = Cmdline(text)
    assert all(found.line == 1 for found in line.options + line.blacklist)
    assert all(problem.file == FILE for problem in line.problems)
    assert all(line.has(name) for name, _ in line.parameters)


def test_a_long_line_takes_no_long() -> None:
    start = time.process_time()
    Cmdline('a "b c" d="' * 100_000)
    Cmdline('"' * 300_000)
    assert time.process_time() - start < 2
