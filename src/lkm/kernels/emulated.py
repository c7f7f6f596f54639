"""An emulated kernel: the rules plus a state, which is kept in a directory so that several commands see one kernel."""

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

from lkm.errors import LoadRefused, NotLoaded, UnloadRefused
from lkm.formats.proc_modules import LoadedModule
from lkm.kernels.base import LoadFlags, Security, UnloadFlags
from lkm.kernels.emulated_store import DEFAULT_CMDLINE, EmulatedStore, Snapshot
from lkm.kernels.guessed_trust import guesses_trust
from lkm.rules.loading.attempt import KernelState, ModuleRecord, Request
from lkm.rules.loading.stages import judge
from lkm.rules.signatures.check import SignatureFinding
from lkm.rules.signatures.policy import SignatureState
from lkm.rules.taint import Taint, letters
from lkm.rules.unloading import judge_unload

if TYPE_CHECKING:
    from lkm.formats.parameters import Parameter
    from lkm.system.module_file import ModuleFile
    from lkm.system.module_tree import ModuleTree

__all__ = ["EmulatedKernel"]

_MOST_LOG_LINES = 4096  # about what a kernel's log buffer of 256 KiB holds


class EmulatedKernel:
    """A kernel that loads nothing and answers as a real one would.

    :param tree: the module tree of the release that is emulated
    :param directory: where the state is kept; by default nowhere: it ends with this object. Its file ``cmdline``
        holds the kernel command line and may be written by hand.
    :param cmdline: the kernel command line of one that is kept nowhere
    :param privileged: answer as if the caller had CAP_SYS_MODULE; an emulated kernel needs no real privilege
    """

    def __init__(
        self,
        tree: "ModuleTree",
        directory: str | None = None,
        *,
        cmdline: str = DEFAULT_CMDLINE,
        privileged: bool = True,
    ) -> None:
        self.release = tree.release
        self._tree = tree
        self._privileged = privileged
        self._store = EmulatedStore(tree, directory, cmdline)

    # --- changing -----------------------------------------------------------------------------------------------------

    def load(self, module: "ModuleFile", parameters: str, flags: LoadFlags = LoadFlags.NONE) -> tuple[str, ...]:
        """See :meth:`lkm.kernels.base.Kernel.load`."""
        profile = self._store.profile
        contents = module.contents
        kept = int(flags & ~LoadFlags.COMPRESSED_FILE)
        with self._store.changing() as snapshot:
            is_guessed = guesses_trust(self._tree, profile, snapshot.state, contents)
            signature = SignatureFinding(SignatureState.TRUSTED) if is_guessed else None
            verdict = judge(profile, snapshot.state, Request(contents, parameters, kept, signature, self._privileged))
            self._store.write(_after(snapshot, verdict.state, verdict.log))
        if not verdict.loads:
            raise LoadRefused(module.name, verdict.errno, verdict.log, where=module.display_path)
        return verdict.log

    def unload(self, name: str, flags: UnloadFlags = UnloadFlags.NONE) -> tuple[str, ...]:
        """See :meth:`lkm.kernels.base.Kernel.unload`."""
        with self._store.changing() as snapshot:
            verdict = judge_unload(
                self._store.profile,
                snapshot.state,
                name,
                force=UnloadFlags.FORCE in flags,
                privileged=self._privileged,
            )
            self._store.write(_after(snapshot, verdict.state, verdict.log))
        if verdict.errno:
            raise UnloadRefused(name, verdict.errno, verdict.log)
        return verdict.log

    def hold(self, name: str, references: int) -> None:
        """Set how many uses a module has that are not modules, such as open files; no kernel offers this.

        :raises UnloadRefused: the module is not loaded
        """

        def held(module: ModuleRecord) -> ModuleRecord:
            return replace(module, references=references) if module.name == name else module

        with self._store.changing() as snapshot:
            state = snapshot.state
            if state.module(name) is None:
                raise UnloadRefused(name, errno.ENOENT)
            modules = tuple(held(module) for module in state.modules)
            self._store.write(_after(snapshot, replace(state, modules=modules), ()))

    def set_parameter(self, name: str, parameter: "Parameter", shown: str) -> None:
        """Set a parameter of a module that is loaded, as a write to its file in sysfs does.

        Source: kernel/params.c ``param_attr_store``, which taints for those marked unsafe (6.1).

        :param name: of the module
        :param shown: the value as the kernel shows it afterwards
        :raises NotLoaded: the module is not
        """
        with self._store.changing() as snapshot:
            state = snapshot.state
            record = state.module(name)
            if record is None:
                raise NotLoaded(f"the module {name} is not loaded")
            values = {**dict(record.parameters), parameter.name: shown}
            changed = replace(record, parameters=tuple(values.items()))
            state = replace(state, modules=tuple(changed if one is record else one for one in state.modules))
            log: tuple[str, ...] = ()
            if parameter.unsafe:
                state = replace(state, taint=state.taint | int(Taint.USER))
                log = (f"Setting dangerous option {parameter.name} - tainting kernel",)
            self._store.write(_after(snapshot, state, log))

    # --- asking -------------------------------------------------------------------------------------------------------

    def loaded(self) -> tuple[LoadedModule, ...]:
        """See :meth:`lkm.kernels.base.Kernel.loaded`."""
        state = self._state()
        return tuple(_as_listed(module, state) for module in state.modules)

    def state(self, name: str) -> str | None:
        """See :meth:`lkm.kernels.base.Kernel.state`; every module of an emulated kernel is live."""
        return "live" if self._state().module(name) else None

    def parameters(self, name: str) -> dict[str, str]:
        """See :meth:`lkm.kernels.base.Kernel.parameters`; those that were not set show no value: only code knows it."""
        module = self._state().module(name)
        return dict(module.parameters) if module else {}

    def taint(self) -> int:
        """See :meth:`lkm.kernels.base.Kernel.taint`."""
        return self._state().taint

    def security(self) -> Security:
        """See :meth:`lkm.kernels.base.Kernel.security`."""
        state = self._state()
        profile = self._store.profile
        return Security(state.lockdown_of(profile).value, state.enforces_signatures(profile), state.modules_disabled)

    def log(self) -> tuple[str, ...]:
        """See :meth:`lkm.kernels.base.Kernel.log`."""
        return self._store.read().log

    def command_line(self) -> str:
        """See :meth:`lkm.kernels.base.Kernel.command_line`."""
        return self._state().command_line

    def trusting(self, state: KernelState) -> KernelState:
        """Give a state with the keys that this kernel trusts and revokes beyond those of its image."""
        own = self._state()
        return replace(
            state,
            certificates=own.certificates,
            platform_certificates=own.platform_certificates,
            revoked_certificates=own.revoked_certificates,
            revoked_hashes=own.revoked_hashes,
        )

    def _state(self) -> KernelState:
        return self._store.read().state


def _after(before: Snapshot, state: KernelState, lines: tuple[str, ...]) -> Snapshot:
    return Snapshot(state, (*before.log, *lines)[-_MOST_LOG_LINES:])


def _as_listed(module: ModuleRecord, state: KernelState) -> LoadedModule:
    users = state.users(module.name)
    permanent = module.has_init and not module.has_exit
    return LoadedModule(
        name=module.name,
        size=module.size,
        refcount=len(users) + module.references,
        used_by=users,
        taints=letters(module.taints),
        permanent=permanent,
    )
