"""Changes to files as a unified diff."""

from collections.abc import Iterable, Iterator

from lkm.system.file_contents import Content, Link
from lkm.system.journal import FileChange
from lkm.system.root import Root

__all__ = ["difference"]

_NO_NEWLINE = "\\ No newline at end of file\n"


def difference(root: Root, files: Iterable[FileChange]) -> str:
    """Write a diff as ``diff -u`` does, with ``/dev/null`` for a file that is not there.

    A link is shown as a file whose only line says where it leads.
    """
    return "".join(piece for file in files for piece in _of_file(root.display(file.path), file))


def _of_file(name: str, file: FileChange) -> Iterator[str]:
    import difflib  # noqa: PLC0415  dear, and only for changes

    before, after = _lines(file.before), _lines(file.after)
    old = name if file.before is not None else "/dev/null"
    new = name if file.after is not None else "/dev/null"
    pieces = list(difflib.unified_diff(before, after, old, new))
    if not pieces:  # an empty file that comes or goes, or a link with the words of a file
        pieces = [f"--- {old}\n", f"+++ {new}\n"]
    for piece in pieces:
        yield piece if piece.endswith("\n") else f"{piece}\n{_NO_NEWLINE}"


def _lines(content: Content) -> list[str]:
    if content is None:
        return []
    if isinstance(content, Link):
        return [f"(a link to {content.target})\n"]
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
