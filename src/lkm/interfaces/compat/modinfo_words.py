"""What ``modinfo`` shows of one word of its command line: a file, or the modules that a name leads to.

Facts: kmod 30, tools/modinfo.c ``modinfo_path_do``, ``modinfo_alias_do``, ``modinfo_name_do``.
"""

import errno
import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

from lkm.errors import LkmError
from lkm.formats.module_name import EXTENSIONS, canonical, normalise_alias
from lkm.interfaces.compat.modinfo_output import Layout
from lkm.interfaces.compat.modinfo_source import SIGNATURE_KEYS, Signatures, entries_of
from lkm.interfaces.compat.module_contents import refusal
from lkm.interfaces.compat.output import Output
from lkm.interfaces.compat.refusals import errno_of, explain, text_of
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

if TYPE_CHECKING:
    from lkm.interfaces.compat.context import Context
    from lkm.interfaces.compat.messages import Messages
    from lkm.rules.resolving import Candidate

__all__ = ["Run"]

_Entries = list[bytes]


class Run:
    """One run of modinfo.

    :param only: the one field that is shown; None shows all
    :param separator: after each value
    :param only_names: words are names of modules, neither aliases nor files
    """

    __slots__ = ("_context", "_host", "_layout", "_messages", "_only_names", "_signatures", "output")

    def __init__(
        self,
        context: "Context",
        output: Output,
        messages: "Messages",
        *,
        only: str | None,
        separator: str,
        only_names: bool,
    ) -> None:
        self.output = output
        self._context = context
        self._messages = messages
        self._layout = Layout(only, separator, lambda text: self._speak().error(text))
        self._only_names = only_names
        self._signatures = Signatures() if only is None or only in SIGNATURE_KEYS else None
        self._host = Root()

    def show(self, word: str) -> bool:
        """Show what a word means.

        :returns: whether all went well; if not, there was a message
        """
        if not self._only_names and _is_module_file(word):
            return self._show_file(word)
        reason = ""
        try:
            found = self._named(word) if self._only_names else self._context.resolver.lookup(word)
        except LkmError as error:
            found, reason = (), str(error)
        if not found:
            self._not_found(word, reason)
        shown = [self._show_candidate(candidate) for candidate in found]
        return bool(found) and all(shown)

    def _not_found(self, word: str, reason: str) -> None:
        from lkm.interfaces.compat.hints import not_found_hints  # noqa: PLC0415  only when something went wrong

        kind = "name " if self._only_names else "alias " if normalise_alias(word) is None else ""
        messages = self._speak()
        messages.error(f"Module {kind}{word} not found.")
        try:
            hints = (reason,) if reason else not_found_hints(self._context, word, release_option="-k")
        except LkmError as error:
            hints = (str(error),)
        for hint in hints:
            messages.hint(hint)

    def _speak(self) -> "Messages":
        """Give what says messages, after what was laid out so far is written."""
        self.output.flush()
        return self._messages

    def _named(self, word: str) -> "tuple[Candidate, ...]":
        """Look up a name of a module or a built-in (libkmod-module.c ``kmod_module_new_from_name_lookup``)."""
        name = canonical(word.split(".", 1)[0])
        tree = self._context.tree
        if tree.module(name) or tree.is_builtin(name):
            return (self._context.resolver.candidate(name),)
        from lkm.rules.resolving import Candidate  # noqa: PLC0415  a file needs none

        return tuple(Candidate(canonical(found), name, builtin=True) for found in tree.by_builtin_alias(name)[:1])

    def _show_file(self, word: str) -> bool:
        path = word if word.startswith("/") else os.path.join(os.getcwd(), word)  # noqa: PTH109, PTH118
        module = ModuleFile(self._host, path)
        return self._print(module.name, path, lambda: entries_of(module, self._signatures))

    def _show_candidate(self, candidate: "Candidate") -> bool:
        module = self._context.resolver.module_file(candidate)
        path = self._context.printed(module) if module else None
        if candidate.builtin:
            return self._print(candidate.name, path, lambda: self._builtin_entries(candidate.name))
        if module is None:
            return self._print(candidate.name, None, list)
        return self._print(candidate.name, path, lambda: entries_of(module, self._signatures))

    def _builtin_entries(self, name: str) -> _Entries:
        tree = self._context.tree
        if name in tree.builtin_modinfo:
            fields = tree.builtin_modinfo[name].fields
            return [f"{key}={value}".encode("utf-8", "surrogateescape") for key, value in fields]
        if not tree.root.is_file(f"{tree.directory}/modules.builtin.modinfo"):
            return []  # a kernel before 5.2: nothing is known of its built-ins
        raise refusal(errno.ENOSYS, "modules.builtin.modinfo says nothing of it")

    def _print(self, name: str, path: str | None, read: Callable[[], _Entries]) -> bool:
        self.output.put(self._layout.head(name, path))
        if self._layout.only == b"filename":
            return True
        try:
            entries = read()
        except LkmError as error:
            messages = self._speak()
            messages.error(f"could not get modinfo from '{name}': {text_of(errno_of(error), {})}")
            explain(messages, error)
            return False
        self.output.put(self._layout.body(entries))
        return True


def _is_module_file(word: str) -> bool:
    if not word.endswith(EXTENSIONS) or word in EXTENSIONS:
        return False
    try:
        return stat.S_ISREG(os.stat(word).st_mode)  # noqa: PTH116
    except (OSError, ValueError):
        return False
