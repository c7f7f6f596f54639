"""String tables: NUL-terminated names that others point to by offset."""

from lkm.errors import ElfError

__all__ = ["StringTable"]

# Names may share tails, and hostile ones may all share one tail as long as the file. Nothing honest comes near this
# many characters of name for a byte of file: a symbol takes 16 bytes at least and a name seldom more than 40.
_CHARACTERS_PER_BYTE = 16
_ALWAYS_ALLOWED = 1 << 20


class StringTable:
    """The text of a string table.

    It is decoded once, as Latin-1, so that offsets stay what they were; a name that is not ASCII is decoded again, as
    UTF-8. A last name that no NUL ends, ends with the table.

    :param data: the contents of the section
    :param budget: the length of the file, which bounds how much text names that overlap may add up to
    """

    __slots__ = ("_ascii", "_budget", "size", "text")

    def __init__(self, data: bytes | memoryview, budget: int) -> None:
        self.text = str(data, "latin-1") + "\0"
        self.size = len(self.text) - 1
        self._ascii = self.text.isascii()
        self._budget = budget * _CHARACTERS_PER_BYTE + _ALWAYS_ALLOWED

    def name(self, offset: int) -> str:
        """Return the name that begins at an offset.

        :raises ElfError: the offset lies outside of the table; the error's offset is that of the name in the table
        """
        if not 0 <= offset < self.size:
            raise ElfError(f"a name lies outside of its string table of {self.size} bytes", offset=offset)
        return self._decoded(self.text[offset : self.text.index("\0", offset)])

    def names(self, offsets: list[int]) -> list[str]:
        """Return the names that begin at some offsets, in their order.

        :raises ElfError: one lies outside of the table, or all together are implausibly long
        """
        if not offsets:
            return []
        if min(offsets) < 0 or max(offsets) >= self.size:
            raise ElfError(f"a name lies outside of its string table of {self.size} bytes", offset=max(offsets))
        text = self.text
        names = [text[start:end] for start, end in zip(offsets, self._ends(offsets), strict=True)]
        return names if self._ascii else [self._decoded(name) for name in names]

    def _ends(self, offsets: list[int]) -> list[int]:
        """Find where names end: so many at a time as can't be too long together, which is nearly always all."""
        find = self.text.index
        ends: list[int] = []
        length = 0
        step = max(1, self._budget // len(self.text))
        for first in range(0, len(offsets), step):
            starts = offsets[first : first + step]
            found = [find("\0", start) for start in starts]
            length += sum(found) - sum(starts)
            if length > self._budget:
                raise ElfError("the names overlap so much that they are longer than the file", offset=offsets[first])
            ends += found
        return ends

    def positions(self, prefix: str) -> set[int]:
        """Return every offset at which ``prefix`` (ASCII, not empty) stands."""
        found = set()
        position = self.text.find(prefix)
        while position >= 0:
            found.add(position)
            position = self.text.find(prefix, position + 1)
        return found

    @staticmethod
    def _decoded(name: str) -> str:
        return name if name.isascii() else name.encode("latin-1").decode("utf-8", "surrogateescape")
