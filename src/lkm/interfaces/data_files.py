"""The files that an installation puts beside the program: manual pages, and the shells' completion scripts."""

from lkm.interfaces.completion.scripts import FILES, SCRIPTS
from lkm.interfaces.manual.pages import pages

__all__ = ["data_files"]


def data_files() -> dict[str, str]:
    """Give the text of each file by its path below a prefix such as /usr/local."""
    manual = {f"share/man/man{name[-1]}/{name}": text for name, text in pages().items()}
    return manual | {FILES[shell]: script for shell, script in SCRIPTS.items()}
