"""The X.509 certificates that a kernel's build put into its image.

``certs/system_certificates.S`` (5.10 to 7.2) lays them out in .init.data: the certificates in DER, one behind the
other, perhaps room for one more (CONFIG_SYSTEM_EXTRA_CERTIFICATE), and then, at a multiple of 8 bytes, their length as
a word. ``certs/revocation_certificates.S`` does the same behind it with certificates that are never to be trusted. The
image has no symbols, but a length that fits what lies before it is as good as one.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mmap import mmap

    _Image = bytes | bytearray | mmap

__all__ = ["BuiltinCertificates", "find"]

# An X.509 v3 certificate begins: SEQUENCE, SEQUENCE, [0] { INTEGER 2 }.
_CERTIFICATE = re.compile(rb"\x30\x82(..)\x30\x82..\xa0\x03\x02\x01\x02\x02", re.DOTALL)
_SEQUENCE = b"\x30\x82"  # with a length of two bytes, as each certificate has
_HEADER = 4
_ALIGNMENT = 8
_MOST_ROOM = 64 << 10  # CONFIG_SYSTEM_EXTRA_CERTIFICATE_SIZE is 4096 by default
_LONGEST_LIST = 1 << 20
_SHORTEST = 64  # bytes: no certificate is as short
_MOST_RUNS = 256  # a kernel has a handful; a file made to look full of certificates shall not take for ever


class BuiltinCertificates(NamedTuple):
    """What was found.

    :param trusted: DER, in the image's order
    :param revoked: DER
    :param whole: the list's length was found too, so that nothing is missing and nothing is foreign; otherwise
        ``trusted`` is whatever looks like a certificate
    """

    trusted: tuple[bytes, ...]
    revoked: tuple[bytes, ...] = ()
    whole: bool = True


def find(image: "_Image", *, is_64bit: bool = True, little_endian: bool = True) -> BuiltinCertificates:
    """Find the certificates.

    :param image: a kernel image when unpacked, in ELF or flat
    """
    size = 8 if is_64bit else 4
    loose: list[bytes] = []
    lists: list[tuple[bytes, ...]] = []
    covered = 0
    runs = 0
    for match in _CERTIFICATE.finditer(image):
        run = list(_run(image, match.start(), len(image))) if match.start() >= covered else []
        if not run:
            continue
        runs += 1
        if runs > _MOST_RUNS:
            break
        covered = match.start() + sum(map(len, run))
        found = _list_ending_at(image, covered, size, little_endian=little_endian)
        if found:
            lists.append(found)
        else:
            loose += run
    if lists:
        return BuiltinCertificates(lists[0], tuple(der for others in lists[1:] for der in others))
    return BuiltinCertificates(tuple(dict.fromkeys(loose)), whole=not loose)


def _run(image: "_Image", start: int, end: int) -> Iterator[bytes]:
    """Yield DER sequences, one behind the other, up to what is none or reaches past the end."""
    while start < end and image[start : start + 2] == _SEQUENCE:
        following = start + _HEADER + int.from_bytes(image[start + 2 : start + _HEADER], "big")
        if following > end or following - start < _SHORTEST:
            return
        yield bytes(image[start:following])
        start = following


def _list_ending_at(image: "_Image", end: int, size: int, *, little_endian: bool) -> tuple[bytes, ...]:
    """Return the whole list whose last certificate ends there, empty where no length behind it says so."""
    aligned = -(-end // _ALIGNMENT) * _ALIGNMENT
    room = bytes(image[aligned : aligned + _MOST_ROOM + size])
    skipped = (len(room) - len(room.lstrip(b"\0"))) // _ALIGNMENT * _ALIGNMENT
    length = int.from_bytes(room[skipped : skipped + size], "little" if little_endian else "big")
    if not 0 < length <= min(end, _LONGEST_LIST):
        return ()
    found = tuple(_run(image, end - length, end))
    return found if sum(map(len, found)) == length else ()
