"""Which package a file belongs to, as the distribution's own tool says."""

import os
from collections.abc import Callable
from typing import NamedTuple

from lkm.system.root import Root

__all__ = ["owner_of"]

_SECONDS = 10.0


class _Tool(NamedTuple):
    """A tool that knows packages.

    :param database: the directory, inside a root, that a root of its kind has
    :param words: the command for a root (of the host) and a path inside it
    :param read: takes the package's name out of what it prints
    """

    database: str
    words: Callable[[str, str], list[str]]
    read: Callable[[str], str]


def _dpkg(root: str, path: str) -> list[str]:
    return ["dpkg-query", f"--admindir={root.rstrip('/')}/var/lib/dpkg", "--search", path]


def _rpm(root: str, path: str) -> list[str]:
    return ["rpm", "--root", root, "-qf", "--queryformat", "%{NAME}-%{VERSION}-%{RELEASE}\\n", path]


def _pacman(root: str, path: str) -> list[str]:
    return ["pacman", "--root", root, "-Qoq", path]


_TOOLS = (
    _Tool("/var/lib/dpkg", _dpkg, lambda text: text.partition(": ")[0]),
    _Tool("/var/lib/rpm", _rpm, lambda text: text.partition("\n")[0]),
    _Tool("/usr/lib/sysimage/rpm", _rpm, lambda text: text.partition("\n")[0]),
    _Tool("/var/lib/pacman", _pacman, lambda text: text.partition("\n")[0]),
)


def owner_of(root: Root, path: str) -> str | None:
    """Name the package that a file belongs to.

    :param path: absolute inside the root
    :returns: None where no package has it, or nobody can say: no known tool, or it does not answer in ten seconds
    """
    for tool in _TOOLS:
        if root.is_dir(tool.database):
            for spelling in _spellings(path):
                found = _ask(tool, root.path, spelling)
                if found:
                    return found
    return None


def _spellings(path: str) -> tuple[str, ...]:
    """Give a path as packages may have it: /lib is a link to /usr/lib on most systems."""
    if path.startswith("/usr/lib/"):
        return path, path.removeprefix("/usr")
    return (path, f"/usr{path}") if path.startswith("/lib/") else (path,)


def _ask(tool: _Tool, root: str, path: str) -> str | None:
    import subprocess  # noqa: PLC0415  dear at start-up, and few ask for packages

    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            tool.words(root, path), capture_output=True, env=environment, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    text = done.stdout.decode(errors="backslashreplace")
    return tool.read(text).strip() or None if done.returncode == 0 else None
