"""``rmmod``: have the kernel remove modules, one after the other, with nothing that belongs to them.

Facts: kmod 30, tools/rmmod.c.
"""

import os
from collections.abc import Sequence

from lkm.errors import LkmError, ModuleSupportMissing, UnloadRefused
from lkm.formats.module_name import canonical, from_path, is_sane
from lkm.formats.proc_modules import LoadedModule
from lkm.interfaces.compat.context import Context
from lkm.interfaces.compat.getopt import Grammar, parse
from lkm.interfaces.compat.holders import in_sysfs_order
from lkm.interfaces.compat.messages import Messages, put, version
from lkm.interfaces.compat.refusals import REMOVAL, errno_of, explain, report, text_of
from lkm.interfaces.target import target_from_environment
from lkm.kernels.base import UnloadFlags
from lkm.rules.causes import causes_of_unload

__all__ = ["main"]

_GRAMMAR = Grammar("fsvVwh", {"force": "f", "syslog": "s", "verbose": "v", "version": "V", "help": "h"})
_HELP = """\
Usage:
\trmmod [options] MODULE ...
Options:
\t-f, --force       remove a module that is in use, where the kernel was built to allow it;
\t                  the system may crash
\t-s, --syslog      messages go to syslog
\t-v, --verbose     say more
\t-V, --version     print the version
\t-h, --help        print this text
"""


def main(argv: Sequence[str]) -> int:
    """Run ``rmmod``; a module that can't be removed does not keep it from the next one.

    :param argv: the arguments
    :returns: the exit status
    """
    messages = Messages("rmmod")
    flags = UnloadFlags.NONE
    parsed = parse(_GRAMMAR, argv, in_order="POSIXLY_CORRECT" in os.environ)
    for key, _ in parsed.options:
        match key:
            case "V":
                put(version())
                return 0
            case "h":
                put(_HELP)
                return 0
            case "f":
                flags = UnloadFlags.FORCE
            case "s":
                messages.use_syslog = True
            case "w":
                messages.error("unexpected getopt_long() value 'w'.")
                messages.hint("modprobe -r --wait MSEC waits until a module is no longer in use")
                return 1
    if parsed.error:
        messages.plain(parsed.error)
        return 1
    if not parsed.operands:
        messages.error("missing module name.")
        return 1
    try:
        with Context(target_from_environment(), reads_modprobe_d=False) as context:
            done = [_remove(messages, context, word, flags) for word in parsed.operands]
    except LkmError as error:
        report(messages, error)
        return 1
    return int(not all(done))


def _remove(messages: Messages, context: Context, word: str, flags: UnloadFlags) -> bool:
    name = _name_of(word)
    if not is_sane(name):
        messages.error(f"Module {name} is not currently loaded")
        return False
    try:
        if UnloadFlags.FORCE not in flags and not _is_free(messages, context, name):
            return False
        context.kernel.unload(name, flags)
    except LkmError as error:
        reason = text_of(errno_of(error), {})
        messages.library(REMOVAL, f"could not remove '{name}': {reason}")
        messages.error(f"could not remove module {word}: {reason}")
        if isinstance(error, UnloadRefused):
            error.causes = causes_of_unload(error)
        explain(messages, error)
        return False
    return True


def _name_of(word: str) -> str:
    """Take a file for the module in it, anything else for a name; both end at the first dot."""
    is_file = os.path.exists(word)  # noqa: PTH110
    return from_path(word) if is_file else canonical(word.split(".", 1)[0])


def _is_free(messages: Messages, context: Context, name: str) -> bool:
    """Tell whether a module is loaded and unused, and say what it is otherwise."""
    if _is_builtin(context, name):
        messages.error(f"Module {name} is builtin.")
        return False
    try:
        module = next((module for module in context.kernel.loaded() if module.name == name), None)
    except ModuleSupportMissing as error:
        messages.error(f"Module {name} is not currently loaded")
        explain(messages, error)
        return False
    if module is None:
        messages.error(f"Module {name} is not currently loaded")
        return False
    return _is_unused(messages, module)


def _is_builtin(context: Context, name: str) -> bool:
    try:
        return context.tree.is_builtin(name)
    except LkmError:
        return False  # as kmod: no index, no built-ins


def _is_unused(messages: Messages, module: LoadedModule) -> bool:
    if module.used_by:
        messages.error(f"Module {module.name} is in use by: {' '.join(in_sysfs_order(module.used_by))}")
    elif module.refcount is None:
        messages.error("Module unloading is not supported")
    elif module.refcount > 0:
        messages.error(f"Module {module.name} is in use")
        if module.permanent:
            messages.hint(f"{module.name} has no exit function: it stays until the next boot")
    else:
        return True
    return False
