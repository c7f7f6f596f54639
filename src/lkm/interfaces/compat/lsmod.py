"""``lsmod``: the modules that are in the kernel.

Facts: kmod 30, tools/lsmod.c. Nothing is imported that this does not need: it must start fast.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lkm.errors import LkmError, ModuleSupportMissing
from lkm.interfaces.compat.holders import in_sysfs_order

if TYPE_CHECKING:
    from lkm.formats.proc_modules import LoadedModule

__all__ = ["main", "table"]

_LIBRARY = "libkmod: ERROR ../libkmod/libkmod-module.c:1725 kmod_module_new_from_loaded"
_NO_COUNT = -2  # kmod shows errno ENOENT where a kernel that can't remove modules counts no references


def main(argv: Sequence[str]) -> int:
    """Run ``lsmod``.

    :param argv: the arguments, which must be none
    :returns: the exit status
    """
    if argv:
        sys.stderr.write("Usage: lsmod\n")
        return 1
    from lkm.actions.session import Session  # noqa: PLC0415  after the usage, to start fast
    from lkm.interfaces.target import target_from_environment  # noqa: PLC0415

    try:
        with Session(target_from_environment()) as session:
            rows = session.kernel.loaded()
    except LkmError as error:
        from lkm.interfaces.compat.messages import library_speaks  # noqa: PLC0415  only when something went wrong

        missing = str(error)
        if isinstance(error, ModuleSupportMissing):
            missing = "No such file or directory"
            if library_speaks():
                sys.stderr.write(f"{_LIBRARY}: could not open /proc/modules: {missing}\n")
        sys.stderr.write(f"Error: could not get list of modules: {missing}\n")
        if error.hint:
            sys.stderr.write(f"lsmod: hint: {error.hint}\n")
        return 1
    sys.stdout.write(table(rows))
    return 0


def table(modules: "Iterable[LoadedModule]") -> str:
    """Lay the modules out as kmod does.

    :param modules: in the order to show them
    """
    return "Module                  Size  Used by\n" + "".join(map(_row, modules))


def _row(module: "LoadedModule") -> str:
    count = _NO_COUNT if module.refcount is None else module.refcount
    users = f" {','.join(in_sysfs_order(module.used_by))}" if module.used_by else ""
    return f"{module.name:<19} {module.size:>8}  {count}{users}\n"
