"""Which initramfs a release boots with, and which command builds it anew."""

import shlex
from dataclasses import dataclass

from lkm.errors import LkmError
from lkm.system.root import Root

__all__ = ["Image", "find_image", "rebuild_command"]

# initramfs-tools; dracut on Fedora and its kin; SUSE; mkinitcpio and others on Arch, with the name of a package.
_NAMES = ("/boot/initrd.img-{}", "/boot/initramfs-{}.img", "/boot/initrd-{}", "/boot/initramfs-{}")
_OF_PACKAGES = ("/boot/initramfs-linux.img", "/boot/initramfs-linux-lts.img")
_DIRECTORIES = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")


@dataclass(frozen=True, slots=True)
class Image:
    """An initramfs image.

    :param path: inside the root
    :param time: when it was written, in seconds since 1970
    """

    path: str
    time: float


def find_image(root: Root, release: str) -> Image | None:
    """Find the image of a release by its usual names; None where there is none."""
    if "/" in release or "\0" in release:
        return None
    names = [name.format(release) for name in _NAMES]
    if "arch" in release or "lts" in release:
        names += [name for name in _OF_PACKAGES if ("lts" in name) == ("lts" in release)]
    for path in names:
        if root.is_file(path):
            try:
                return Image(path, root.stat(path).st_mtime)
            except LkmError:
                continue
    return None


def rebuild_command(root: Root, image: Image, release: str) -> str:
    """Give the command that builds an image anew, as root; empty where none of the tools known here is installed.

    For a root that is not the machine's own, the command is one to be run inside of it.
    """
    if _is_installed(root, "update-initramfs"):
        words = ["update-initramfs", "-u", "-k", release]
    elif _is_installed(root, "dracut"):
        words = ["dracut", "--force", image.path, release]
    elif _is_installed(root, "mkinitcpio"):
        words = ["mkinitcpio", "-P"]
    elif _is_installed(root, "booster"):
        words = ["/usr/lib/booster/regenerate_images"]
    else:
        return ""
    inside = [] if root.is_host else ["chroot", root.path]
    return shlex.join([*inside, *words])


def _is_installed(root: Root, tool: str) -> bool:
    return any(root.is_file(f"{directory}/{tool}") for directory in _DIRECTORIES)
