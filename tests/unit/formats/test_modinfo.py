"""The ``.modinfo`` section and modules.builtin.modinfo."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats import modinfo
from lkm.formats.modinfo import Modinfo


def test_fields_keep_their_order() -> None:
    section = b"license=GPL\0alias=a\0depends=\0alias=b\0name=fat\0"
    assert modinfo.parse(section).fields == (
        ("license", "GPL"),
        ("alias", "a"),
        ("depends", ""),
        ("alias", "b"),
        ("name", "fat"),
    )


def test_first_and_all() -> None:
    info = modinfo.parse(b"alias=a\0alias=b\0depends=\0")
    assert info.first("alias") == "a"
    assert info.all("alias") == ("a", "b")
    assert info.first("depends") == ""
    assert info.first("alia") is None
    assert info.all("nothing") == ()


@pytest.mark.parametrize(
    ("section", "fields"),
    [
        (b"", ()),
        (b"\0\0\0", ()),
        (b"x", ()),  # kmod wants more than one byte
        (b"\0\0a=1\0\0\0\0b=2\0\0", (("a", "1"), ("b", "2"))),  # padding, before, between, after
        (b"a=1\0b=2", (("a", "1"), ("b", "2"))),  # the last entry need not end
        (b"flag\0a=1\0", (("flag", ""), ("a", "1"))),  # no equals sign
        (b"parm=x:a=b\0", (("parm", "x:a=b"),)),  # only the first equals sign counts
        (b"=v\0", (("", "v"),)),
    ],
)
def test_odd_sections(section: bytes, fields: tuple[tuple[str, str], ...]) -> None:
    assert modinfo.parse(section).fields == fields


def test_other_bytes_than_utf8_survive() -> None:
    value = modinfo.parse(memoryview(b"author=J\xf6rg\0description=\xc3\xa9t\xc3\xa9\0"))
    assert value.first("author") == "J\udcf6rg"
    assert value.first("description") == "été"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_section(section: bytes) -> None:
    entries = [entry for entry in section.split(b"\0") if entry]
    fields = modinfo.parse(section).fields
    if len(section.lstrip(b"\0")) > 1:
        assert [key.encode("utf-8", "surrogateescape") for key, _ in fields] == [e.split(b"=")[0] for e in entries]
    else:
        assert fields == ()


def test_builtin() -> None:
    data = b"fat.license=GPL\0fat.file=fs/fat/fat\0unix.parm=a.b:x=y\0fat.alias=z\0"
    assert modinfo.parse_builtin(data) == {
        "fat": Modinfo((("license", "GPL"), ("file", "fs/fat/fat"), ("alias", "z"))),
        "unix": Modinfo((("parm", "a.b:x=y"),)),
    }
    assert modinfo.parse_builtin(b"") == {}


@pytest.mark.parametrize("entry", [b"license", b".license=GPL", b"license=GPL"])
def test_builtin_without_a_name(entry: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        modinfo.parse_builtin(b"fat.license=GPL\0\0" + entry + b"\0")
    assert caught.value.offset == 17


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_builtin_takes_or_refuses_any_bytes(data: bytes) -> None:
    try:
        modules = modinfo.parse_builtin(data)
    except FormatError:
        assert b"." not in data or b"\0" in data or data.startswith(b".")
    else:
        assert sum(len(info.fields) for info in modules.values()) == len([e for e in data.split(b"\0") if e])


@given(st.binary(max_size=60))
def test_entries_are_the_fields_as_bytes(section: bytes) -> None:
    found = [entry.decode("utf-8", "surrogateescape").partition("=") for entry in modinfo.entries(section)]
    assert tuple((key, value) for key, _, value in found) == modinfo.parse(section).fields
