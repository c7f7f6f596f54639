"""From what a user calls a kernel to one that can be booted."""

from pathlib import Path

from lkm.errors import MachineError
from lkm.kernels.vm.images import Image, find, installed
from lkm.system.kernel_image_file import release_of_image

__all__ = ["choose"]

_HOMES = ("usr/lib/modules", "lib/modules")


def choose(kernel: str, root: str = "/") -> tuple[Image, Path]:
    """Find a kernel with its modules.

    :param kernel: a release that is installed in the root; a directory into which a kernel's packages were unpacked, of
        which the newest kernel is taken; or a vmlinuz, whose modules are looked for in its own root, then in the root
    :returns: the kernel, and the root that its module tree is in
    :raises MachineError: there is no such kernel, or its modules are missing
    :raises Unreadable: it is no kernel image
    """
    path = Path(kernel)
    if path.is_dir():
        images = installed(path)
        if not images:
            raise MachineError(
                "there is no kernel with its modules",
                where=kernel,
                hint="name a directory that has boot/vmlinuz-RELEASE and lib/modules/RELEASE",
            )
        return images[0], path
    if "/" not in kernel:
        return find(kernel, Path(root)), Path(root)
    return _of_file(path.absolute(), Path(root))


def _of_file(path: Path, root: Path) -> tuple[Image, Path]:
    release = release_of_image(str(path))
    roots = [*list(path.parents)[1:2], root]  # ROOT/boot/vmlinuz-RELEASE
    for home in roots:
        for tree in (home / name / release for name in _HOMES):
            if tree.is_dir():
                return Image(release, path, tree), home
    raise MachineError(
        f"the modules of {release} are missing", where=str(path), hint=f"looked in: {', '.join(map(str, roots))}"
    )
