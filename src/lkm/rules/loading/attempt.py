"""One attempt to load a module: what is known before, what is found on the way, and the verdict."""

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from lkm.errors import FormatError, LkmError
from lkm.formats.elf.constants import MAGIC, ElfClass, ElfData, SectionFlag
from lkm.formats.elf.reader import Section
from lkm.formats.kernel_cmdline import Cmdline
from lkm.formats.ksymtab import Export
from lkm.formats.modinfo import Modinfo
from lkm.formats.module_image import ModuleImage
from lkm.formats.symbol_versions import basic_versions, extended_versions
from lkm.rules.signature_check import UNSIGNED, SignatureFinding
from lkm.rules.signature_policy import Lockdown, parse_boolean
from lkm.rules.taint import Taint
from lkm.system.kernel_profile import KernelProfile
from lkm.system.kernel_traits import KernelTraits

__all__ = [
    "IGNORE_MODVERSIONS",
    "IGNORE_VERMAGIC",
    "LONGEST_LINE",
    "Attempt",
    "KernelState",
    "ModuleRecord",
    "Refusal",
    "Request",
    "Verdict",
]

LONGEST_LINE = 991
"""The most bytes of a log line (kernel/printk/printk.c ``LOG_LINE_MAX``, 6.1 without PRINTK_CALLER)."""

IGNORE_MODVERSIONS = 1
IGNORE_VERMAGIC = 2


@dataclass(frozen=True, slots=True)
class ModuleRecord:
    """A module in a kernel.

    :param size: bytes of memory
    :param exports: what it offers to later modules
    :param uses: the modules whose symbols it uses
    :param taints: its own taint mask
    :param parameters: name to value as sysfs would show it, in declared order
    :param references: uses that are not other modules: open files, mounts
    :param has_init: it has an init function
    :param has_exit: it has an exit function; init without exit can't be removed
    """

    name: str
    size: int = 0
    exports: tuple[Export, ...] = ()
    uses: tuple[str, ...] = ()
    taints: int = 0
    parameters: tuple[tuple[str, str], ...] = ()
    references: int = 0
    has_init: bool = True
    has_exit: bool = True


@dataclass(frozen=True, slots=True)
class KernelState:
    """What changes in a kernel as modules come and go.

    :param modules: newest first, as /proc/modules lists them
    :param taint: the kernel's taint mask
    :param said: the names of lines that are printed once per boot and have been
    :param command_line: the kernel's own
    :param modules_disabled: the sysctl kernel.modules_disabled
    """

    modules: tuple[ModuleRecord, ...] = ()
    taint: int = 0
    said: frozenset[str] = frozenset()
    command_line: str = ""
    modules_disabled: bool = False

    @property
    def forbids_modules(self) -> bool:
        """Whether the sysctl, or ``nomodule`` on the command line, keeps all from loading and removing modules."""
        is_off = self.modules_disabled
        for value in Cmdline(self.command_line).values("nomodule"):
            parsed = parse_boolean(value)  # core_param of type bint
            is_off = is_off if parsed is None else parsed or self.modules_disabled
        return is_off

    def module(self, name: str) -> ModuleRecord | None:
        """Find a loaded module by its exact name."""
        return next((module for module in self.modules if module.name == name), None)

    def users(self, name: str) -> tuple[str, ...]:
        """Name the modules that use this one, newest first."""
        return tuple(module.name for module in self.modules if name in module.uses)


@dataclass(frozen=True, slots=True)
class Request:
    """One call of finit_module.

    :param contents: the unpacked file, signature included
    :param parameters: the parameter string
    :param flags: IGNORE_MODVERSIONS, IGNORE_VERMAGIC
    :param signature: what checking the signature gave
    :param privileged: the caller has CAP_SYS_MODULE
    :param command: the caller's name, for log lines
    """

    contents: bytes
    parameters: str = ""
    flags: int = 0
    signature: SignatureFinding = UNSIGNED
    privileged: bool = True
    command: str = "modprobe"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stage's no.

    :param errno: positive
    """

    errno: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the kernel answers.

    :param errno: 0 where the module loads
    :param stage: the name of the stage that refused; empty where the module loads
    :param log: the lines that the kernel prints because of this attempt, in order, without time stamps
    :param state: the kernel afterwards; a refused load can leave taints behind
    :param record: the module, where it loads
    :param undecidable: what no rule can foresee about this module
    """

    errno: int
    stage: str
    log: tuple[str, ...]
    state: KernelState
    record: ModuleRecord | None = None
    undecidable: tuple[str, ...] = ()

    @property
    def loads(self) -> bool:
        """Whether the module is live afterwards."""
        return self.errno == 0


@dataclass
class Attempt:
    """The state of one attempt as the stages work on it; made anew for each, and seen by nobody else.

    :ivar undecidable: what no rule can foresee about this module
    :ivar taint_before: the kernel's taint mask when the attempt began
    """

    request: Request
    profile: KernelProfile
    state: KernelState
    traits: KernelTraits
    cmdline: Cmdline
    lockdown: Lockdown
    log: list[str] = field(default_factory=list)
    taints: int = 0
    uses: list[str] = field(default_factory=list)
    parameters: Mapping[str, str] = field(default_factory=dict)
    uses_gpl_only: bool = False
    undecidable: list[str] = field(default_factory=list)
    taint_before: int = field(init=False)

    def __post_init__(self) -> None:
        self.taint_before = self.state.taint

    @cached_property
    def image(self) -> ModuleImage:
        """The module, which the ELF stage has found sound."""
        return ModuleImage(self._contents())

    def _contents(self) -> bytes:
        """Give the file with the class and byte order of the kernel, which never looks at these two bytes."""
        contents, profile = self.request.contents, self.profile
        elf_class = ElfClass.ELF64 if profile.is_64bit else ElfClass.ELF32
        own = MAGIC + bytes((elf_class, ElfData.LITTLE if profile.little_endian else ElfData.BIG))
        return contents if contents.startswith(own) else own + contents[len(own) :]

    @cached_property
    def modinfo(self) -> Modinfo:
        """What the module says of itself, where the kernel finds it."""
        return Modinfo() if self.section(".modinfo") is None else self.image.modinfo

    @cached_property
    def versions(self) -> dict[str, int] | None:
        """The module's symbol versions, where it has any and the caller does not ask to overlook them."""
        if self.has_flag(IGNORE_MODVERSIONS) or self.section("__versions") is None:
            return None
        return basic_versions(self.image.elf)

    @cached_property
    def extended_versions(self) -> dict[str, int] | None:
        """The module's symbol versions in the extended form, where this kernel reads it."""
        if self.has_flag(IGNORE_MODVERSIONS) or not self.traits.reads_extended_versions:
            return None
        return extended_versions(self.image.elf)

    @cached_property
    def offers(self) -> dict[str, list[tuple[Export, ModuleRecord]]]:
        """What loaded modules export, by name, the newest module first."""
        found: dict[str, list[tuple[Export, ModuleRecord]]] = {}
        for owner in self.state.modules:
            for export in owner.exports:
                found.setdefault(export.name, []).append((export, owner))
        return found

    def section(self, name: str) -> Section | None:
        """Find a section as ``find_sec`` does: the first of this name that takes up memory."""
        sections = self.image.elf.sections
        return next((s for s in sections if s.flags & SectionFlag.ALLOC and s.name == name), None)

    @property
    def name(self) -> str:
        """The name in struct module, by which the kernel knows the module and begins its log lines; may be empty."""
        try:
            return self.image.name
        except FormatError:
            return ""

    @property
    def info_name(self) -> str:
        """The name in .modinfo, which comes first where the kernel has not yet copied the module."""
        name = self.modinfo.first("name")
        return self.name if name is None else name

    def has_flag(self, flag: int) -> bool:
        """Tell whether the caller set a flag."""
        return bool(self.request.flags & flag)

    def say(self, line: str) -> None:
        """Print a line to the kernel's log, which cuts long ones; a newline in it begins another."""
        raw = line.encode("utf-8", "surrogateescape")[:LONGEST_LINE]
        self.log.extend(raw.decode("utf-8", "surrogateescape").split("\n"))

    def say_once(self, key: str, line: str) -> None:
        """Print a line that comes once per boot."""
        if key not in self.state.said:
            self.state = replace(self.state, said=self.state.said | {key})
            self.say(line)

    def say_locked_down(self, what: str) -> None:
        """Print that lockdown forbids something (security/lockdown/lockdown.c ``lockdown_is_locked_down``)."""
        self.say(f"Lockdown: {self.request.command}: {what} is restricted; see man kernel_lockdown.7")

    def add_taint(self, flag: Taint, *, kernel_only: bool = False) -> None:
        """Taint the kernel, and the module with it (kernel/module/main.c ``add_taint_module``).

        The first proprietary or forced module also ends lock debugging (kernel/panic.c ``add_taint``).
        """
        unreliable = flag in {Taint.PROPRIETARY_MODULE, Taint.FORCED_MODULE}
        if unreliable and "lockdep" not in self.state.said:
            self.say_once("lockdep", "Disabling lock debugging due to kernel taint")
        self.state = replace(self.state, taint=self.state.taint | int(flag))
        if not kernel_only:
            self.taints |= flag

    def force(self, reason: str) -> Refusal | None:
        """Load in spite of a missing version, if the kernel allows (kernel/module/main.c ``try_to_force_load``)."""
        if not self.profile.has("MODULE_FORCE_LOAD"):
            return Refusal(errno.ENOEXEC)
        if not self.state.taint & Taint.FORCED_MODULE:
            self.say(f"{self.name}: {reason}: kernel tainted.")
        self.add_taint(Taint.FORCED_MODULE)
        return None

    def readable(self) -> LkmError | None:
        """Give the error that keeps our own reader from the module's contents, if any."""
        try:
            self.image.elf.symbols  # noqa: B018  reading is the point
            self.image.exports  # noqa: B018
            self.image.imports  # noqa: B018
            self.image.parameters  # noqa: B018
            self.versions  # noqa: B018
            self.extended_versions  # noqa: B018
        except LkmError as error:
            return error
        return None
