"""Layout: what the real modinfo printed for the same fields."""

import pytest

from lkm.interfaces.compat.modinfo_output import Layout

FIELDS = [
    ("parm", "b:second (of two)"),
    ("license", "GPL"),
    ("alias", "pci:*"),
    ("alias", ""),
    ("a_key_of_20_letters_", "x"),
    ("a_key_of_15_chr", "x"),
    ("parmtype", "a:int"),
    ("parmtype", "b:charp"),
    ("parm", "c:no type: at all"),
    ("bare", ""),
]


def layout(only: str | None = None, separator: str = "\n", said: list[str] | None = None) -> Layout:
    return Layout(only, separator, (said if said is not None else []).append)


def test_all_fields_come_with_their_names_and_parameters_last_backwards() -> None:
    assert layout().body(FIELDS) == (
        "license:        GPL\n"
        "alias:          pci:*\n"
        "alias:          \n"
        "a_key_of_20_letters_:     x\n"
        "a_key_of_15_chr:x\n"
        "bare:           \n"
        "parm:           c:no type: at all\n"
        "parm:           a:int\n"
        "parm:           b:second (of two) (charp)\n"
    )


def test_nul_ends_values_and_drops_the_columns() -> None:
    assert layout(separator="\0").body(FIELDS[:2]) == "license=GPL\0parm:           b:second (of two)\0"
    assert layout(separator="\0").head("x", "/x.ko") == "filename:       /x.ko\0"


def test_one_field_comes_without_its_name() -> None:
    assert layout("alias").body(FIELDS) == "pci:*\n\n"
    assert layout("parmtype").body(FIELDS) == "a:int\nb:charp\n"
    assert layout("LICENSE").body(FIELDS) == ""


def test_parameters_alone_have_a_space_before_a_lone_type() -> None:
    assert layout("parm").body(FIELDS) == "c:no type: at all\na: (int)\nb:second (of two) (charp)\n"


@pytest.mark.parametrize("key", ["parm", "parmtype"])
def test_a_parameter_without_a_colon_is_said(key: str) -> None:
    said: list[str] = []
    assert layout(said=said).body([(key, "oops"), ("license", "GPL")]) == "license:        GPL\n"
    assert said == [f"Found invalid \"{key}=oops\": missing ':'"]


def test_a_built_in_is_named_first() -> None:
    assert layout().head("unix", None) == "name:           unix\nfilename:       (builtin)\n"
    assert layout("name").head("unix", None) == "unix\n"
    assert layout("filename").head("unix", None) == "(builtin)\n"
    assert layout("name").head("vfat", "/vfat.ko") == ""
