"""The words that summaries and remedies are filled with; in remedies quoted for the shell."""

from collections.abc import Mapping
from typing import NamedTuple

from lkm.errors import Cause
from lkm.rules.causes.rule import CauseRule

__all__ = ["Shell", "filled", "named", "usual"]

_LONGEST = 200
_TREE = "/lib/modules/"  # what is in a module tree is found by its name


class Shell(NamedTuple):
    """A word that goes into a command as it stands.

    :param text: safe for the shell, or meant for it, as in ``$(uname -r)``
    """

    text: str


def usual(release: str | None = None) -> dict[str, str | Shell]:
    """Give the words for a kernel.

    :param release: as ``uname -r`` prints it; None is the one that runs
    """
    import shlex  # noqa: PLC0415  only when something went wrong

    build = "/lib/modules/$(uname -r)/build" if release is None else shlex.quote(f"/lib/modules/{release}/build")
    return {
        "kernel": "this kernel",
        "build": Shell(build),
        "enforcer": "module.sig_enforce on its command line, CONFIG_MODULE_SIG_FORCE or a policy demands that",
        "locker": "by Secure Boot, its command line or its configuration",
        "phase": "",
    }


def named(module: str | None, file: str | None) -> dict[str, str | Shell]:
    """Give the words for a module, of which perhaps neither name nor file is known."""
    import shlex  # noqa: PLC0415  as above

    words: dict[str, str | Shell] = {"module": module or "the module", "file": file or module or "the file"}
    words["MODULE"] = module or Shell("MODULE")
    words["subject"] = words["MODULE"]
    if file:
        words["FILE"] = file if "/" in file else f"./{file}"
        if not module or _TREE not in file:
            words["subject"] = words["FILE"]
    elif module:
        words["FILE"] = Shell(f'"$(modinfo -n {shlex.quote(module)})"')
    else:
        words["FILE"] = Shell("FILE.ko")
    return words


def filled(rule: CauseRule, words: Mapping[str, str | Shell]) -> Cause:
    """Fill a rule's sentence and commands.

    Commands with a word that looks like an option are left away: no tool would take it for a name.
    """
    import shlex  # noqa: PLC0415  as above

    plain = {name: word.text if isinstance(word, Shell) else _short(word) for name, word in words.items()}
    quoted = {name: word.text if isinstance(word, Shell) else shlex.quote(word) for name, word in words.items()}
    for lower, upper in (("module", "MODULE"), ("file", "FILE")):
        quoted[lower] = quoted[upper]
    remedy = tuple(
        command.format_map(quoted)
        for command in rule.remedy
        if not any(word.startswith("-") and f"{{{name}}}" in command for name, word in quoted.items())
    )
    return Cause(rule.id, rule.summary.format_map(plain), remedy, rule.reference)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
