"""Where a module is: its file and the package that has it, or part of the kernel image, or nowhere."""

from typing import NamedTuple

from lkm.actions.describe import Description
from lkm.actions.session import Session
from lkm.system import dkms_state
from lkm.system.packages import owner_of

__all__ = ["Place", "place_of"]


class Place(NamedTuple):
    """Where a module is.

    :param kind: ``file``, ``builtin`` or ``absent``
    :param path: the file, as the host has it; None without one
    :param package: the distribution's package that has the file, or the DKMS package that built it; None where nobody
        can say
    :param note: what is worth knowing of it; may be empty
    """

    kind: str
    path: str | None
    package: str | None
    note: str = ""


def place_of(session: Session, description: Description) -> Place:
    """Tell where a module is."""
    if description.builtin:
        place = session.tree.builtins.get(description.name)
        note = f"as {place} of the kernel's build" if place else ""
        return Place("builtin", None, None, note)
    file = description.file
    if file is None:
        return Place("absent", None, None, "an alias promises it, and there is no such module")
    notes = [] if description.modinfo.first("intree") else ["out of tree"]
    package = owner_of(session.root, file.path)
    if package is None:
        package = _dkms_package(session, file.path)
    if package is None and notes:
        notes.append("no package has it")
    return Place("file", file.display_path, package, ", ".join(notes))


def _dkms_package(session: Session, path: str) -> str | None:
    """Name the DKMS package that has an installed build of a file of this name."""
    base = path.rpartition("/")[2]
    for package in dkms_state.packages(session.root):
        build = package.build_for(session.tree.release)
        if build and build.installed and any(built.rpartition("/")[2] == base for built in build.files):
            return f"{package.name}/{package.version} (DKMS)"
    return None
