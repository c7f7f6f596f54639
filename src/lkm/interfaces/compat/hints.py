"""Hints why a name leads to nothing, in the words of the front-ends, whose options differ from those of lkm."""

from lkm.errors import TreeMissing
from lkm.formats.module_name import EXTENSIONS
from lkm.interfaces.compat.context import Context
from lkm.system.module_tree import releases

__all__ = ["not_found_hints"]

_LONGEST_NAME = 55  # MODULE_NAME_LEN, include/linux/module.h, without the NUL


def not_found_hints(context: Context, name: str, *, release_option: str = "-S") -> tuple[str, ...]:
    """Say why a name was not found, as far as that can be told.

    :param release_option: the tool's option that chooses a release
    :raises LkmError: the module tree's indexes can't be read
    """
    try:
        context.tree.require_indexes()
    except TreeMissing as error:
        known = releases(context.tree.root)
        return (error.what, f"trees here: {', '.join(known)} ({release_option})" if known else error.hint or "")
    if "/" in name or name.endswith(EXTENSIONS):
        return ("this is looked up as a name; what begins with / or ./ is a path to modprobe, any path to insmod",)
    if ":" in name or len(name) > _LONGEST_NAME:
        return ()
    from lkm.rules.suggestions import similar  # noqa: PLC0415  dear, and only for an error

    alike = similar(name, (module.name for module in context.tree.modules()))
    return (f"did you mean {' or '.join(alike)}?",) if alike else ()
