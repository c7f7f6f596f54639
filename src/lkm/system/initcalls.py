"""The init functions of built-in modules, which ``initcall_blacklist=`` keeps from running.

Facts: Linux 6.1, include/linux/init.h ``__initcall_id`` (from 5.11): a symbol ``__initcall__kmod_MODULE__N_LINE_FUNC``
with the level behind it; init/main.c ``initcall_blacklist``.
"""

import os
import re

from lkm.errors import LkmError
from lkm.formats.module_name import canonical
from lkm.system.root import Root

__all__ = ["init_functions"]

_SYMBOL = re.compile(r"__initcall__kmod_(\w+)__\d+_\d+_(\w+?)(?:early|rootfs|con|[0-7]s?)$", re.MULTILINE)
_LARGEST = 64 << 20  # bytes


def init_functions(root: Root, release: str, module: str) -> tuple[str, ...]:
    """Name the init functions of a built-in.

    :param module: canonical
    :returns: none where no list of the kernel's symbols is here, or it does not name them
    """
    for path in _lists(root, release):
        try:
            text = root.read_text(path, limit=_LARGEST)
        except LkmError:
            continue
        found = dict.fromkeys(function for name, function in _SYMBOL.findall(text) if canonical(name) == module)
        if found:
            return tuple(found)
    return ()


def _lists(root: Root, release: str) -> tuple[str, ...]:
    files = (f"/boot/System.map-{release}", f"/usr/lib/modules/{release}/System.map")
    is_running = root.is_host and os.uname().release == release
    return (*files, "/proc/kallsyms") if is_running else files
