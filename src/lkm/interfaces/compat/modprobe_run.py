"""What the parts of ``modprobe`` share: the settings, the context, what is said and what is printed."""

import sys
from dataclasses import dataclass

from lkm.errors import FormatError, TreeMissing, UsageError
from lkm.interfaces.compat.context import Context
from lkm.interfaces.compat.hints import not_found_hints
from lkm.interfaces.compat.index_damage import say_damage
from lkm.interfaces.compat.messages import Messages, Priority, put
from lkm.interfaces.compat.modprobe_settings import Settings
from lkm.rules.resolving import Candidate

__all__ = ["LOOKUP_ERRORS", "Fatal", "Run"]

LOOKUP_ERRORS = (FormatError, TreeMissing, UsageError)
"""Without a root, a tree or an index that can be read there is nothing to find, as for kmod."""


class Fatal(Exception):
    """A fatal message was said: kmod ends there and then. No error of the tree, it ends in ``main``."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of modprobe."""

    settings: Settings
    messages: Messages
    context: Context

    @property
    def shows(self) -> bool:
        """Each step is printed."""
        return self.settings.show_depends or self.messages.shown > Priority.WARNING

    @property
    def is_dry(self) -> bool:
        """Nothing is changed."""
        return self.settings.dry_run or self.settings.show_depends

    def complain(self, text: str, *hints: str) -> None:
        """Say what is wrong with a module: a warning with ``--all``, else the end, unless it is not shown.

        :raises Fatal: the end (kmod 30, tools/modprobe.c ``LOG``, tools/log.c ``log_printf``)
        """
        priority = Priority.WARNING if self.settings.use_all else Priority.FATAL
        self.messages.say(priority, text)
        for hint in hints:
            self.messages.hint(hint)
        if priority is Priority.FATAL and self.messages.shown >= Priority.FATAL:
            raise Fatal

    def show(self, text: str, *, at_once: bool = False) -> None:
        """Print a step, where steps are printed.

        :param at_once: into a pipe or file too, as kmod prints what it removes (tools/modprobe.c ``_show``)
        """
        if self.shows:
            put(f"{text}\n")
            if at_once:
                sys.stdout.flush()

    @property
    def _hints(self) -> bool:
        """Hints are looked for, which takes a while; many names at once come from programs, which read none."""
        return self.messages.shown >= Priority.ERROR and not self.settings.use_all

    def lookup(self, name: str) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
        """Give what a name leads to, and hints why it leads to nothing."""
        try:
            found = self.context.resolver.lookup(name)
            hints = () if found or not self._hints else not_found_hints(self.context, name)
        except LOOKUP_ERRORS as error:
            if isinstance(error, FormatError):
                say_damage(self.messages, self.context.tree)
            return (), (str(error), *([error.hint] if error.hint else []))
        return found, hints
