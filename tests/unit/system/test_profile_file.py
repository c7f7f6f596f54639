"""Profiles as files."""

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.schema import check_schema

from lkm.errors import FormatError
from lkm.formats.ksymtab import Export
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_file import LARGEST_FILE, SCHEMA, pack, unpack
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

PROFILE = KernelProfile(
    release="6.1.0-x",
    machine=62,
    vermagic="6.1.0-x SMP ",
    struct_module_size=None,
    exports={
        "a": Export("a", 1, gpl_only=True, namespace=None),
        "b": Export("b", None, gpl_only=False, namespace="N"),
        "not\udcfftext": Export("not\udcfftext", 0xFFFFFFFF, gpl_only=False, namespace=None),
    },
    config={"MODULES": "y", "NAME": 'a "b"'},
    certificates=(b"\x30\x00", b"\xff" * 50),
    visible_builtins=frozenset({"printk"}),
    module_exports={
        "m": (Export("c", 3, gpl_only=False, namespace="N"),),
        "n": (Export("d", 4, gpl_only=True, namespace=None),),
    },
    dependencies={"n": ("m", "o")},
    builtins=frozenset({"unix", "ext4"}),
    builtin_parameters={"printk": ("time", "cpu")},
    revoked_certificates=(b"\x30\x01",),
    command_line="quiet module.sig_enforce=1",
    version="Linux version 6.1.0-x",
    sources={"release": "here"},
)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("profile", [PROFILE, replace(PROFILE, certificates=None, struct_module_size=0x380)])
def test_there_and_back(profile: KernelProfile, *, compressed: bool) -> None:
    data = pack(profile, stamp=[1, None], compressed=compressed)
    assert unpack(data) == (profile, [1, None])
    assert unpack(pack(profile, compressed=compressed)).stamp is None
    assert data == pack(profile, stamp=[1, None], compressed=compressed)
    text = gzip.decompress(data) if compressed else data
    assert text.isascii()
    check_schema(json.loads(text), "kernel-profile")


def test_of_a_whole_root(sample: Path) -> None:
    profile = gather(ModuleTree(Root(str(sample))))
    data = pack(profile)
    assert unpack(data).profile == profile
    check_schema(json.loads(gzip.decompress(data)), "kernel-profile")


def _plain() -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(pack(PROFILE, compressed=False))
    return plain


def test_every_field_is_required_and_of_one_type() -> None:
    for name in _plain():
        missing = {key: value for key, value in _plain().items() if key != name}
        with pytest.raises(FormatError, match=re.escape(name) if name != "schema" else "names no schema"):
            unpack(json.dumps(missing).encode())
        for wrong in (-1, "x", [7], {"x": 7}, 1.5, [[1]], None):
            data = json.dumps({**_plain(), name: wrong}).encode()
            may_be_null = wrong is None and name in {"certificates", "struct_module_size"}
            if may_be_null or (wrong == "x" and isinstance(_plain()[name], str) and name != "schema"):
                assert unpack(data)
            else:
                with pytest.raises(FormatError):
                    unpack(data)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": "lkm.kernel-profile/2"}, "is of schema 'lkm.kernel-profile/2'"),
        ({"machine": 1 << 16}, "machine is not between"),
        ({"module_exports": {**_plain()["module_exports"], "modules": {"m": 9}}}, "don't add up"),
        ({"certificates": ["?"]}, "certificates are not in base64"),
    ],
)
def test_what_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FormatError, match=complaint) as caught:
        unpack(json.dumps({**_plain(), **change}).encode())
    assert caught.value.hint == "save it anew: lkm profile save FILE"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b"null", b"9" * 5000, b"\x1f\x8b\x08"])
def test_something_else(data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        unpack(data)
    assert caught.value.hint


def test_limits() -> None:
    with pytest.raises(FormatError, match="larger than 16 MiB"):
        unpack(bytes(LARGEST_FILE + 1))
    with pytest.raises(FormatError, match="more than"):
        unpack(gzip.compress(b" " * (25 << 20), 1))


@settings(max_examples=150)
@given(st.data())
def test_damage_is_no_surprise(data: st.DataObject) -> None:
    raw = bytearray(pack(PROFILE, compressed=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = unpack(bytes(raw))
    except FormatError:
        return
    assert found.profile.release
    assert SCHEMA


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(name=st.sampled_from(sorted(_plain())), value=_VALUES)
def test_any_value_anywhere(name: str, value: object) -> None:
    try:
        found = unpack(json.dumps({**_plain(), name: value}).encode())
    except FormatError:
        return
    assert isinstance(found.profile, KernelProfile)
