"""What the kernel notes, prints and refuses while it reads a PKCS#7 message.

Source: crypto/asymmetric_keys/pkcs7_parser.c (5.10 to 7.2).
"""

from lkm.formats.ber import Ber, Element, dotted
from lkm.formats.oid_registry import numbers

__all__ = ["Notes", "Refused"]

_OID, _SEQUENCE, _SET = 0x06, 0x30, 0x31
_SHOWN_OID = 49  # pkcs7_note_OID prints into 50 bytes


class Refused(Exception):
    """An action of the grammar says no; it never leaves those who read a message."""

    def __init__(self, code: int) -> None:
        self.errno = code


class Notes:
    """The object identifier that was read last, as the grammar's actions ask for it, and the lines so far.

    :param edition: of the kernel's registry of object identifiers, as for :func:`lkm.formats.oid_registry.numbers`
    :param log: gets the lines that the kernel prints
    :ivar last: the identifier, as in ``1.2.840.113549.1.7.1``
    """

    __slots__ = ("_log", "_numbers", "edition", "last")

    def __init__(self, edition: int, log: list[str]) -> None:
        self.edition = edition
        self.last = ""
        self._log = log
        self._numbers = numbers(edition)

    def refuse(self, code: int, line: str) -> Refused:
        """Print a line, and give what to raise."""
        self._log.append(line)
        return Refused(code)

    def number_of(self, oid: str) -> int:
        """Give the number by which the kernel's lines name an identifier."""
        return self._numbers.get(oid, len(self._numbers))

    def take_oid(self, ber: Ber) -> Element:
        """Read an identifier (``pkcs7_note_OID``)."""
        element = ber.take(_OID)
        self.look_up(ber, element)
        return element

    def look_up(self, ber: Ber, element: Element) -> None:
        """Note an identifier, and say so where the kernel does not know it."""
        self.last = dotted(ber.contents(element))
        if self.last not in self._numbers:
            self._log.append(f"PKCS7: Unknown OID: [{element.start}] {self.last[:_SHOWN_OID]}")

    def take_algorithm(self, ber: Ber) -> None:
        """Read an AlgorithmIdentifier, of which only the identifier counts."""
        parts = ber.inside(ber.take(_SEQUENCE))
        self.take_oid(parts)
        if not parts.at_end:
            parts.take()
        parts.finish()

    def read_name(self, ber: Ber) -> None:
        """Read the parts of a name, of which only the kinds count."""
        for _ in ber.several():
            part = ber.inside(ber.take(_SET))
            for _ in part.several():
                assertion = part.inside(part.take(_SEQUENCE))
                self.take_oid(assertion)
                assertion.take()
                assertion.finish()
