"""What a kernel trusts for modules, where each key came from, and how many modules here each of them signed."""

from typing import TYPE_CHECKING

from lkm.actions.showing import Showing, unseen
from lkm.actions.trusted_keys.listing import Listing
from lkm.actions.trusted_keys.results import TrustOptions, TrustReport
from lkm.errors import TreeMissing
from lkm.system.firmware import read_dump, read_firmware
from lkm.system.kernel_keyrings import KernelKeyrings, read_kernel_keyrings
from lkm.system.module_signers import ModuleSigners, module_signers
from lkm.system.trust_store import TrustStore, trust_store_of

if TYPE_CHECKING:
    from lkm.actions.session import Session
    from lkm.system.kernel_profile import KernelProfile

__all__ = ["trusted_keys"]


def trusted_keys(session: "Session", options: TrustOptions, watch: Showing = unseen) -> TrustReport:
    """Tell what a kernel trusts.

    The running kernel's keyrings are asked too, where it is the one that is meant.

    :param watch: looks on while modules are read
    :raises Unreadable, UsageError: what was named can't be read
    """
    problems: list[str] = []
    firmware = read_firmware(session.root) if options.efivars is None else read_dump(options.efivars)
    is_running = _is_running(session, options)
    profile = _profile(session, options, problems)
    live = read_kernel_keyrings() if is_running else KernelKeyrings()
    store = TrustStore(firmware=firmware, problems=firmware.problems)
    if profile is not None:
        store = trust_store_of(profile, firmware)
    signers = _signers(session, profile, options, problems, watch)
    listing = Listing(profile, store, live, signers, options)
    keyrings = listing.keyrings()
    return TrustReport(
        release="" if profile is None else profile.release,
        is_running=is_running,
        store=store,
        keyrings=keyrings,
        lists=listing.firmware_lists(),
        signers=signers,
        strangers=listing.strangers(keyrings),
        problems=tuple(dict.fromkeys((*problems, *store.problems, *live.problems))),
    )


def _is_running(session: "Session", options: TrustOptions) -> bool:
    named = options.profile_file or options.kernel_image or options.efivars or session.kernel_kind != "live"
    if named or not session.root.is_host:
        return False
    release = session.target.release
    return release is None or release == session.kernel.release


def _profile(session: "Session", options: TrustOptions, problems: list[str]) -> "KernelProfile | None":
    """Give what is known of the kernel; of a running one without modules nothing is."""
    from lkm.actions.profile import profile_for  # noqa: PLC0415  as the other actions

    try:
        return profile_for(session, profile_file=options.profile_file, kernel_image=options.kernel_image)
    except TreeMissing as error:
        if not _is_running(session, options):
            raise
        problems.append(f"{error}: only what the running kernel shows is known" + f" ({error.hint})" * bool(error.hint))
        return None


def _signers(
    session: "Session",
    profile: "KernelProfile | None",
    options: TrustOptions,
    problems: list[str],
    watch: Showing,
) -> ModuleSigners | None:
    """Look at the modules of the kernel's release; a saved profile may come without any."""
    if profile is None or not options.counts:
        return None
    from lkm.system.module_tree import ModuleTree  # noqa: PLC0415  as above

    tree = ModuleTree(session.root, profile.release)
    try:
        tree.require_indexes()
    except TreeMissing as error:
        problems.append(f"{error}: modules are not counted")
        return None
    with watch(len(tree.paths())) as advance:
        return module_signers(tree, advance)
