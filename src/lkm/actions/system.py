"""The library's front door: a system whose modules can be looked at, loaded and removed.

What concerns the system rather than one of its modules is in ``actions/library``, one object a subject, each of the
same session: a program that loads modules imports nothing of it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from lkm.actions import load as loading
from lkm.actions import unload as unloading
from lkm.actions.load import LoadReport
from lkm.actions.load_names import forbidden, not_found, plans_for
from lkm.actions.parameter_words import ParameterValue, parameter_string
from lkm.actions.session import Session, Target
from lkm.actions.unload import UnloadReport
from lkm.actions.unload_names import steps_for
from lkm.errors import UsageError
from lkm.kernels.base import LoadFlags, UnloadFlags

if TYPE_CHECKING:
    from typing import Self

    from lkm.actions.checking.options import CheckOptions
    from lkm.actions.checking.results import CheckResult
    from lkm.actions.dependencies import Dependency
    from lkm.actions.describe import Description
    from lkm.actions.explaining.story import Explanation
    from lkm.actions.finding.devices import Claims
    from lkm.actions.finding.find import Found
    from lkm.actions.indexing.index import IndexResult
    from lkm.actions.library.health import Health
    from lkm.actions.library.settings import Settings
    from lkm.actions.library.trust import Trust
    from lkm.formats.proc_modules import LoadedModule
    from lkm.kernels.base import Kernel
    from lkm.rules.planning.load import LoadPlan
    from lkm.rules.planning.steps import LoadStep, UnloadStep
    from lkm.rules.resolving import Candidate
    from lkm.system.configuration import Configuration
    from lkm.system.module_tree import ModuleTree
    from lkm.system.notices import Notice

__all__ = ["System"]


class System:
    """A root directory with its module tree and configuration, and a kernel.

    Nothing is read before it is asked for. Names are a module's name, an alias of one, or the path of a module file. A
    context manager: leaving it ends a virtual machine, if one was started; the other kernels need no end.

    :param root: a directory that stands for ``/``
    :param release: the kernel release; by default the running kernel's, or the root's only one
    :param kernel: ``live`` (the running one), ``emulated`` (kept in memory), ``emulated:DIR``, ``vm`` or ``vm:VMLINUZ``
    :param config_paths: files and directories of this machine to read in place of the root's modprobe.d
    :raises UsageError: there is no such kind of kernel
    """

    def __init__(
        self,
        root: str = "/",
        *,
        release: str | None = None,
        kernel: str = "live",
        config_paths: Iterable[str] = (),
    ) -> None:
        self._session = Session(Target(root, release, kernel, tuple(config_paths)))

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the virtual machine, if one was started."""
        self._session.__exit__(None)

    # --- the system as a whole ----------------------------------------------------------------------------------------

    @property
    def health(self) -> "Health":
        """How the system stands: status, taint, diagnosis, upgrades, the initramfs."""
        from lkm.actions.library.health import Health  # noqa: PLC0415  most users of the library ask for less

        return Health(self._session)

    @property
    def settings(self) -> "Settings":
        """Parameters, modules that are kept out, modules that are loaded at boot; and undoing changes to these."""
        from lkm.actions.library.settings import Settings  # noqa: PLC0415  as above

        return Settings(self._session)

    @property
    def trust(self) -> "Trust":
        """Signatures, keys, Secure Boot and lockdown."""
        from lkm.actions.library.trust import Trust  # noqa: PLC0415  as above

        return Trust(self._session)

    # --- what there is ------------------------------------------------------------------------------------------------

    @property
    def tree(self) -> "ModuleTree":
        """The module tree: files, indexes, built-ins.

        :raises TreeMissing: there is none for the release
        :raises UsageError: the root is no directory
        """
        return self._session.tree

    @property
    def configuration(self) -> "Configuration":
        """What modprobe.d and the kernel command line say; each directive knows its file and line."""
        return self._session.configuration

    @property
    def kernel(self) -> "Kernel":
        """The kernel; a virtual machine is booted when this is first asked for.

        :raises MachineError: it can't be booted
        """
        return self._session.kernel

    def loaded(self) -> "tuple[LoadedModule, ...]":
        """List the modules in the kernel, the one loaded last first; ``used_by`` names the holders of each.

        :raises ModuleSupportMissing: the kernel can't load modules at all
        """
        return self.kernel.loaded()

    def parameters(self, name: str) -> dict[str, str]:
        """Give the parameters that the kernel shows of a loaded module or a built-in, with their values as text.

        ``settings.parameters`` tells all else that is known of them.
        """
        return self.kernel.parameters(name)

    # --- asking -------------------------------------------------------------------------------------------------------

    def resolve(self, name: str) -> "tuple[Candidate, ...]":
        """Give the modules that a name or an alias leads to, in the order in which modprobe handles them.

        :raises ModuleNotFound: nothing answers to it; the hint says what is called alike
        """
        self.tree.require_indexes()
        found = self._session.resolver.lookup(name)
        if not found:
            raise not_found(self._session, name)
        return found

    def describe(self, name: str) -> "tuple[Description, ...]":
        """Tell all about the modules that a name leads to: file, .modinfo, parameters, state, lines of modprobe.d.

        :raises ModuleNotFound: nothing answers to the name
        """
        from lkm.actions.describe import describe  # noqa: PLC0415  as above

        return describe(self._session, name)

    def explain(self, subject: str) -> "Explanation":
        """Tell the whole story of the modules that a name, an alias or a device leads to.

        :param subject: a device is a path of /sys or /dev, a number as ``lspci -n`` shows it, or a modalias
        :returns: ``stories``, each with ``place``, ``pulls`` (what asks for it), ``lines`` (what the configuration does
            to it, and which line wins), ``loaded``, ``early`` (the initramfs) and ``outcome`` (if it were loaded now)
        :raises ModuleNotFound: it leads to no module, and no line of the configuration names it
        :raises UsageError: it is a file
        """
        from lkm.actions.explaining.story import explain  # noqa: PLC0415  as above

        return explain(self._session, subject)

    def dependencies(self, name: str) -> "tuple[Dependency, ...]":
        """Follow what a module needs, soft dependencies included, as a graph for each module behind the name.

        :raises ModuleNotFound: nothing answers to the name
        """
        from lkm.actions.dependencies import dependencies_of  # noqa: PLC0415  as above

        return dependencies_of(self._session, name)

    def dependents(self, name: str) -> "tuple[Dependency, ...]":
        """Follow which modules of the tree need a module, as a graph for each module behind the name.

        :raises ModuleNotFound: nothing answers to the name
        """
        from lkm.actions.dependencies import dependents_of  # noqa: PLC0415  as above

        return dependents_of(self._session, name)

    def find(self, text: str, *kinds: str) -> "tuple[Found, ...]":
        """Find modules by what they are called, claim, export, or are built by.

        :param text: a name, alias, device, symbol, file or option; names, symbols and files may have wildcards
        :param kinds: what the text is, as the options of ``lkm find`` have it: ``name``, ``alias``, ``symbol``, …; by
            default all that it can be
        :raises UsageError: the text is empty, or there is no such kind
        """
        from lkm.actions.finding.find import KINDS, find  # noqa: PLC0415  as above

        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown:
            raise UsageError(f"modules can't be found by {unknown[0]!r}", hint=f"choose of: {', '.join(KINDS)}")
        return find(self._session, text, kinds)

    def find_all_devices(self) -> "tuple[Claims, ...]":
        """Tell for each device of the root's /sys/devices which modules claim it, as ``lkm find --all-devices`` does.

        :returns: by path; ``device`` has path, modalias and driver; ``modules`` says what claims it, and whether that
            is built in, missing or blacklisted
        :raises Unreadable: the root has no /sys/devices
        """
        from lkm.actions.finding.devices import claims_of_all  # noqa: PLC0415  as above

        return claims_of_all(self._session)

    def check(self, *subjects: str, options: "CheckOptions | None" = None) -> "tuple[CheckResult, ...]":
        """Say what the kernel will do with modules, without loading anything and without privilege.

        :param subjects: names, aliases, or paths of module files
        :param options: how to ask; parameters, flags, and what else is true of the kernel
        :returns: ``loads``, ``errno``, ``stage``, ``log``, ``taints``, ``causes`` and more of each module
        :raises Unreadable: a file, the module tree or the profile can't be read
        """
        from lkm.actions.checking.check import check_or_raise  # noqa: PLC0415  as above

        return check_or_raise(self._session, subjects, options).results

    # --- loading ------------------------------------------------------------------------------------------------------

    def plan_load(
        self,
        name: str,
        parameters: Mapping[str, ParameterValue] | None = None,
        *,
        ignore_commands: bool = False,
        use_blacklist: bool = False,
    ) -> "tuple[LoadPlan, ...]":
        """Plan to load what a name leads to, with what it needs; an alias can lead to several modules.

        :param parameters: for the module itself, after those of modprobe.d
        :param ignore_commands: neither install commands nor soft dependencies of the module itself
        :param use_blacklist: blacklist lines count for names too, not only for aliases
        :raises ModuleNotFound: nothing answers to the name
        """
        return plans_for(
            self._session,
            [name],
            parameters=parameter_string(parameters or {}),
            ignore_commands=ignore_commands,
            blacklist_names=use_blacklist,
        )

    def load(
        self,
        name: str,
        parameters: Mapping[str, ParameterValue] | None = None,
        *,
        ignore_commands: bool = False,
        use_blacklist: bool = False,
        flags: LoadFlags = LoadFlags.NONE,
        first_time: bool = False,
        announce: "Callable[[LoadStep], None]" = lambda _: None,
    ) -> LoadReport:
        """Load what a name leads to, with what it needs; the first failure that matters ends it.

        :param parameters: see :meth:`plan_load`, for the next two as well
        :param flags: IGNORE_MODVERSIONS, IGNORE_VERMAGIC
        :param first_time: that it is loaded already is an error
        :param announce: called before each step
        :raises ModuleNotFound: nothing answers to the name
        :raises Blocked: modprobe.d forbids it
        :raises LoadRefused: the kernel refused; errno, its log lines, and causes with remedies
        :raises BuiltIn: ``first_time``, and it is part of the kernel
        :raises CommandFailed: an install command of modprobe.d failed
        """
        report = LoadReport()
        for plan in self.plan_load(name, parameters, ignore_commands=ignore_commands, use_blacklist=use_blacklist):
            error = forbidden(plan)
            if error:
                raise error
            done = loading.carry_out(plan, self.kernel, flags=flags, fail_if_loaded=first_time, announce=announce)
            report.inserted += done.inserted
            report.present += done.present
            report.tolerated += done.tolerated
            report.log += done.log
        return report

    # --- removing -----------------------------------------------------------------------------------------------------

    def plan_unload(
        self, name: str, *, holders: bool = False, ignore_commands: bool = False, wait: bool = False
    ) -> "tuple[UnloadStep, ...]":
        """Plan to remove what a name leads to, with all that is then left over.

        :param holders: the modules that use it go first
        :param ignore_commands: neither remove commands nor soft dependencies
        :param wait: being in use is no obstacle yet
        :raises ModuleNotFound: nothing answers to the name
        """
        return steps_for(self._session, name, holders=holders, ignore_commands=ignore_commands, wait=wait)

    def unload(
        self,
        name: str,
        *,
        holders: bool = False,
        ignore_commands: bool = False,
        wait: float = 0.0,
        flags: UnloadFlags = UnloadFlags.NONE,
        announce: "Callable[[UnloadStep], None]" = lambda _: None,
    ) -> UnloadReport:
        """Remove what a name leads to, with all that is then left over.

        :param holders: see :meth:`plan_unload`, for the next one as well
        :param wait: how long to wait for a module that is in use, in seconds
        :param flags: FORCE removes what is in use, and may crash the kernel
        :param announce: called before each step
        :raises ModuleNotFound: nothing answers to the name
        :raises NotLoaded, BuiltIn, InUse: it can't be removed
        :raises UnloadRefused: the kernel refused; errno, its log lines, and causes with remedies
        :raises CommandFailed: a remove command of modprobe.d failed
        """
        steps = self.plan_unload(
            name, holders=holders, ignore_commands=ignore_commands, wait=wait > 0 or UnloadFlags.FORCE in flags
        )
        return unloading.carry_out(steps, self.kernel, flags=flags, wait=wait, announce=announce)

    # --- the tree -----------------------------------------------------------------------------------------------------

    def index(
        self, *, dry_run: bool = False, use_cache: bool = True, say: "Callable[[Notice], None]" = lambda _: None
    ) -> "IndexResult":
        """Write the indexes of the module tree, as ``lkm index`` does.

        :param dry_run: write nothing
        :param use_cache: read only the modules that changed since the last time
        :param say: is told what is wrong: ``level`` and ``text``
        :raises Loop: modules need each other
        :raises TreeMissing: there is no tree
        :raises PrivilegeMissing, ReadOnlyFiles, LkmError: they can't be written; all are as they were
        """
        from lkm.actions.indexing.tree import index_tree  # noqa: PLC0415  as above

        result = index_tree(self.tree, dry_run=dry_run, use_cache=use_cache, say=say)
        self._session.reread()
        return result
