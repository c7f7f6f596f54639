"""What pyproject.toml can't say: a build makes the manual pages and the completions, out of lkm's own parsers.

They are made when lkm is built, and not kept in the repository, so that they are never older than the code.
"""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build import build

_SOURCE = Path(__file__).resolve().parent / "src"


class _Build(build):
    """Build, and write the files that are installed below the prefix, for ``install_data`` to find."""

    def run(self) -> None:
        super().run()
        written: dict[str, list[str]] = {}
        for name, text in _data_files().items():
            path = Path(self.build_base) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.setdefault(str(Path(name).parent), []).append(str(path))
        self.distribution.data_files = list(written.items())


def _data_files() -> dict[str, str]:
    """Give the text of each file by its path below the prefix; this needs nothing but the standard library."""
    sys.path.insert(0, str(_SOURCE))
    from lkm.interfaces.data_files import data_files  # noqa: PLC0415  found once the path is set

    return data_files()


setup(cmdclass={"build": _Build})
