"""The tools that ``lkm TOOL``, and a link named TOOL, stand for."""

__all__ = ["FRONT_ENDS"]

FRONT_ENDS = ("depmod", "insmod", "kmod", "lsmod", "modinfo", "modprobe", "rmmod", "sign-file")
