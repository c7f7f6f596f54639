"""From what a user calls modules to those that are meant, for verbs that keep modules out."""

from collections.abc import Sequence

from lkm.actions.load_names import looks_like_path
from lkm.actions.session import Session
from lkm.errors import ModuleNotFound, UsageError
from lkm.formats.module_name import canonical, from_path, normalise_alias
from lkm.rules.suggestions import similar

__all__ = ["known_modules", "module_names"]

_LONGEST = 55  # include/linux/moduleparam.h MODULE_NAME_LEN on 64 bit, without the NUL
_PATTERN = frozenset("*?[]\\#\"'")


def module_names(sessions: Sequence[Session], words: Sequence[str], *, unknown: bool = False) -> tuple[str, ...]:
    """Give the canonical names of modules.

    :param sessions: one for each kernel
    :param unknown: also names that no kernel here has
    :raises UsageError: a word is a path, a pattern, an alias, or no name at all
    :raises ModuleNotFound: no kernel here has such a module
    """
    return tuple(dict.fromkeys(_module_name(sessions, word, unknown=unknown) for word in words))


def _module_name(sessions: Sequence[Session], word: str, *, unknown: bool) -> str:
    name = canonical(from_path(word) if looks_like_path(word) else word)
    odd = normalise_alias(name) is None or any(c in _PATTERN or c.isspace() or not c.isprintable() for c in name)
    if not name or odd or len(name) > _LONGEST:
        raise UsageError(f"{word[:64]!r} is no name of a module", hint="lkm list shows those that are loaded")
    if unknown or any(session.tree.module(name) or session.tree.is_builtin(name) for session in sessions):
        return name
    behind = dict.fromkeys(found.name for session in sessions for found in session.resolver.lookup(word))
    if behind:
        raise UsageError(f"{word} is an alias, of {' and '.join(behind)}", hint=f"name the modules: {' '.join(behind)}")
    alike = similar(word, known_modules(sessions))
    guess = f"did you mean {' or '.join(alike)}? " if alike else ""
    raise ModuleNotFound(
        f"no kernel here has a module {word!r}", hint=f"{guess}--unknown takes names of modules that are not installed"
    )


def known_modules(sessions: Sequence[Session]) -> dict[str, None]:
    """Name all modules of all kernels that have a file."""
    return dict.fromkeys(name for session in sessions for name in session.tree.paths())
