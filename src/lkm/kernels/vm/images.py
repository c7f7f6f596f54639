"""The kernels of this host that a machine can boot: distributions' packages leave them in known places."""

import re
from dataclasses import dataclass
from pathlib import Path

from lkm.errors import MachineError

__all__ = ["Image", "find", "installed"]

_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Image:
    """A kernel and its modules.

    :param release: the kernel release
    :param kernel: path of its vmlinuz
    :param modules: directory of its module tree
    """

    release: str
    kernel: Path
    modules: Path


def installed(root: Path = Path("/")) -> tuple[Image, ...]:
    """List the kernels that are installed with their modules, the newest release first.

    :param root: where to look: the host, or a directory that packages were unpacked in
    """
    found = {
        tree.name: Image(tree.name, kernel, tree)
        for home in (root / "usr/lib/modules", root / "lib/modules")  # packages of a merged /usr unpack into the first
        for tree in (home.iterdir() if home.is_dir() else ())
        if tree.is_dir() and (kernel := _kernel_of(tree, root / "boot"))
    }
    return tuple(sorted(found.values(), key=lambda image: _natural(image.release), reverse=True))


def _kernel_of(tree: Path, boot: Path) -> Path | None:
    # Debian and openSUSE put it into /boot, Fedora and Arch beside the modules.
    return next((path for path in (boot / f"vmlinuz-{tree.name}", tree / "vmlinuz") if path.is_file()), None)


def _natural(release: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(release)]


def find(release: str | None = None, root: Path = Path("/")) -> Image:
    """Find a kernel to boot.

    :param release: its release; by default the newest there is
    :param root: as for :func:`installed`
    :raises MachineError: it is not there
    """
    images = installed(root)
    chosen = [image for image in images if release in {None, image.release}]
    if chosen:
        return chosen[0]
    names = ", ".join(image.release for image in images)
    raise MachineError(
        f"no kernel {release} to boot" if release else "no kernel to boot",
        where=str(root / "boot"),
        hint=f"there is: {names}" if names else "install one, with its modules: apt-get install linux-image-amd64",
    )
