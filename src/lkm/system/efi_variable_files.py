"""EFI variables of a root or a directory, as files: those of efivarfs, and of the table that shim hands over."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from lkm.errors import FormatError, Unreadable
from lkm.formats import efi_variables
from lkm.formats.efi_variables import EfiVariable
from lkm.system.root import Root

__all__ = ["FoundVariable", "VariableFiles"]

_LARGEST = 16 << 20  # bytes; firmware has a few hundred KiB for all variables
_MOST_FILES = 4096


class FoundVariable(NamedTuple):
    """A variable.

    :param source: its file, as people should see it
    """

    variable: EfiVariable
    source: str


class VariableFiles:
    """What was found.

    :param root: where to look
    :param guids: the names of the variables that are wanted, and the GUID that each must have in efivarfs
    :param unread: names of which only their being there is wanted
    :ivar found: the variables of efivarfs, by name
    :ivar table: those of shim's table
    :ivar in_table: the names of all variables in shim's table, readable or not
    :ivar seen: the names of all that are there, those that could not be read, too
    :ivar problems: what could not be read
    """

    def __init__(self, root: Root, guids: Mapping[str, str], unread: Collection[str]) -> None:
        self.root = root
        self.found: dict[str, FoundVariable] = {}
        self.table: dict[str, FoundVariable] = {}
        self.in_table: set[str] = set()
        self.seen: set[str] = set()
        self.problems: list[str] = []
        self._guids = guids
        self._unread = unread

    def read_efivars(self, directory: str) -> None:
        """Read the files of efivarfs that matter."""
        for file in self.root.listdir(directory)[:_MOST_FILES]:
            parts = efi_variables.name_of_file(file)
            if parts is not None and parts[1] == self._guids.get(parts[0]) and parts[0] not in self.found:
                self._read(f"{directory.rstrip('/')}/{file}", parts[0], self.found, efi_variables.parse)

    def read_table(self, directory: str) -> None:
        """Read the files of mok-variables: data alone, which root alone may read."""
        names = [name for name in self.root.listdir(directory)[:_MOST_FILES] if name in self._guids]
        self.in_table.update(names)
        for name in names:
            told = len(self.problems)
            if name not in self.table:
                self._read(f"{directory.rstrip('/')}/{name}", name, self.table, _plain)
            if len(self.problems) > told and "permission denied" in self.problems[-1]:
                return  # one line says it for all

    def read_lists(self, directory: str) -> None:
        """Read signature lists without attributes, as tools write them."""
        for file in self.root.listdir(directory)[:_MOST_FILES]:
            name = file.removesuffix(".esl")
            if name != file and name not in self.found:
                self._read(f"{directory.rstrip('/')}/{file}", name, self.found, _plain)

    def _read(
        self, path: str, name: str, place: dict[str, FoundVariable], parse: Callable[[bytes], EfiVariable]
    ) -> None:
        self.seen.add(name)
        if name in self._unread:
            place[name] = FoundVariable(EfiVariable(None, b""), self.root.display(path))
            return
        try:
            contents = self.root.read_bytes(path, limit=_LARGEST)
            place[name] = FoundVariable(parse(contents), self.root.display(path))
        except FormatError as error:
            self.problems.append(f"{self.root.display(path)}: {error}")
        except Unreadable as error:
            self.problems.append(f"{error}" + (f" ({error.hint})" if error.hint else ""))


def _plain(contents: bytes) -> EfiVariable:
    return EfiVariable(None, contents)
