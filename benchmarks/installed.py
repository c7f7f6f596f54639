"""Which kernel the benchmarks work on, where none is named."""

import platform

from lkm.kernels.vm import images

__all__ = ["newest"]


def newest() -> str:
    """Return the newest kernel that has its modules here, or else the running one."""
    return next((image.release for image in images.installed()), platform.release())
