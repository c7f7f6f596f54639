"""Whatever is wrong with a module, the refusal has a cause, and naming it does not fail."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.loader import PROFILE, TRUSTED, answer, export, needs, recipe

from lkm.formats.module_writer import write
from lkm.formats.parameters import Parameter
from lkm.rules.causes import causes_of_verdict
from lkm.system.kernel_profile import KernelProfile

MODULE = write(
    replace(
        recipe(imports=needs("_printk", "gpl_symbol", "spaced"), exports=(export("mine"),)),
        parameters=(Parameter("n", "int"),),
    )
)
KERNELS = tuple(replace(PROFILE, release=release) for release in ("5.10.0", "6.1.0", "6.12.0", "7.2.0"))
HEADER = range(64)
TABLE = range(int.from_bytes(MODULE[40:48], "little"), len(MODULE))


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(
        st.tuples(
            st.one_of(st.sampled_from(HEADER), st.sampled_from(TABLE), st.integers(0, len(MODULE) - 1)),
            st.integers(0, 255),
        ),
        max_size=4,
    ),
    profile=st.sampled_from(KERNELS),
    parameters=st.sampled_from(["", "n=1", "n", "n=x", "m=1", "-- x", "n=99999999999"]),
    flags=st.sampled_from([0, 1, 2, 4, 8]),
    told_all=st.booleans(),
)
def test_every_refusal_has_a_cause(
    changes: list[tuple[int, int]], profile: KernelProfile, parameters: str, flags: int, *, told_all: bool
) -> None:
    data = bytearray(MODULE)
    for at, value in changes:
        data[at] = value
    verdict = answer(bytes(data), parameters, profile=profile, flags=flags, signature=TRUSTED)
    causes = causes_of_verdict(verdict, name="mod", file="mod.ko", profile=profile if told_all else None)
    assert bool(causes) is not verdict.loads
