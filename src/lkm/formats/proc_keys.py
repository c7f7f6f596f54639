"""/proc/keys: the keys that a process may see, as the kernel prints them (security/keys/proc.c, 6.1).

What stands behind the type is for the type to say: a keyring's name and how many it links to, a certificate's subject
with an identifier, a hash that is never to be trusted.
"""

import re
from typing import NamedTuple

from lkm.errors import FormatError

__all__ = ["AsymmetricKey", "KernelKey", "parse"]

# serial, flags, uses, time-out, permissions, user, group, type (cut to nine characters), description
_LINE = re.compile(
    r"([0-9a-f]{8}) ([-A-Za-z]{7}) +(\d{1,10}) +(\S{1,15}) ([0-9a-f]{8}) +(-?\d{1,10}) +(-?\d{1,10}) (.{9}) (.*)",
    re.ASCII,
)
_ASYMMETRIC = "asymmetri"  # what is left of "asymmetric"
_SIZE = re.compile(r"(.*): (\d{1,20}|empty)", re.ASCII | re.DOTALL)
_CERTIFICATE = re.compile(r"(.*): ([0-9a-f]*): (\S+\.\S+)(?: ([0-9a-f]*))? \[[^\]]*\]", re.ASCII | re.DOTALL)
_GONE = frozenset("RDNi")  # revoked, dead, negative, invalidated


class AsymmetricKey(NamedTuple):
    """A certificate's key, as its description tells it.

    :param name: the subject: of organisation and common name what the kernel keeps; of an empty one nothing
    :param key_id: the subject key identifier, or without one the serial number, in hexadecimal digits
    :param algorithm: as in ``X509.rsa``
    """

    name: str
    key_id: str
    algorithm: str


class KernelKey(NamedTuple):
    """A line.

    :param serial: the number by which the kernel knows it
    :param flags: seven letters or dashes: I instantiated, R revoked, D dead, Q in a quota, U being made, N negative, i
        invalidated
    :param uses: how many references there are
    :param timeout: ``perm``, ``expd``, or what is left of its time, as in ``3d``
    :param permissions: the mask: for possessor, user, group and others a byte each
    :param user: the owner's number
    :param group: the group's number
    :param type: the first nine characters of the type's name
    :param description: all that stands behind it
    """

    serial: int
    flags: str
    uses: int
    timeout: str
    permissions: int
    user: int
    group: int
    type: str
    description: str

    @property
    def is_alive(self) -> bool:
        """Whether it can be used: it is neither revoked nor dead, negative, invalidated or expired."""
        return not _GONE.intersection(self.flags) and self.timeout != "expd"

    @property
    def keyring(self) -> str | None:
        """The keyring's name; None for a key that is none."""
        if self.type != "keyring":
            return None
        match = _SIZE.fullmatch(self.description)
        return match[1] if match else self.description

    @property
    def links(self) -> int | None:
        """How many keys a keyring links to; None for a key that is none."""
        match = _SIZE.fullmatch(self.description) if self.type == "keyring" else None
        return None if match is None else 0 if match[2] == "empty" else int(match[2])

    @property
    def asymmetric(self) -> AsymmetricKey | None:
        """What the description tells of a certificate; None for other types.

        Source: crypto/asymmetric_keys/asymmetric_type.c ``asymmetric_key_describe``, x509_public_key.c
        ``x509_key_preparse`` (6.1).
        """
        match = _CERTIFICATE.fullmatch(self.description) if self.type == _ASYMMETRIC else None
        return AsymmetricKey(match[1], match[2], match[3]) if match else None

    @property
    def revoked_hash(self) -> str | None:
        """What is never to be trusted: ``tbs:`` or ``bin:`` and a hash; None for other types (certs/blacklist.c)."""
        return self.description if self.type == "blacklist" else None


def parse(text: str) -> tuple[KernelKey, ...]:
    """Read /proc/keys.

    The kernel prints descriptions as they are, so that a certificate's name can hold line feeds: a line that is of no
    key belongs to the one before it.

    :returns: in the kernel's order, by serial number
    :raises FormatError: the first line is of no key
    """
    found: list[KernelKey] = []
    pending: list[str] = []
    for line in text.removesuffix("\n").split("\n") if text else ():
        match = _LINE.fullmatch(line)
        if match is None and not found:
            raise FormatError(f"is no line of /proc/keys: {line[:80]!r}", offset=0)
        if match is None:
            pending.append(line)
            continue
        _add_to_last(found, pending)
        found.append(_key(match))
    _add_to_last(found, pending)
    return tuple(found)


def _add_to_last(found: list[KernelKey], pending: list[str]) -> None:
    if pending:
        found[-1] = found[-1]._replace(description="\n".join((found[-1].description, *pending)))
        pending.clear()


def _key(match: re.Match[str]) -> KernelKey:
    return KernelKey(
        serial=int(match[1], 16),
        flags=match[2],
        uses=int(match[3]),
        timeout=match[4],
        permissions=int(match[5], 16),
        user=int(match[6]),
        group=int(match[7]),
        type=match[8].rstrip(),
        description=match[9],
    )
