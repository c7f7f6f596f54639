"""The kernel's own list of modules that it refuses: ``module_blacklist=`` on its command line.

Facts: Linux 6.1, kernel/module/main.c ``blacklisted``: names are compared as they are written, with ``_``; the
parameter is one text (``core_param``, charp), so that of several the last counts, and one without a value is refused
(kernel/params.c ``parse_one``).
"""

from lkm.formats.kernel_cmdline import Cmdline

__all__ = ["kernel_blacklist"]


def kernel_blacklist(cmdline: Cmdline) -> tuple[str, ...]:
    """Give the names as they are written; those with ``-`` match no module."""
    values = [value for value in cmdline.values("module_blacklist") if value is not None]
    return tuple(name for name in values[-1].split(",") if name) if values else ()
