"""Whatever a module's bytes are, the judge gives a verdict and raises nothing."""

import errno

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.loader import (
    JOINT,
    LAYOUT_CRC,
    MODERN,
    NEWEST,
    OLD,
    PROFILE,
    TRUSTED,
    VERMAGIC,
    answer,
    export,
    needs,
)

from lkm.formats.elf.reader import Elf
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.rules.signatures.check import UNSIGNED

RICH = write(
    ModuleRecipe(
        "rich",
        (*usual_modinfo("rich", VERMAGIC, intree=False), ("import_ns", "SPACE")),
        exports=(export("mine"), export("mine_gpl", gpl_only=True)),
        imports=needs("_printk", "spaced", "param_ops_int", "param_array_ops"),
        parameters=(
            Parameter("number", "int", permissions=0o644),
            Parameter("list", "array of int", permissions=0o644, is_array=True, capacity=2),
        ),
        layout_crc=LAYOUT_CRC,
        extended_versions=True,
    )
)
ERRORS = {
    0,
    errno.ENOEXEC,
    errno.ENOENT,
    errno.EINVAL,
    errno.EPERM,
    errno.EEXIST,
    errno.ERANGE,
    errno.ENOSPC,
    errno.EBADMSG,
}
# Where a changed byte says most: the header, and the section headers.
STRUCTURE = [*range(64), *range(Elf(RICH).header.shoff, len(RICH))]


def _judge(data: bytes) -> None:
    for profile, signature in ((PROFILE, TRUSTED), (MODERN, UNSIGNED), (OLD, None), (JOINT, None), (NEWEST, None)):
        verdict = answer(data, "number=1 list=1,2", profile=profile, signature=signature)
        assert verdict.errno in ERRORS
        assert verdict.loads is (verdict.record is not None)
        assert verdict.loads is (verdict.stage == "")
        assert all(isinstance(line, str) for line in verdict.log)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    _judge(data)
    _judge(RICH[:64] + data)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(RICH)))
def test_cut_off_anywhere(size: int) -> None:
    _judge(RICH[:size])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(st.sampled_from(STRUCTURE), st.integers(0, len(RICH) - 1)), st.integers(0, 255)),
        min_size=1,
        max_size=6,
    )
)
def test_changed_bytes(changes: list[tuple[int, int]]) -> None:
    data = bytearray(RICH)
    for place, value in changes:
        data[place] = value
    _judge(bytes(data))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(range(0, len(RICH) - 8, 4)), st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 0xFFF1]))
def test_extreme_numbers(place: int, value: int) -> None:
    _judge(RICH[:place] + value.to_bytes(8, "little") + RICH[place + 8 :])
