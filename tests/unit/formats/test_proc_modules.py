"""/proc/modules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats.proc_modules import LoadedModule, ModuleState, parse, render

TEXT = """\
dummy 16384 0 - Live 0xffffffffc0a3e000
vfat 24576 1 - Live 0xffffffffc09f1000 (OE)
fat 90112 1 vfat, Live 0x0000000000000000
ext4 987136 2 a,b, Loading 0xffffffffc0800000 (POE+)
old 4096 -1 - Unloading 0xffffffffc0700000 (F-)
fixed 8192 1 user,[permanent], Live 0xffffffffc0600000
stuck 8192 0 [permanent], Live 0xffffffffc0600000
"""


def test_each_line_is_a_module() -> None:
    assert parse(TEXT) == (
        LoadedModule("dummy", 16384, address=0xFFFFFFFFC0A3E000),
        LoadedModule("vfat", 24576, 1, address=0xFFFFFFFFC09F1000, taints="OE"),
        LoadedModule("fat", 90112, 1, ("vfat",)),
        LoadedModule("ext4", 987136, 2, ("a", "b"), ModuleState.LOADING, 0xFFFFFFFFC0800000, "POE"),
        LoadedModule("old", 4096, -1, (), ModuleState.UNLOADING, 0xFFFFFFFFC0700000, "F"),
        LoadedModule("fixed", 8192, 1, ("user",), address=0xFFFFFFFFC0600000, permanent=True),
        LoadedModule("stuck", 8192, 0, address=0xFFFFFFFFC0600000, permanent=True),
    )


def test_a_kernel_that_cannot_unload_knows_no_users() -> None:
    (module,) = parse("loop 32768 - - Live 0x0000000000000000\n")
    assert module.refcount is None
    assert module.used_by == ()


def test_nothing_loaded() -> None:
    assert parse("") == ()


def test_what_is_rendered_is_what_the_kernel_shows() -> None:
    assert render(parse(TEXT)) == TEXT


@pytest.mark.parametrize(
    "line",
    [
        "dummy",
        "dummy 16384 0 - Live",
        "dummy big 0 - Live 0x0",
        "dummy 1_0 0 - Live 0x0",
        "dummy ٣ 0 - Live 0x0",
        "dummy 16384 x - Live 0x0",
        "dummy 16384 0 - Dead 0x0",
        "dummy 16384 0 - Live zz",
        "dummy 16384 0 - Live 0x-1",
        "dummy 16384 0 - Live 0x0 OE",
        "dummy 16384 0 - Live 0x0 (OE) more",
        "dummy " + "9" * 5000 + " 0 - Live 0x0",
    ],
)
def test_another_form_is_an_error_with_its_offset(line: str) -> None:
    with pytest.raises(FormatError, match="no line of /proc/modules") as caught:
        parse(f"fat 90112 0 - Live 0x0000000000000000\n{line}\n")
    assert caught.value.offset == len("fat 90112 0 - Live 0x0000000000000000\n")


names = st.text("abc_", min_size=1, max_size=5)
modules = st.builds(
    LoadedModule,
    name=names,
    size=st.integers(0, 2**32 - 1),
    refcount=st.integers(-1, 9),
    used_by=st.lists(names, max_size=3).map(tuple),
    state=st.sampled_from(ModuleState),
    address=st.integers(0, 2**64 - 1),
    taints=st.text("POEFX", max_size=4),
    permanent=st.booleans(),
)


@given(st.lists(modules, max_size=4).map(tuple))
def test_what_is_rendered_is_read(loaded: tuple[LoadedModule, ...]) -> None:
    assert parse(render(loaded)) == loaded


@given(st.text("a0 -x,()\n\0[]LiveLoading", max_size=80) | st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except FormatError:
        return
    assert len(found) == len([line for line in text.split("\n") if line])
