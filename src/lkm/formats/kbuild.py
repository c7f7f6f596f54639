"""What a Makefile of the kernel's source builds (Documentation/kbuild/makefiles.rst)."""

import re

from lkm.formats.module_name import canonical

__all__ = ["modules_of"]

_GOAL = re.compile(r"^\s*obj-\$\(CONFIG_(\w+)\)\s*[:+]?=(.*)$", re.MULTILINE)


def modules_of(makefile: str, option: str) -> tuple[str, ...]:
    """Name the modules that a configuration option builds.

    :param makefile: the Makefile's text
    :param option: without ``CONFIG_``
    :returns: canonical names in the Makefile's order
    """
    text = makefile.replace("\\\n", " ")
    objects = [word for name, words in _GOAL.findall(text) if name == option for word in words.split()]
    return tuple(canonical(word.removesuffix(".o")) for word in objects if word.endswith(".o"))
