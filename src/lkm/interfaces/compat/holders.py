"""The order in which a kernel lists the users of a module in ``/sys/module/NAME/holders``, which kmod shows."""

from collections.abc import Iterable

__all__ = ["in_sysfs_order"]

_GOLDEN_RATIO_64 = 0x61C8864680B583EB
_MASK_64 = (1 << 64) - 1
_LARGEST = 0x7FFFFFFF


def in_sysfs_order(names: Iterable[str]) -> list[str]:
    """Sort the names of a directory of sysfs as a 64-bit kernel lists them: by hash, then by name.

    /proc/modules has the same users in another order, the newest first, so that ``lsmod`` of kmod differs from it
    (Linux 6.1, fs/kernfs/dir.c ``kernfs_name_hash``, ``kernfs_sd_compare``; include/linux/stringhash.h).
    """
    by_bytes = ((name.encode("utf-8", "surrogateescape"), name) for name in names)
    return [name for _, _, name in sorted((_hash(raw), raw, name) for raw, name in by_bytes)]


def _hash(name: bytes) -> int:
    value = 0
    for byte in name:
        value = (value + (byte << 4) + (byte >> 4)) * 11 & _MASK_64
    value = (value * _GOLDEN_RATIO_64 & _MASK_64) >> 32 & _LARGEST
    # 0, 1 and the largest number stand for ".", ".." and the end of a directory.
    return min(value if value >= 2 else value + 2, _LARGEST - 1)
