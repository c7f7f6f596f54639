"""Errors of this program in kmod's terms: an errno, a text that differs by tool, and what is known beyond both."""

import errno
import os
from collections.abc import Mapping

from lkm.errors import (
    BuiltIn,
    CommandFailed,
    FormatError,
    KernelRefused,
    LkmError,
    ModuleNotFound,
    ModuleSupportMissing,
    PrivilegeMissing,
)
from lkm.interfaces.compat.messages import Messages

__all__ = ["REMOVAL", "errno_of", "explain", "report", "text_of"]

REMOVAL = "libkmod-module.c:856 kmod_module_remove_module"
"""Where libkmod says that the kernel keeps a module."""

_BY_CLASS: tuple[tuple[type[LkmError], int], ...] = (
    (ModuleSupportMissing, errno.ENOSYS),
    (ModuleNotFound, errno.ENOENT),
    (BuiltIn, errno.EEXIST),
    (PrivilegeMissing, errno.EPERM),
    (CommandFailed, errno.EINVAL),  # libkmod-module.c command_do
)


def errno_of(error: LkmError) -> int:
    """Give the errno that kmod would have met.

    A file that can't be read keeps the system's, a damaged one is EINVAL (kmod 30, libkmod-elf.c, libkmod-file.c).
    """
    if isinstance(error, KernelRefused):
        return error.errno
    for kind, number in _BY_CLASS:
        if isinstance(error, kind):
            return number
    cause = error.__cause__
    return cause.errno or errno.EIO if isinstance(cause, OSError) else errno.EINVAL


def text_of(number: int, texts: Mapping[int, str]) -> str:
    """Give a tool's text for an errno: its own, or the system's."""
    return texts.get(number) or os.strerror(number)


def report(messages: Messages, error: LkmError) -> None:
    """Say what no text of kmod's fits: what this program alone can meet, such as a kernel that is unknown."""
    messages.error(str(error))
    if error.hint:
        messages.hint(error.hint)


def explain(messages: Messages, error: LkmError) -> None:
    """Say what is known beyond the errno: the named causes with their remedies, or the error's own words and hint."""
    causes = error.causes if isinstance(error, KernelRefused | FormatError) else ()
    for cause in causes:
        messages.hint(cause.summary)
        if cause.remedy:
            messages.hint(f"try: {'; '.join(cause.remedy)}")
    if causes:
        return
    if not isinstance(error, KernelRefused):
        messages.hint(str(error))
    elif error.reason:
        messages.hint(error.reason)
    if error.hint:
        messages.hint(error.hint)
