"""Whether early boot has an old copy of the configuration: the initramfs holds one, made when it was built.

Facts: initramfs-tools 0.142 (``mkinitramfs``, hook ``kmod``) and dracut 059 (90kernel-modules, with hostonly) copy
modprobe.d into the image, and dracut with systemd modules-load.d, too; mkinitcpio's hook ``modconf`` copies modprobe.d.
"""

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from lkm.actions.session import Session
from lkm.errors import LkmError, Unreadable
from lkm.formats.initramfs import Member
from lkm.formats.module_name import canonical
from lkm.system.configuration_directories import is_mask
from lkm.system.initramfs_contents import ImageContents, read_image
from lkm.system.initramfs_images import Image, find_image, rebuild_command
from lkm.system.root import Root

__all__ = ["Drift", "DriftKind", "DriftedFile", "drift"]


class DriftKind(Enum):
    """How a file here and its copy in the image differ."""

    DIFFERS = "differs"
    MISSING = "not in the image"
    GONE = "only in the image"
    NEWER = "newer than the image"


@dataclass(frozen=True, slots=True)
class DriftedFile:
    """A file that early boot has otherwise than the root.

    :param path: inside the root
    """

    path: str
    kind: DriftKind


@dataclass(frozen=True, slots=True)
class Drift:
    """What can be said of the initramfs of a release.

    :param release: None where it is not known which kernel is meant
    :param image: the path of the image, to show to people; None where there is none
    :param files: the files that differ
    :param compared: the image's contents were read; otherwise only times were compared
    :param holds: of the modules that were asked about, those that the image holds; None where that is not known
    :param rebuild: the command that builds the image anew; empty where no tool for that is known here
    :param problem: why the image's contents were not read; may be empty
    """

    release: str | None
    image: str | None = None
    files: tuple[DriftedFile, ...] = ()
    compared: bool = False
    holds: tuple[str, ...] | None = None
    rebuild: str = ""
    problem: str = ""

    @property
    def is_stale(self) -> bool:
        """Whether early boot has another configuration than the root, as far as can be told."""
        return bool(self.files)


_HOMES = ("/etc", "/usr/local/lib", "/usr/lib", "/lib")  # /run is made anew at each boot
_KINDS = ("modprobe.d", "modules-load.d")


def drift(session: Session, modules: Iterable[str] = ()) -> Drift:
    """Compare the configuration with what the initramfs of the session's release has of it.

    Nothing is an error: what can't be read is told of in the answer. It takes about a quarter of a second.

    :param modules: names of modules that are of interest: whether the image holds them
    """
    try:
        root, release = session.root, session.tree.release
    except LkmError:
        return Drift(session.target.release)
    image = find_image(root, release)
    if image is None:
        return Drift(release)
    shown, rebuild = root.display(image.path), rebuild_command(root, image, release)
    try:
        contents = read_image(root, image.path)
    except Unreadable as error:
        return Drift(release, shown, tuple(_newer(root, image)), rebuild=rebuild, problem=str(error))
    return Drift(
        release,
        shown,
        tuple(_compared(root, contents)),
        compared=True,
        holds=tuple(name for name in map(canonical, modules) if name in contents.modules),
        rebuild=rebuild,
    )


def _newer(root: Root, image: Image) -> list[DriftedFile]:
    """List the files that were changed after the image was built."""
    files = _files(root).values()
    return [DriftedFile(path, DriftKind.NEWER) for path in files if _time(root, path) > image.time]


def _time(root: Root, path: str) -> float:
    try:
        return root.stat(path).st_mtime
    except LkmError:
        return 0.0


def _files(root: Root) -> dict[str, str]:
    """List the files of the configuration inside the root, by their paths with /usr/lib for /lib."""
    found: dict[str, str] = {}
    for kind in _KINDS:
        for home in _HOMES:
            for name in root.listdir(f"{home}/{kind}"):
                if name.endswith(".conf") and not name.startswith("."):
                    found.setdefault(f"{_merged(home)}/{kind}/{name}", f"{home}/{kind}/{name}")
    return found


def _merged(home: str) -> str:
    return "/usr/lib" if home == "/lib" else home


def _compared(root: Root, contents: ImageContents) -> list[DriftedFile]:
    """Compare by path. Where the image lacks a whole directory, its tool does not copy it, and no copy can be old."""
    found: list[DriftedFile] = []
    here = _files(root)
    for merged, path in here.items():
        if merged.rpartition("/")[0] not in contents.directories:
            continue
        copy = contents.files.get(merged)
        if copy is None:
            found.append(DriftedFile(path, DriftKind.MISSING))
        elif not _is_same(root, path, copy):
            found.append(DriftedFile(path, DriftKind.DIFFERS))
    gone = [path for path in contents.files if path not in here and path.endswith(".conf")]
    return found + [DriftedFile(path, DriftKind.GONE) for path in gone]


def _is_same(root: Root, path: str, copy: Member) -> bool:
    """Compare one file; of one that can't be read here, and of links to other files, nothing is said."""
    masked = (copy.is_link and copy.data == b"/dev/null") or stat.S_ISCHR(copy.mode)
    if masked or is_mask(root, path):
        return masked == is_mask(root, path)
    try:
        return copy.is_link or copy.data is None or copy.data == root.read_bytes(path)
    except LkmError:
        return True
