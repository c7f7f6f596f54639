"""What a front-end works on, kmod's ``kmod_ctx``: a module directory, a configuration, and a kernel."""

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from lkm.actions.session import Session, Target
from lkm.errors import TreeMissing
from lkm.system.root import Root

if TYPE_CHECKING:
    from typing import Self

    from lkm.kernels.base import Kernel
    from lkm.rules.resolving import Resolver
    from lkm.system.configuration import Configuration
    from lkm.system.module_file import ModuleFile
    from lkm.system.module_tree import ModuleTree

__all__ = ["Context"]

_MODULES = "/lib/modules"


class Context:
    """Everything that the options of a front-end and the environment name, opened when it is first asked for.

    A context manager: leaving it ends a virtual machine, if one was started.

    :param target: what the environment says
    :param directory: the root of the module tree (``-d``, ``-b``), as it was typed. kmod takes only the tree from
        there, and modprobe.d from the machine itself; a root of the environment holds both.
    :param release: the kernel release (``-S``, ``-k``)
    :param config_paths: files or directories of the machine instead of modprobe.d's own (``-C``)
    :param reads_modprobe_d: off for the tools that have no configuration but the kernel command line
    :param on_bad_softdep: see :class:`lkm.rules.resolving.Resolver`
    """

    def __init__(
        self,
        target: Target,
        *,
        directory: str | None = None,
        release: str | None = None,
        config_paths: Sequence[str] = (),
        reads_modprobe_d: bool = True,
        on_bad_softdep: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._own_root = directory is not None
        root = directory or "/" if self._own_root else target.root
        wanted = target.release if release is None else release
        self.release = _default_release(root or "/") if wanted is None else wanted
        self.session = Session(target._replace(root=root or "/", release=self.release or None))
        self._config_paths = tuple(config_paths)
        self._reads_modprobe_d = reads_modprobe_d
        self._on_bad_softdep = on_bad_softdep
        prefix = directory or "" if self._own_root else self._root_prefix
        self.directory = os.path.join(os.getcwd(), f"{prefix}{_MODULES}/{self.release}")  # noqa: PTH109, PTH118
        """Where the tree is, as kmod names it: with the root as it was typed."""

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *arguments: object) -> None:
        self.session.__exit__(*arguments)

    @property
    def _root_prefix(self) -> str:
        return Root(self.session.target.root).prefix

    @property
    def kernel(self) -> "Kernel":
        """The kernel."""
        return self.session.kernel

    @cached_property
    def tree(self) -> "ModuleTree":
        """The module tree; it need not exist, then nothing is found in it.

        :raises TreeMissing: the release is none
        :raises UsageError: the root is no directory
        """
        if not self.release:
            raise TreeMissing("the kernel release is empty", hint="name it as `uname -r` prints it")
        return self.session.tree

    @cached_property
    def configuration(self) -> "Configuration":
        """The configuration, with the kernel's command line."""
        from lkm.system import configuration as modprobe_d  # noqa: PLC0415  who is given files needs none

        machine = Root() if self._own_root or self._config_paths else self.session.root
        directories = [os.path.abspath(path) for path in self._config_paths] or None  # noqa: PTH100
        return modprobe_d.read(
            machine,
            directories=directories if self._reads_modprobe_d else (),
            cmdline=self.kernel.command_line(),
            tree_directory=self.tree.display_directory if machine.is_host else self.tree.directory,
        )

    @cached_property
    def resolver(self) -> "Resolver":
        """Names to modules."""
        from lkm.rules.resolving import Resolver  # noqa: PLC0415  as above

        return Resolver(self.tree, self.configuration, self._on_bad_softdep)

    def printed(self, module: "ModuleFile") -> str:
        """Give a module's path as kmod prints it."""
        plain = f"{_MODULES}/{self.release}"
        if module.root is self.session.root and module.path.startswith(f"{plain}/"):
            return self.directory + module.path[len(plain) :]
        return module.display_path


def _default_release(root: str) -> str:
    """Choose the running kernel's release, as kmod does, unless a root holds only another one."""
    running = os.uname().release
    if root == "/":
        return running
    from lkm.system.module_tree import releases  # noqa: PLC0415  as above

    found = releases(Root(root))
    return found[0] if len(found) == 1 else running
