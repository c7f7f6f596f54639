"""Names of modules: which spellings mean the same module."""

__all__ = ["EXTENSIONS", "canonical", "from_path", "is_sane", "normalise_alias"]

EXTENSIONS = (".ko", ".ko.gz", ".ko.xz", ".ko.zst")
"""What the name of a module file ends in (kmod, shared/util.c ``kmod_exts``)."""

LONGEST_NAME = 4095  # PATH_MAX without its NUL: kmod's buffers, and more than any kernel takes


def canonical(name: str) -> str:
    """Give the one spelling that the kernel uses: ``-`` becomes ``_``."""
    return name.replace("-", "_")


def from_path(path: str) -> str:
    """Give the module's name for a file: the part of its base name before the first dot, ``-`` as ``_``.

    kmod, shared/util.c ``path_to_modname``: ``a.b.ko`` is module ``a``.
    """
    return canonical(path.rsplit("/", 1)[-1].split(".", 1)[0])


def normalise_alias(text: str) -> str | None:
    """Give the spelling by which an alias is looked up: ``-`` becomes ``_``, except inside ``[...]``.

    :returns: None where a bracket is closed that was not opened, or opened and not closed
        (kmod, shared/util.c ``alias_normalize``)
    """
    if "[" not in text and "]" not in text:
        return text.replace("-", "_")
    parts: list[str] = []
    rest = text
    while rest:
        before, bracket, rest = rest.partition("[")
        if "]" in before:
            return None
        parts.append(before.replace("-", "_"))
        if bracket:
            inside, closed, rest = rest.partition("]")
            if not closed:
                return None
            parts.append(f"[{inside}]")
    return "".join(parts)


def is_sane(name: str) -> bool:
    """Tell whether a name can be a module's or an alias: not empty, no NUL, of a length that a kernel could take."""
    return 0 < len(name) <= LONGEST_NAME and "\0" not in name
