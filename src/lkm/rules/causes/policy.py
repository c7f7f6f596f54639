"""What demands signatures, what locks a kernel down, what forbids modules: told apart by what is known."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.causes.templates import anchor, match
from lkm.rules.signatures.policy import Lockdown, parse_boolean

if TYPE_CHECKING:
    from lkm.rules.loading.state import KernelState

__all__ = [
    "facts_of_command_line",
    "facts_of_file",
    "facts_of_lines",
    "facts_of_state",
    "words_of_command_line",
    "words_of_lines",
    "words_of_state",
]

_LOCKED_DOWN = "Kernel is locked down from "
_CLOSED = "' taints kernel."
_NO_TREE = ("modules.dep.bin'", "modules.builtin.bin'")
_WRONG_VALUES = (
    "{parameter}: can only take {most} arguments",
    "{parameter}: needs at least {least} arguments",
    "{parameter}: string doesn't fit in",
    "{parameter}: string parameter too long",
)
_MIXED = "module using GPL-only symbols uses symbols"
_REASONS = ("disagrees about version of symbol", "no symbol version for", "but does not import it")
_SECURE_BOOT = "secure boot"
_ORIGINS = (  # what lock_kernel_down is called with; the first by patches of distributions
    (_SECURE_BOOT, "by Secure Boot"),
    ("command line", "by its command line"),
    ("configuration", "by its configuration"),
)
_COMMAND_LINE = ("Kernel command line: ", "Command line: ")
_MODES = frozenset(mode.value for mode in Lockdown if mode is not Lockdown.NONE)


def words_of_state(state: "KernelState") -> dict[str, str]:
    """Say it for a kernel of which all is known: what neither firmware nor command line did, its configuration did."""
    words = {
        "enforcer": "CONFIG_MODULE_SIG_FORCE of its configuration demands that",
        "locker": "by its configuration, CONFIG_LOCK_DOWN_KERNEL_FORCE_…",
    }
    if state.sig_enforce is not None:
        words["enforcer"] = "Secure Boot or a policy demands that"
    if state.lockdown is not None:
        words["locker"] = "by Secure Boot or by its owner"
    return words | words_of_command_line(state.command_line)


def words_of_command_line(command_line: str) -> dict[str, str]:
    """Say what the kernel command line demands."""
    cmdline = Cmdline(command_line)
    words = {}
    if any(parse_boolean(value) is True for value in cmdline.values("module.sig_enforce")):
        words["enforcer"] = "module.sig_enforce on its command line demands that"
    if _MODES.intersection(value for value in cmdline.values("lockdown") if value):
        words["locker"] = "by lockdown= on its command line"
    return words


def words_of_lines(lines: Iterable[str]) -> dict[str, str]:
    """Say what lines of the kernel's log tell of it (security/lockdown/lockdown.c ``lock_kernel_down``)."""
    words: dict[str, str] = {}
    for line in lines:
        for begin in _COMMAND_LINE:
            if begin in line:
                words |= words_of_command_line(line.partition(begin)[2])
        if _LOCKED_DOWN in line:
            origin = line.partition(_LOCKED_DOWN)[2].partition(";")[0].casefold()
            words["locker"] = next((why for sign, why in _ORIGINS if sign in origin), "by its owner")
            if _SECURE_BOOT in origin:
                words.setdefault("enforcer", "Secure Boot demands that")
    return words


def facts_of_state(state: "KernelState") -> set[str]:
    """Give the facts about a kernel that loads no modules."""
    return facts_of_command_line(state.command_line) | ({"modules disabled"} if state.modules_disabled else set())


def facts_of_command_line(command_line: str) -> set[str]:
    """Give the facts of the kernel command line that rules ask for."""
    values = Cmdline(command_line).values("nomodule")
    return {"nomodule"} if values and parse_boolean(values[-1]) else set()


def facts_of_lines(lines: Iterable[str]) -> set[str]:
    """Give what lines of the kernel's log tell together, and none of them alone."""
    known = tuple(lines)
    text = "\n".join(known)
    facts = _refused(known) if _MIXED in text else set()
    if _CLOSED in text:
        found = (match("{module}: module license '{licence*}' taints kernel.", line) for line in known)
        facts |= {f"closed {words['module']}" for words in found if words}
    if not any(reason in text for reason in _REASONS):
        facts.add("no reason for -22")
    if "Lockdown: " in text:
        facts.add("locked down")
    if "' invalid for parameter `" not in text:
        facts.add("no parameter named")
    if not any(sign in text for sign in _NO_TREE):
        facts.add("tree there")
    if "make.log for more information." not in text:
        facts.add("no make.log named")
    if any(anchor(template) in text for template in _WRONG_VALUES):
        facts |= _explained(known)
    return facts


def _refused(lines: Sequence[str]) -> set[str]:
    """Name the symbols that are there but were refused: each line that says why comes before one that does not."""
    found = (match("Unknown symbol {symbol} (err", after) for line, after in pairwise(lines) if _MIXED in line)
    return {f"refused {words['symbol']}" for words in found if words}


def _explained(lines: Iterable[str]) -> set[str]:
    """Name the parameters of which a line says more than that their value is bad."""
    found = (match(template, line) for line in lines for template in _WRONG_VALUES)
    return {f"explained {words['parameter']}" for words in found if words}


def facts_of_file(file: str | None) -> set[str]:
    """Give what a file's name tells."""
    return {"compressed"} if file and file.endswith((".gz", ".xz", ".zst")) else set()
