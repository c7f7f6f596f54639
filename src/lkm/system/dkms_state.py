"""What DKMS keeps of its packages: which versions it has, and for which kernels they are built and installed.

Facts: dkms 3.0.10, ``/var/lib/dkms``: NAME/VERSION/KERNEL/ARCH/module/*.ko is a build, and the link
NAME/kernel-KERNEL-ARCH marks the one that is installed (dkms(8), ``do_build`` and ``do_install``).
"""

import os
from typing import NamedTuple

from lkm.formats.module_name import EXTENSIONS
from lkm.system.root import Root

__all__ = ["DkmsBuild", "DkmsPackage", "packages"]

_HOME = "/var/lib/dkms"
_NO_BUILDS = frozenset({"source", "build", "tarball"})


class DkmsBuild(NamedTuple):
    """A version of a package, built for a kernel.

    :param files: the module files of the build, absolute inside the root
    :param installed: it is the build that the kernel's module tree has
    """

    release: str
    arch: str
    files: tuple[str, ...]
    installed: bool


class DkmsPackage(NamedTuple):
    """A version of a package that DKMS knows."""

    name: str
    version: str
    builds: tuple[DkmsBuild, ...]

    def build_for(self, release: str) -> DkmsBuild | None:
        """Give the build for a kernel."""
        return next((build for build in self.builds if build.release == release), None)


def packages(root: Root) -> tuple[DkmsPackage, ...]:
    """List all versions of all packages, sorted by name; none where there is no DKMS."""
    return tuple(
        DkmsPackage(name, version, _builds(root, name, version))
        for name in _directories(root, _HOME)
        for version in _directories(root, f"{_HOME}/{name}")
        if "source" in root.listdir(f"{_HOME}/{name}/{version}")  # a link, which may lead nowhere
    )


def _builds(root: Root, name: str, version: str) -> tuple[DkmsBuild, ...]:
    home = f"{_HOME}/{name}/{version}"
    return tuple(
        DkmsBuild(release, arch, _files(root, f"{home}/{release}/{arch}/module"), _is_installed(root, name, place))
        for release in _directories(root, home)
        if release not in _NO_BUILDS
        for arch in _directories(root, f"{home}/{release}")
        for place in ((version, release, arch),)
    )


def _is_installed(root: Root, name: str, place: tuple[str, str, str]) -> bool:
    version, release, arch = place
    link = f"{_HOME}/{name}/kernel-{release}-{arch}"
    build = f"{_HOME}/{name}/{version}/{release}/{arch}"
    return root.exists(link) and os.path.samestat(root.stat(link), root.stat(build))


def _files(root: Root, directory: str) -> tuple[str, ...]:
    return tuple(f"{directory}/{name}" for name in root.listdir(directory) if name.endswith(EXTENSIONS))


def _directories(root: Root, directory: str) -> tuple[str, ...]:
    """List the directories in one; links, such as those that mark what is installed, are none."""
    found = (name for name in root.listdir(directory) if not name.startswith((".", "kernel-")))
    return tuple(name for name in found if root.is_dir(f"{directory}/{name}"))
