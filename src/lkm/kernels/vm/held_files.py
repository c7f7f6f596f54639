"""Contents that a program opens by a path without their having a name: nothing is left behind, however we end."""

import tempfile
from contextlib import ExitStack
from typing import Self

from lkm.kernels.vm.processes import path_of

__all__ = ["HeldFiles"]


class HeldFiles:
    """Files without names. Leave the context when the program has started: it has inherited them.

    :ivar descriptors: what the program is to inherit
    """

    def __init__(self) -> None:
        self.descriptors: list[int] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Give the files, none yet."""
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def hold(self, contents: bytes) -> str:
        """Write a file.

        :returns: a path by which the program opens it, to read and to write
        """
        file = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  the stack closes it
        file.write(contents)
        file.flush()
        self.descriptors.append(file.fileno())
        return path_of(file.fileno())
