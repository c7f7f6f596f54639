"""Elements of DER as certificates and signatures of the usual form have them; all else is refused at once.

What nearly every file has is read with this, in microseconds; a full decoder takes longer to load than that takes for
a hundred files, and is for the rest.
"""

__all__ = [
    "INTEGER",
    "OCTETS",
    "OID",
    "RSA_ENCRYPTION",
    "SEQUENCE",
    "SET",
    "Elements",
    "OtherForm",
    "name_parts",
]

INTEGER, OCTETS, OID, SEQUENCE, SET = b"\x02\x04\x06\x30\x31"
RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d0101010500")
"""The AlgorithmIdentifier of RSA without its header: with parameters, which are NULL."""

_UTF8, _PRINTABLE = b"\x0c\x13"
_LONGEST_OID = 64


class OtherForm(Exception):
    """The data has another form, or none; those who read it turn to a full decoder."""


class Elements:
    """Elements of DER, one after the other; lengths as DER writes them, and below 64 KiB."""

    __slots__ = ("_data", "_place")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, tag: int) -> bytes:
        """Give the contents of the next element.

        :raises OtherForm: it is none, or of another tag
        """
        data, start = self._data, self._place + 2
        if len(data) < start or data[start - 2] != tag:
            raise OtherForm
        size = data[start - 1]
        if size >= 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[start : start + count])
            start += count
            if not 1 <= count <= 2 or size < (0x80, 0x100)[count - 1]:
                raise OtherForm
        self._place = start + size
        if self._place > len(data):
            raise OtherForm
        return data[start : self._place]

    def enter(self, tag: int) -> "Elements":
        """Give the elements inside of the next element."""
        return Elements(self.take(tag))

    def expect(self, element: bytes) -> None:
        """Pass over an element that must be this one."""
        if not self._data.startswith(element, self._place):
            raise OtherForm
        self._place += len(element)

    @property
    def rest(self) -> bytes:
        """What was not taken yet."""
        return self._data[self._place :]

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self.rest:
            raise OtherForm


def name_parts(names: Elements) -> list[tuple[bytes, bytes]]:
    """Read the parts of a Name, all of which must be texts: (object identifier, text)."""
    found = []
    while names.rest:
        alone = names.enter(SET)
        part = alone.enter(SEQUENCE)
        alone.end()
        if not 1 <= len(identifier := part.take(OID)) <= _LONGEST_OID or identifier[-1] >= 0x80:
            raise OtherForm
        found.append((identifier, part.take(_UTF8 if part.rest[:1] == bytes((_UTF8,)) else _PRINTABLE)))
        part.end()
    return found
