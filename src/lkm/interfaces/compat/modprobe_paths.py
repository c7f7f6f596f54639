"""``modprobe ./FILE``: module files by their paths, which modprobe takes from kmod 31 on.

Facts: kmod after 34, tools/modprobe.c ``module_new_from_any``, libkmod/libkmod-module.c ``kmod_module_new_from_path``.
"""

import os

from lkm.interfaces.compat.modprobe_run import Run
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

__all__ = ["file_at", "is_path"]


def is_path(operand: str) -> bool:
    """Tell whether an operand is a path; what only holds a slash somewhere is a name."""
    return operand.startswith(("/", "./"))


def file_at(run: Run, path: str) -> ModuleFile | None:
    """Give the file of a path of the machine; None, after a message, where there is none."""
    try:
        # Joined and not made plain: kmod prints it so.
        joined = os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118
        os.stat(joined)  # noqa: PTH116
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "Invalid argument"
        run.complain(f"Failed to get module from path {path}: {reason}")
        return None
    return ModuleFile(Root(), joined)
