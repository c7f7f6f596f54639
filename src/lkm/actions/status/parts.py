"""What the parts of an overview have in common."""

import shlex
from enum import Enum
from typing import NamedTuple

from lkm.actions.lockdown.kernel import AskedKernel
from lkm.actions.session import Session

__all__ = ["Attention", "Fact", "Level", "Overview", "Part"]


class Level(Enum):
    """How much something matters."""

    PROBLEM = "problem"
    NOTE = "note"


class Attention(NamedTuple):
    """Something that somebody should look at.

    :param id: a short stable name, as in ``wanted-not-loaded``
    :param text: one sentence
    :param remedy: the next command, or several; may be empty
    :param where: the line of configuration that it is about
    """

    id: str
    level: Level
    text: str
    remedy: tuple[str, ...] = ()
    where: str | None = None


class Fact(NamedTuple):
    """A line of the overview.

    :param name: for programs
    :param value: for programs: what JSON can hold; None where it is not known
    :param text: for people
    """

    name: str
    value: object
    text: str


class Part(NamedTuple):
    """What one look at the system gave."""

    fact: Fact
    attention: tuple[Attention, ...] = ()


class Overview(NamedTuple):
    """What all looks share.

    :param kernel: the kernel that is meant
    """

    session: Session
    kernel: AskedKernel

    def lkm(self, words: str, *, changes: bool = False) -> str:
        """Give a command of lkm that works on the same system.

        :param changes: it needs root on the machine's own kernel
        """
        target = self.session.target
        options = [
            f" --{name} {shlex.quote(value)}"
            for name, value, usual in (
                ("root", target.root, "/"),
                ("release", target.release, None),
                ("kernel", target.kernel, "live"),
            )
            if value is not None and value != usual
        ]
        sudo = "sudo " if changes and self.session.kernel_kind == "live" else ""
        return f"{sudo}lkm {words}{''.join(options)}"

    def inside(self, command: str) -> str:
        """Give a command of others that works inside of the root."""
        root = self.session.root
        return f"sudo {command}" if root.is_host else f"sudo chroot {shlex.quote(root.path)} {command}"
