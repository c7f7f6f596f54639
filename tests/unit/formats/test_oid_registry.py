"""The numbers of object identifiers, by the kernel's own list."""

from lkm.formats.oid_registry import numbers


def test_their_count_is_the_number_of_an_unknown_one() -> None:
    """``OID__NR`` of 5.10, 6.1, 6.12 and 7.2."""
    assert [len(numbers(edition)) for edition in range(4)] == [78, 98, 103, 106]


def test_what_comes_and_goes_moves_the_others() -> None:
    rsa, md5, sha3 = "1.2.840.113549.1.1.1", "1.2.840.113549.2.5", "2.16.840.1.101.3.4.2.8"
    assert [numbers(edition)[rsa] for edition in range(4)] == [4, 10, 10, 10]
    assert [md5 in numbers(edition) for edition in range(4)] == [True, True, False, False]
    assert [sha3 in numbers(edition) for edition in range(4)] == [False, False, True, True]
