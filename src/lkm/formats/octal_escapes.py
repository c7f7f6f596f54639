r"""Blanks and their like in fields that blanks part, as in /etc/fstab and /proc/self/mountinfo: ``\040`` is a blank.

Facts: glibc 2.36, misc/mntent_r.c ``decode_name``; Linux 6.1, fs/proc_namespace.c ``mangle`` and fs/seq_file.c
``mangle_path``.
"""

import re

__all__ = ["unescaped"]

_ESCAPE = re.compile(r"\\([0-3][0-7]{2})")


def unescaped(text: str) -> str:
    """Give a field as it was meant; a backslash that begins no escape stays."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)
