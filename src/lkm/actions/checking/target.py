"""The kernel that a check asks: its profile, its state, and what names mean there."""

import contextlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from lkm.actions.checking.options import FORCE, mask_of
from lkm.errors import LkmError, UsageError
from lkm.kernels.trusting import with_firmware
from lkm.rules.loading.attempt import Request
from lkm.rules.loading.stages import judge
from lkm.rules.loading.state import KernelState, ModuleRecord
from lkm.rules.resolving import Resolver
from lkm.rules.signatures.check import SignatureFinding
from lkm.rules.signatures.policy import Lockdown, SignatureState
from lkm.rules.taint import Taint

if TYPE_CHECKING:
    from lkm.actions.checking.options import CheckOptions
    from lkm.actions.session import Session
    from lkm.formats.ksymtab import Export
    from lkm.formats.proc_modules import LoadedModule
    from lkm.kernels.base import Kernel
    from lkm.rules.loading.attempt import Verdict
    from lkm.system.kernel_profile import KernelProfile
    from lkm.system.module_file import ModuleFile
    from lkm.system.module_tree import ModuleTree

__all__ = ["CheckTarget", "having_said", "open_target", "state_of"]

_SAID = {
    "lockdep": Taint.PROPRIETARY_MODULE | Taint.FORCED_MODULE | Taint.FORCED_RMMOD,
    "unsigned": Taint.UNSIGNED_MODULE,
    "livepatch": Taint.LIVEPATCH,
}
"""Lines that are printed once per boot, and the taints that come with them (kernel/panic.c ``add_taint``,
kernel/module/main.c ``load_module`` and ``check_modinfo_livepatch``, 6.1)."""


@dataclass(frozen=True)
class CheckTarget:
    """A kernel to ask.

    :param session: what names are looked up in
    :param profile: what kernel it is
    :param state: what has happened to it
    :param options: how it is asked
    :param is_running: it is the session's kernel as it runs now; else one that was booted a moment ago
    :param notes: what to know about all answers
    """

    session: "Session"
    profile: "KernelProfile"
    state: KernelState
    options: "CheckOptions"
    is_running: bool = False
    notes: tuple[str, ...] = ()

    @property
    def tree(self) -> "ModuleTree":
        """The module tree of the kernel's release; a saved profile may come without one."""
        return self.session.tree

    @cached_property
    def resolver(self) -> Resolver:
        """Names to modules, with the modprobe.d of the root and this kernel's command line."""
        return Resolver(self.tree, self.session.configuration_with(self.state.command_line))

    @cached_property
    def _answers(self) -> dict[tuple[int, str, str], "tuple[KernelState, Verdict]"]:
        return {}

    def ask(self, state: KernelState, contents: bytes, parameters: str, flags: int) -> "Verdict":
        """Ask what finit_module would answer."""
        caller = self.options.caller
        guess = SignatureFinding(SignatureState.TRUSTED) if self.guesses_trust(state, contents) else None
        request = Request(contents, parameters, flags, guess, command=caller, measured=False)
        return judge(self.profile, state, request)

    def ask_module(self, state: KernelState, module: "ModuleFile", parameters: str) -> "Verdict":
        """Ask about a module of the tree, unpacked; the answer is kept, for many may need the module.

        :raises Unreadable: the file can't be read or unpacked
        """
        key = (id(state), module.display_path, parameters)
        if key not in self._answers:
            verdict = self.ask(state, module.contents, parameters, self.options.flags & FORCE)
            self._answers[key] = (state, verdict)  # with the state, so that no other gets its id
        return self._answers[key][1]

    def guesses_trust(self, state: KernelState, contents: bytes) -> bool:
        """Tell whether a signature counts as good by a guess alone; see :mod:`lkm.kernels.guessed_trust`."""
        if self.profile.certificates is not None:
            return False
        from lkm.kernels.guessed_trust import guesses_trust  # noqa: PLC0415  for a kernel without an image only

        return guesses_trust(self.tree, self.profile, state, contents)


def open_target(session: "Session", options: "CheckOptions") -> CheckTarget:
    """Find out which kernel is meant, and all about it.

    The session's kernel as it is, if it is the running one, or an emulated or virtual one that was named; else, with
    another root or release, a saved profile or a kernel image, one that was just booted. Options go before what the
    kernel says.

    :raises UsageError: a saved profile is of another release than the one that was asked for
    :raises Unreadable: the profile or the tree can't be read
    :raises ModuleSupportMissing: the running kernel can't load modules at all
    """
    profile = _profile(session, options)
    wanted = session.target.release
    if wanted is not None and wanted != profile.release:
        where = options.profile_file or options.kernel_image
        raise UsageError(f"this is kernel {profile.release}, not {wanted}", where=where, hint="leave out --release")
    is_named = options.profile_file is not None or options.kernel_image is not None
    is_running = not is_named and _is_running(session)
    has_firmware = options.profile_file is None and session.kernel_kind == "live"  # what was saved is of elsewhere
    if is_named:
        session = _of_release(session, profile.release)
    state = KernelState(command_line=profile.command_line)
    if is_running:
        state = state_of(session.kernel, profile, session.tree)
        if session.kernel_kind == "emulated":
            state = _with_its_keys(state, session.kernel)
    if has_firmware:
        state = with_firmware(state, session.root, lambda: profile, is_running=is_running)
    notes = _useless_certificates(profile, options)
    return CheckTarget(session, profile, _with_options(state, options), options, is_running, notes)


def _useless_certificates(profile: "KernelProfile", options: "CheckOptions") -> tuple[str, ...]:
    """Tell of certificates that the kernel takes into no keyring, and that make no difference therefore."""
    if not options.trust:
        return ()
    from lkm.formats.certificate import describe  # noqa: PLC0415  few are given certificates
    from lkm.rules.signatures.trust import lacking_in  # noqa: PLC0415  as above
    from lkm.rules.signatures.trusted_certificate import as_kept  # noqa: PLC0415  as above

    edition, lacking = profile.traits.oid_edition, lacking_in(profile)
    useless = [describe(der) for der in options.trust if as_kept(der, edition, lacking) is None]
    return tuple(
        f"to trust {facts.name or facts.subject} makes no difference: this kernel can't use its key, {facts.key}"
        for facts in useless
        if facts is not None
    )


def _with_its_keys(state: KernelState, kernel: "Kernel") -> KernelState:
    """Add the keys that an emulated kernel keeps; of a real one the firmware tells, and other kernels show none."""
    from lkm.kernels.emulated import EmulatedKernel  # noqa: PLC0415  few ask a running one

    return kernel.trusting(state) if isinstance(kernel, EmulatedKernel) else state


def _profile(session: "Session", options: "CheckOptions") -> "KernelProfile":
    from lkm.actions.profile import profile_for  # noqa: PLC0415  tests bring their own

    if options.use_cache or options.profile_file is not None or options.kernel_image is not None:
        return profile_for(session, profile_file=options.profile_file, kernel_image=options.kernel_image)
    from lkm.system.profile_gathering import gather  # noqa: PLC0415  a saved profile needs none of it

    return gather(session.tree)


def _of_release(session: "Session", release: str) -> "Session":
    from lkm.actions.session import Session  # noqa: PLC0415  most need only the one they have

    return Session(session.target._replace(release=release, kernel="emulated"))


def _is_running(session: "Session") -> bool:
    """Tell whether the session's kernel can be asked what is going on in it; one emulated in memory was just booted."""
    if session.kernel_kind != "live":
        return session.kernel_kind == "vm" or bool(session.kernel_argument)
    return session.root.is_host and session.tree.release == session.kernel.release


# --- the state --------------------------------------------------------------------------------------------------------


def state_of(kernel: "Kernel", profile: "KernelProfile", tree: "ModuleTree") -> KernelState:
    """Ask a kernel what state it is in.

    What its modules export comes from their files, so for those that are not of the tree it stays unknown.

    :raises ModuleSupportMissing: it can't load modules at all
    """
    loaded = kernel.loaded()
    security = kernel.security()
    uses: dict[str, list[str]] = {}
    for module in loaded:
        for user in module.used_by:
            uses.setdefault(user, []).append(module.name)
    records = tuple(
        ModuleRecord(
            name=module.name,
            size=module.size,
            exports=_exports_of(module, profile, tree),
            uses=tuple(uses.get(module.name, ())),
            taints=mask_of(module.taints),
            references=max(0, (module.refcount or 0) - len(module.used_by)),
            has_exit=not module.permanent,
        )
        for module in loaded
    )
    return KernelState(
        modules=records,
        taint=_taint_of(kernel),
        command_line=kernel.command_line(),
        modules_disabled=security.modules_disabled,
        # What is off is left to command line and configuration, which came to the same: another may be asked about.
        lockdown=Lockdown(security.lockdown) if security.lockdown not in {None, "none"} else None,
        sig_enforce=security.sig_enforce or None,
    )


def _taint_of(kernel: "Kernel") -> int:
    """Take a mask that can't be read for none: a verdict tells what a load adds to it."""
    try:
        return kernel.taint()
    except LkmError:
        return 0


def _exports_of(module: "LoadedModule", profile: "KernelProfile", tree: "ModuleTree") -> "tuple[Export, ...]":
    """Tell what a module of the tree exports; nothing for one that is not there or can't be read.

    The profile knows all modules of the kernel's build; others are in the tree, too, and taint.
    """
    known = profile.module_exports.get(module.name)
    if known is not None or (profile.module_exports and not module.taints):
        return known or ()
    with contextlib.suppress(LkmError):
        file = tree.module(module.name)
        if file:
            return file.image.exports
    return ()


def _with_options(state: KernelState, options: "CheckOptions") -> KernelState:
    if options.cmdline is not None:
        state = replace(state, command_line=options.cmdline)
    if options.tainted is not None:
        state = replace(state, taint=options.tainted)
    if options.lockdown is not None:
        state = replace(state, lockdown=options.lockdown)
    if options.sig_enforce is not None:
        state = replace(state, sig_enforce=options.sig_enforce)
    return having_said(replace(state, certificates=(*state.certificates, *options.trust)))


def having_said(state: KernelState) -> KernelState:
    """Take a line that is printed once per boot as printed where its taint is there."""
    return replace(state, said=state.said | {line for line, flags in _SAID.items() if state.taint & flags})
