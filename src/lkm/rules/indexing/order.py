"""The order of modules in the indexes: as modules.order has it, then as kmod's hash table has it.

Facts: kmod 30, tools/depmod.c ``depmod_modules_sort``, ``depmod_module_add``; PATH_MAX is the length of a line.
"""

from collections.abc import Mapping

from lkm.rules.indexing.name_hash import MODULE_BUCKETS, in_bucket_order

__all__ = ["listed_as", "ordered"]

_LONGEST_LINE = 4094


def listed_as(relative: bytes, name: bytes) -> bytes:
    """Give the line of modules.order that means a module: its path as if it were not compressed.

    :param relative: the path below the tree
    :param name: the module's name
    """
    directory = relative.rfind(b"/") + 1
    return relative[: directory + len(name) + len(b".ko")]


def ordered(names: Mapping[bytes, bytes | None], order: bytes | None) -> tuple[list[bytes], int | None]:
    """Put modules in order.

    :param names: for each module its line in modules.order, None where it can't have one
    :param order: the contents of modules.order, if there is one
    :returns: the names in order, and the number of a line that is cut off, for which all of the file is dropped
    """
    lines = [] if order is None else order.split(b"\n")
    cut = _cut_line(lines)
    ranks = {} if cut else {line: rank for rank, line in enumerate(lines)}
    listed = sorted([(ranks[line], name) for name, line in names.items() if line in ranks])
    first = [name for _, name in listed]
    return first + in_bucket_order(names.keys() - set(first), MODULE_BUCKETS), cut


def _cut_line(lines: list[bytes]) -> int | None:
    """Take off what follows the last newline; give the number of a line that is cut off, or longer than kmod reads."""
    number = len(lines)
    rest = lines.pop() if lines else b""
    if len(max(lines, key=len, default=b"")) > _LONGEST_LINE:
        return next(number for number, line in enumerate(lines, 1) if len(line) > _LONGEST_LINE)
    return number if rest else None
