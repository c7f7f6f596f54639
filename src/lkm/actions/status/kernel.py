"""The overview's lines on the kernel itself: its release, what is loaded, taints, what it demands."""

from lkm.actions.lockdown.report import demands_of
from lkm.actions.status.parts import Attention, Fact, Level, Overview, Part
from lkm.errors import LkmError
from lkm.rules.signatures.secure_boot import SecureBoot
from lkm.rules.taint import Taint, describe, letters
from lkm.system.module_tree import releases
from lkm.system.release_order import natural

__all__ = ["kernel_line", "lockdown", "modules", "modules_disabled", "secure_boot", "signatures", "taint"]

_UNKNOWN = "unknown, as the kernel's configuration is"
_MOST_NAMES = 8
_OF_MODULES = (  # letter of /proc/modules, what to call such modules, the attention's id
    ("E", "without a signature that the kernel trusts", "unsigned-loaded"),
    ("O", "from outside of the kernel's own tree", "out-of-tree-loaded"),
    ("P", "that are proprietary", "proprietary-loaded"),
    ("F", "by force", "forced-loaded"),
    ("C", "from the staging directory", "staging-loaded"),
)
_GRAVE = {
    Taint.DIE: "the kernel has crashed in part (an oops or BUG): save what it says, and start again",
    Taint.MACHINE_CHECK: "the processor has reported a fault of the machine",
    Taint.BAD_PAGE: "memory management has met a damaged page",
    Taint.SOFTLOCKUP: "a processor was stuck in the kernel",
    Taint.WARN: "the kernel has printed a warning",
}


def kernel_line(overview: Overview) -> Part:
    """Name the kernel, and say what is odd about its module tree."""
    kernel, tree = overview.kernel, overview.session.tree
    kind = {"emulated": "emulated", "vm": "in a virtual machine"}.get(overview.session.kernel_kind, "running")
    text = f"{kernel.release}, {kind if kernel.is_running else 'installed'}"
    fact = Fact("kernel", kernel.release, text)
    if kernel.loads_modules is False:
        text = f"this kernel ({kernel.release}) can't load modules: it was built without them, or told not to"
        return Part(fact, (Attention("no-module-support", Level.NOTE, text, (overview.lkm("lockdown"),)),))
    installed = releases(overview.session.root)
    if tree.root.is_dir(tree.directory):
        return Part(fact, (*_without_indexes(overview), *_newer(overview, installed)))
    others = [release for release in installed if release != kernel.release]
    text = f"there is no module tree for the kernel {kernel.release}, so nothing more can be loaded"
    if others and kernel.is_running:
        text += f"; there is one for {', '.join(others)}: the kernel was upgraded, and not yet started"
    remedy = ("sudo reboot",) if others and kernel.is_running else ()
    return Part(fact, (Attention("no-module-tree", Level.PROBLEM, text, remedy, tree.display_directory),))


def _without_indexes(overview: Overview) -> tuple[Attention, ...]:
    tree = overview.session.tree
    try:
        tree.require_indexes()
    except LkmError as error:
        return (Attention("no-indexes", Level.PROBLEM, str(error), (overview.lkm("index", changes=True),)),)
    return ()


def _newer(overview: Overview, installed: tuple[str, ...]) -> tuple[Attention, ...]:
    """Tell of a kernel that will run after the next start."""
    release = overview.kernel.release
    newest = max(installed, key=natural, default=release)
    if not overview.kernel.is_running or natural(newest) <= natural(release):
        return ()
    text = f"the kernel {newest} is installed, and {release} runs"
    return (Attention("newer-kernel", Level.NOTE, text, (overview.lkm(f"preflight {newest}"), "sudo reboot")),)


def modules(overview: Overview) -> Part:
    """Count what is loaded, and name what taints."""
    if not overview.kernel.is_running:
        return Part(Fact("modules", None, "none: the kernel does not run here"))
    if not overview.kernel.loads_modules:
        return Part(Fact("modules", {"loaded": 0, "tainting": {}}, "none: the kernel can't load any"))
    loaded = overview.session.kernel.loaded()
    tainting = {letter: [module.name for module in loaded if letter in module.taints] for letter, *_ in _OF_MODULES}
    odd = {letter: names for letter, names in tainting.items() if names}
    text = f"{len(loaded)} loaded"
    attention = []
    for letter, words, name in _OF_MODULES:
        names = odd.get(letter)
        if names:
            count = f"{len(names)} {'module is' if len(names) == 1 else 'modules are'} loaded {words}"
            command = overview.lkm(f"verify {names[0]}" if letter == "E" else "taint")
            attention.append(Attention(name, Level.NOTE, f"{count}: {_listed(names)}", (command,)))
    return Part(Fact("modules", {"loaded": len(loaded), "tainting": odd}, text), tuple(attention))


def _listed(names: list[str]) -> str:
    rest = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def taint(overview: Overview) -> Part:
    """Say the taints in words."""
    if not overview.kernel.is_running:
        return Part(Fact("taint", None, "none: the kernel does not run here"))
    mask = overview.session.kernel.taint()
    words = "; ".join(f"{letter}: {meaning}" for letter, meaning in describe(mask))
    fact = Fact("taint", mask, f"{letters(mask)} ({mask}): {words}" if mask else "none")
    grave = [text for flag, text in _GRAVE.items() if mask & flag]
    return Part(fact, tuple(Attention("tainted", Level.NOTE, text, (overview.lkm("taint"),)) for text in grave))


def secure_boot(overview: Overview) -> Part:
    """Say how Secure Boot stands, and what waits for MokManager."""
    firmware, stand = overview.kernel.firmware, overview.kernel.secure_boot
    text = stand.words
    if stand is SecureBoot.UNKNOWN and firmware is None:
        installed = "unknown: that is for the machine to say which boots this"
        text = "unknown: this kernel does not tell" if overview.kernel.is_running else installed
    attention = []
    if stand in {SecureBoot.UNVALIDATED, SecureBoot.SETUP}:
        attention.append(Attention("secure-boot", Level.NOTE, f"Secure Boot is {text}", (overview.lkm("mok status"),)))
    if firmware is not None and firmware.requests:
        waiting = "a request to change the machine owner's keys waits for the next boot, where it must be confirmed"
        attention.append(Attention("mok-pending", Level.NOTE, waiting, (overview.lkm("mok status"), "sudo reboot")))
    value = None if stand is SecureBoot.UNKNOWN else stand.value
    return Part(Fact("secure_boot", value, text), tuple(attention))


def lockdown(overview: Overview) -> Part:
    """Say the lockdown mode, and who set it."""
    demands = demands_of(overview.kernel)
    by = f", by {demands.setter.origin.words}" if demands.setter else ""
    return Part(Fact("lockdown", demands.mode.value, f"{demands.mode.value}{by}" if demands.knows_mode else _UNKNOWN))


def signatures(overview: Overview) -> Part:
    """Say whether good signatures are a must."""
    demands = demands_of(overview.kernel)
    if demands.checks_signatures is False:
        return Part(Fact("signatures", value=False, text="not looked at"))
    text = f"enforced, by {demands.enforcer}" if demands.sig_enforce else "not enforced"
    if not demands.knows_signatures:
        text = _UNKNOWN
    return Part(Fact("signatures", demands.sig_enforce, text))


def modules_disabled(overview: Overview) -> Part:
    """Say whether loading is turned off."""
    demands = demands_of(overview.kernel)
    if not demands.modules_disabled:
        return Part(Fact("modules_disabled", value=False, text="no"))
    fact = Fact("modules_disabled", value=True, text=f"yes, until the next boot, by {demands.disabler}")
    if overview.kernel.loads_modules is False:  # which says all
        return Part(fact)
    text = f"no module can be loaded or removed until the next boot: {demands.disabler}"
    return Part(fact, (Attention("modules-disabled", Level.NOTE, text, (overview.lkm("lockdown"),)),))
