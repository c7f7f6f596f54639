"""Layout: what the real modinfo printed for the same fields."""

import pytest

from lkm.interfaces.compat.modinfo_output import Layout

FIELDS = [
    b"parm=b:second (of two)",
    b"license=GPL",
    b"alias=pci:*",
    b"alias=",
    b"a_key_of_20_letters_=x",
    b"a_key_of_15_chr=x",
    b"parmtype=a:int",
    b"parmtype=b:charp",
    b"parm=c:no type: at all",
    b"bare",
]


def layout(only: str | None = None, separator: str = "\n", said: list[str] | None = None) -> Layout:
    return Layout(only, separator, (said if said is not None else []).append)


def test_all_fields_come_with_their_names_and_parameters_last_backwards() -> None:
    assert layout().body(FIELDS) == (
        b"license:        GPL\n"
        b"alias:          pci:*\n"
        b"alias:          \n"
        b"a_key_of_20_letters_:     x\n"
        b"a_key_of_15_chr:x\n"
        b"bare:           \n"
        b"parm:           c:no type: at all\n"
        b"parm:           a:int\n"
        b"parm:           b:second (of two) (charp)\n"
    )


def test_nul_ends_values_and_drops_the_columns() -> None:
    assert layout(separator="\0").body(FIELDS[:2]) == b"license=GPL\0parm:           b:second (of two)\0"
    assert layout(separator="\0").head("x", "/x.ko") == b"filename:       /x.ko\0"


def test_one_field_comes_without_its_name() -> None:
    assert layout("alias").body(FIELDS) == b"pci:*\n\n"
    assert layout("parmtype").body(FIELDS) == b"a:int\nb:charp\n"
    assert layout("LICENSE").body(FIELDS) == b""


def test_parameters_alone_have_a_space_before_a_lone_type() -> None:
    assert layout("parm").body(FIELDS) == b"c:no type: at all\na: (int)\nb:second (of two) (charp)\n"


@pytest.mark.parametrize("key", ["parm", "parmtype"])
def test_a_parameter_without_a_colon_is_said(key: str) -> None:
    said: list[str] = []
    assert layout(said=said).body([f"{key}=oops".encode(), b"license=GPL"]) == b"license:        GPL\n"
    assert said == [f"Found invalid \"{key}=oops\": missing ':'"]


def test_a_built_in_is_named_first() -> None:
    assert layout().head("unix", None) == b"name:           unix\nfilename:       (builtin)\n"
    assert layout("name").head("unix", None) == b"unix\n"
    assert layout("filename").head("unix", None) == b"(builtin)\n"
    assert layout("name").head("vfat", "/vfat.ko") == b""


def test_bytes_come_out_as_they_are() -> None:
    assert layout().body([b"author=J\xf6rg", b"\xff=1"]) == b"author:         J\xf6rg\n\xff:              1\n"
    assert layout().head("x", "/\udcff.ko") == b"filename:       /\xff.ko\n"
