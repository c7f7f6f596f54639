"""``insmod``: hand one module file to the kernel, with nothing that it needs.

Facts: kmod 30, tools/insmod.c.
"""

import errno
import os
from collections.abc import Sequence

from lkm.actions.refusals import causes_of_refusal
from lkm.errors import LkmError, LoadRefused
from lkm.interfaces.compat.context import Context
from lkm.interfaces.compat.getopt import Grammar, parse
from lkm.interfaces.compat.messages import Messages, put, version
from lkm.interfaces.compat.refusals import errno_of, explain, text_of
from lkm.interfaces.target import target_from_environment
from lkm.kernels.base import Kernel, LoadFlags
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

__all__ = ["main"]

_GRAMMAR = Grammar(
    "psfVh",
    {"version": "V", "help": "h"},
    newer={
        "syslog": "s",
        "force": "f",
        "force-modversion": "force-modversion",
        "force-vermagic": "force-vermagic",
    },
)
_FLAGS = {
    "f": LoadFlags.IGNORE_MODVERSIONS | LoadFlags.IGNORE_VERMAGIC,
    "force-modversion": LoadFlags.IGNORE_MODVERSIONS,
    "force-vermagic": LoadFlags.IGNORE_VERMAGIC,
}
_TEXTS = {
    errno.ENOEXEC: "Invalid module format",
    errno.ENOENT: "Unknown symbol in module",
    errno.ESRCH: "Module has wrong symbol version",
    errno.EINVAL: "Invalid parameters",
}
_HELP = """\
Usage:
\tinsmod [options] FILE [PARAMETER[=VALUE] ...]
Options:
\t-f, --force               load in spite of another version magic and other symbol versions
\t    --force-modversion    load in spite of other symbol versions
\t    --force-vermagic      load in spite of another version magic
\t-s, --syslog              messages go to syslog
\t-V, --version             print the version
\t-h, --help                print this text
"""


def main(argv: Sequence[str]) -> int:
    """Run ``insmod``.

    :param argv: the arguments
    :returns: the exit status
    """
    messages = Messages("insmod")
    flags = LoadFlags.NONE
    parsed = parse(_GRAMMAR, argv, in_order="POSIXLY_CORRECT" in os.environ)
    for key, _ in parsed.options:
        match key:
            case "V":
                put(version())
                return 0
            case "h":
                put(_HELP)
                return 0
            case "s":
                messages.use_syslog = True
        flags |= _FLAGS.get(key, LoadFlags.NONE)
    if parsed.error:
        messages.plain(parsed.error)
        return 1
    if not parsed.operands:
        messages.error("missing filename.")
        return 1
    path, *parameters = parsed.operands
    if path == "-":
        messages.error("this tool does not support loading from stdin!")
        return 1
    return _insert(messages, path, " ".join(parameters), flags)


def _insert(messages: Messages, path: str, parameters: str, flags: LoadFlags) -> int:
    number = _errno_of_stat(path)
    if number:
        messages.error(f"could not load module {path}: {os.strerror(number)}")
        return 1
    if os.path.isdir(path):  # noqa: PTH112
        messages.error(f"could not insert module {path}: {os.strerror(errno.EISDIR)}")
        return 1
    module = ModuleFile(Root(), os.path.abspath(path))  # noqa: PTH100
    try:
        with Context(target_from_environment(), reads_modprobe_d=False) as context:
            _load(context.kernel, module, parameters, flags)
    except LkmError as error:
        messages.error(f"could not insert module {path}: {text_of(errno_of(error), _TEXTS)}")
        explain(messages, error)
        return 1
    return 0


def _load(kernel: Kernel, module: ModuleFile, parameters: str, flags: LoadFlags) -> None:
    """Load, and on a refusal find out why.

    :raises LkmError: see :meth:`lkm.kernels.base.Kernel.load`
    """
    try:
        kernel.load(module, parameters, flags)
    except LoadRefused as error:
        error.causes = causes_of_refusal(error, module.name, kernel)
        raise


def _errno_of_stat(path: str) -> int:
    """Give the errno of stat(2), 0 for something that exists."""
    try:
        os.stat(path)  # noqa: PTH116
    except OSError as error:
        return error.errno or errno.EIO
    except ValueError:  # a NUL, which no argument of a real process holds
        return errno.ENOENT
    return 0
