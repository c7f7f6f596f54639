"""The certificates that a build put into its image."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_up_kernel import certificate, certificate_list

from lkm.formats.kernel_image.certificates import find

FIRST, SECOND, THIRD = certificate(1), certificate(2), certificate(3)
OLD = certificate(4, version=1)
CODE = bytes(range(256)) * 2  # a multiple of 8 bytes


def test_a_list() -> None:
    found = find(CODE + certificate_list((FIRST, SECOND)) + CODE)
    assert found == ((FIRST, SECOND), (), True)


def test_certificates_of_the_first_version_count_where_the_length_says_so() -> None:
    for certificates in ((OLD, FIRST), (FIRST, OLD), (OLD, FIRST, OLD, SECOND)):
        assert find(CODE + certificate_list(certificates) + CODE).trusted == certificates


@pytest.mark.parametrize("room", [4096, 4100, 16384])
def test_room_for_one_more(room: int) -> None:
    image = CODE + certificate_list((FIRST, SECOND), room=room) + CODE
    assert find(image) == ((FIRST, SECOND), (), True)


def test_what_is_never_to_be_trusted_follows() -> None:
    revoked = certificate_list((SECOND, THIRD), module_key=False)
    assert find(CODE + certificate_list((FIRST,)) + revoked + CODE) == ((FIRST,), (SECOND, THIRD), True)


def test_certificates_of_others_do_not_count() -> None:
    others = FIRST + b"no length" + bytes(7)
    assert find(CODE + others + bytes(-len(others) % 8) + certificate_list((SECOND,)) + CODE).trusted == (SECOND,)


def test_without_a_length_all_that_look_like_it() -> None:
    found = find(CODE + FIRST + SECOND + CODE + FIRST + CODE)
    assert found == ((FIRST, SECOND), (), False)


def test_none() -> None:
    assert find(CODE) == find(b"") == ((), (), True)
    assert find(CODE + FIRST[:-1]) == ((), (), True)  # it reaches past the end


@pytest.mark.parametrize("little_endian", [True, False])
@pytest.mark.parametrize("is_64bit", [True, False])
def test_other_words(is_64bit: bool, little_endian: bool) -> None:  # noqa: FBT001
    padded = FIRST + bytes(-len(FIRST) % 8)
    length = len(FIRST).to_bytes(8 if is_64bit else 4, "little" if little_endian else "big")
    found = find(CODE + padded + length + CODE, is_64bit=is_64bit, little_endian=little_endian)
    assert found == ((FIRST,), (), True)


def test_a_file_full_of_certificates_takes_no_time_to_speak_of() -> None:
    started = time.process_time()
    find((FIRST + b"\xff" * 3) * 20000)
    find(FIRST * 20000)
    assert time.process_time() - started < 2


@settings(max_examples=200)
@given(st.lists(st.sampled_from([FIRST, OLD, CODE, b"\x30\x82", certificate_list((SECOND,)), b"\xff" * 9]), max_size=8))
def test_any_order_of_parts(parts: list[bytes]) -> None:
    image = b"".join(parts)
    found = find(image)
    assert all(der in image and der[:2] == b"\x30\x82" for der in found.trusted + found.revoked)
