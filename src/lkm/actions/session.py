"""What a command works on: a root, its module tree and configuration, and a kernel."""

import os
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import UsageError
from lkm.system.root import Root

if TYPE_CHECKING:
    from typing import Self

    from lkm.kernels.base import Kernel
    from lkm.rules.resolving import Resolver
    from lkm.system.configuration import Configuration
    from lkm.system.module_tree import ModuleTree

__all__ = ["Session", "Target"]


class Target(NamedTuple):
    """What the global options name.

    :param root: a directory that stands for ``/``
    :param release: the kernel release; None is the running kernel's, or the root's only one
    :param kernel: ``live``, ``emulated``, ``emulated:DIR``, ``vm`` or ``vm:VMLINUZ``
    :param config_paths: files and directories of the host to read in place of modprobe.d (``modprobe -C``)
    """

    root: str = "/"
    release: str | None = None
    kernel: str = "live"
    config_paths: tuple[str, ...] = ()


class Session:
    """Everything that a verb may ask, opened when it is first asked for.

    A context manager: leaving it ends a virtual machine, if one was started.

    :param command_line: the kernel command line to reckon with, in place of the one that can be found out
    """

    def __init__(self, target: Target, *, command_line: str | None = None) -> None:
        self.target = target
        self._command_line = command_line
        self._open = ExitStack()
        self.kernel_kind, colon, self.kernel_argument = target.kernel.partition(":")
        takes_one = self.kernel_kind in {"emulated", "vm"}
        if not (takes_one or self.kernel_kind == "live") or (colon and not (takes_one and self.kernel_argument)):
            raise UsageError(
                f"unknown kernel {target.kernel!r}", hint="choose live, emulated, emulated:DIR, vm or vm:VMLINUZ"
            )

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def reread(self) -> None:
        """Forget what was read of the module tree and the configuration: it has changed."""
        for name in ("tree", "configuration", "resolver"):
            self.__dict__.pop(name, None)

    @cached_property
    def root(self) -> Root:
        """The root; a directory that must exist.

        :raises UsageError: it is no directory
        """
        root = Root(self.target.root)
        if not root.is_dir("/"):
            raise UsageError(f"the root {self.target.root} is no directory")
        return root

    @cached_property
    def tree(self) -> "ModuleTree":
        """The module tree.

        :raises TreeMissing: see :class:`lkm.system.module_tree.ModuleTree`
        """
        from lkm.system.module_tree import ModuleTree  # noqa: PLC0415  lsmod needs none

        release = self.target.release
        if release is None and self.kernel_kind == "vm":
            release = self._bootable_release()
        return ModuleTree(self.root, release)

    def _bootable_release(self) -> str:
        """Give the release of the image that was named, else the newest that has an image and a module tree."""
        from pathlib import Path  # noqa: PLC0415  as above

        from lkm.kernels.vm import images  # noqa: PLC0415
        from lkm.system.kernel_image_file import release_of_image  # noqa: PLC0415

        if self.kernel_argument:
            return release_of_image(self.kernel_argument)
        return images.find(root=Path(self.root.path)).release

    @cached_property
    def configuration(self) -> "Configuration":
        """The modprobe configuration, with the kernel's command line."""
        return self.configuration_with(self.command_line)

    @property
    def command_line(self) -> str:
        """The kernel command line: the kernel's own, or on a root that does not run what its boot loader has."""
        return self.found_command_line[0]

    @property
    def found_command_line(self) -> tuple[str, str]:
        """The same, and the file where it was found; both empty where nothing tells.

        :raises TreeMissing: the root does not run, and its release is not known
        """
        if self._command_line is not None:
            return self._command_line, ""
        if self.kernel_is_of_root:
            from lkm.formats.kernel_cmdline import FILE  # noqa: PLC0415  lsmod needs none

            return self.kernel.command_line(), FILE
        return self._of_boot_loader()

    @property
    def boot_command_line(self) -> str:
        """The kernel command line that the boot loader's configuration has for the release; empty where none has."""
        return self._of_boot_loader()[0]

    def _of_boot_loader(self) -> tuple[str, str]:
        from lkm.system.boot_command_line import find_command_line  # noqa: PLC0415  lsmod needs none

        return find_command_line(self.tree)

    def configuration_with(self, cmdline: str) -> "Configuration":
        """Give the modprobe configuration as it would be with another kernel command line."""
        from lkm.system.configuration import read  # noqa: PLC0415  lsmod needs none

        if not self.target.config_paths:
            return read(self.root, cmdline=cmdline, tree_directory=self.tree.directory)
        paths = [os.path.abspath(path) for path in self.target.config_paths]  # noqa: PTH100  pathlib is dear at start-up
        return read(Root(), directories=paths, cmdline=cmdline, tree_directory=self.tree.display_directory)

    @cached_property
    def resolver(self) -> "Resolver":
        """Names to modules."""
        from lkm.rules.resolving import Resolver  # noqa: PLC0415  lsmod needs none

        return Resolver(self.tree, self.configuration)

    @property
    def kernel_is_of_root(self) -> bool:
        """Whether the kernel runs on the root; the running one says nothing of another directory."""
        return self.kernel_kind != "live" or self.root.is_host

    @cached_property
    def kernel(self) -> "Kernel":
        """The kernel."""
        # A kernel is imported when it is chosen: lsmod must start fast.
        if self.kernel_kind == "emulated":
            from lkm.kernels.emulated import EmulatedKernel  # noqa: PLC0415

            if os.path.exists(self.kernel_argument) and not os.path.isdir(self.kernel_argument):  # noqa: PTH110, PTH112
                raise UsageError(f"an emulated kernel is kept in a directory, and {self.kernel_argument} is none")
            return EmulatedKernel(self.tree, self.kernel_argument or None)
        if self.kernel_kind == "vm":
            return self._boot()
        from lkm.kernels.live import LiveKernel  # noqa: PLC0415

        return LiveKernel()

    def _boot(self) -> "Kernel":
        """Start a virtual machine, which lives as long as the session."""
        from pathlib import Path  # noqa: PLC0415  as above

        from lkm.kernels.vm import images  # noqa: PLC0415
        from lkm.kernels.vm.kernel import VmKernel  # noqa: PLC0415
        from lkm.kernels.vm.machine import Machine  # noqa: PLC0415

        tree = self.tree
        modules = self.root.host_path(tree.directory)
        image = self.kernel_argument or images.find(tree.release, Path(self.root.path)).kernel
        return VmKernel(self._open.enter_context(Machine(image, modules)))
