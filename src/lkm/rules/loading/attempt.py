"""One attempt to load a module: what is known before, what is found on the way, and the verdict."""

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from lkm.errors import LkmError
from lkm.formats import ksymtab, modinfo, parameters
from lkm.formats.kernel_cmdline import Cmdline
from lkm.formats.ksymtab import Export
from lkm.formats.modinfo import Modinfo
from lkm.formats.module_image import ModuleImage
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import basic_versions, extended_versions
from lkm.rules.loading.exporters import Offer
from lkm.rules.loading.rectifying import rectified
from lkm.rules.loading.request import (
    COMPRESSED_FILE,
    IGNORE_MODVERSIONS,
    IGNORE_VERMAGIC,
    Refusal,
    Request,
    Verdict,
)
from lkm.rules.loading.section_headers import STRUCT_MODULE, WITHOUT_CONTENTS, SectionHeaders
from lkm.rules.loading.state import KernelState, ModuleRecord
from lkm.rules.loading.symbol_list import Symbols
from lkm.rules.signatures.check import SignatureFinding, check_by
from lkm.rules.signatures.policy import Lockdown
from lkm.rules.signatures.trust import trust_of
from lkm.rules.taint import Taint
from lkm.system.kernel_profile import KernelProfile
from lkm.system.kernel_traits import ElfValidation, KernelTraits

__all__ = [
    "COMPRESSED_FILE",
    "IGNORE_MODVERSIONS",
    "IGNORE_VERMAGIC",
    "Attempt",
    "KernelState",
    "ModuleRecord",
    "Refusal",
    "Request",
    "Verdict",
]

_SILENT = Modinfo()


@dataclass
class Attempt:
    """The state of one attempt as the stages work on it; made anew for each, and seen by nobody else.

    :ivar headers: the section headers, once the ELF stage has found them sound
    :ivar contents: the module's bytes as the stages see them: unpacked
    :ivar offers: what modules export of what this one asks for
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
    offers: Mapping[str, list[Offer]] = field(default_factory=dict)
    undecidable: list[str] = field(default_factory=list)
    taint_before: int = field(init=False)
    contents: bytes = field(init=False)
    headers: SectionHeaders = field(init=False)

    def __post_init__(self) -> None:
        self.taint_before = self.state.taint
        self.contents = self.request.contents

    @cached_property
    def signature(self) -> SignatureFinding:
        """What checking the signature gives; it costs the most of all stages, and not every attempt comes so far."""
        if self.request.signature is not None:
            return self.request.signature
        return check_by(self.contents, trust_of(self.profile, self.state))

    @cached_property
    def image(self) -> ModuleImage:
        """The module, which the ELF stage has found sound."""
        return ModuleImage(rectified(self.contents, self.headers, self.profile))

    @cached_property
    def modinfo(self) -> Modinfo:
        """What the module says of itself, where the kernel finds it."""
        section = self._found(".modinfo")
        return modinfo.parse(self.headers.whole_strings(section)) if section else Modinfo()

    @cached_property
    def versions(self) -> dict[str, int] | None:
        """The module's symbol versions, where it has any and the caller does not ask to overlook them."""
        if self.has_flag(IGNORE_MODVERSIONS) or not self.has_section("__versions"):
            return None
        return basic_versions(self.image.elf)

    @cached_property
    def extended_versions(self) -> dict[str, int] | None:
        """The module's symbol versions in the extended form, where this kernel reads it."""
        if self.has_flag(IGNORE_MODVERSIONS) or not self.traits.reads_extended_versions:
            return None
        return extended_versions(self.image.elf)

    def has_section(self, name: str) -> bool:
        """Tell whether there is a section of this name in memory."""
        return self.headers.in_memory(name) > 0

    def _found(self, name: str) -> int:
        """Find one of the sections that newer kernels know by name alone; 0 where it is missing."""
        validation = self.traits.elf_validation
        if not validation.finds_sections_by_name:
            return self.headers.in_memory(name)
        sections, found = self.headers.sections, self.headers.all_named(name)
        if validation is ElfValidation.JOINT:
            found = [index for index in found if sections[index].type not in WITHOUT_CONTENTS]
        return found[0] if found else 0

    @cached_property
    def name(self) -> str:
        """The name in struct module, by which the kernel knows the module and begins its log lines; may be empty."""
        section = self._found(STRUCT_MODULE)
        if not section:
            return ""
        word = 8 if self.profile.is_64bit else 4  # the name follows an enum and a list head (include/linux/module.h)
        field = bytes(self.headers.contents(self.headers.sections[section])[3 * word : 64 + 2 * word])
        return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")

    @property
    def early_name(self) -> str:
        """The name as the lines show it that come before struct module is found."""
        name = self.modinfo.first("name")
        return "(missing .modinfo section or name field)" if name is None else name

    @property
    def info_name(self) -> str:
        """The name in .modinfo, which comes first where the kernel has not yet copied the module."""
        name = self.modinfo.first("name")
        return self.name if name is None else name

    @cached_property
    def symbols(self) -> Symbols:
        """The module's symbols."""
        return Symbols(self.image.elf)

    @cached_property
    def declared(self) -> tuple[Parameter, ...]:
        """The parameters that the kernel finds; what .modinfo says of them is for people."""
        return parameters.declared(self.image.elf, _SILENT) if self.has_section("__param") else ()

    @cached_property
    def exports(self) -> tuple[Export, ...]:
        """What the module offers, as this kernel reads its tables; nothing where they name no symbols."""
        try:
            return ksymtab.exports(self.image.elf, flagged=self.traits.keeps_export_flags)
        except LkmError as error:
            self.undecidable.append(f"what the module offers: {error}")
            return ()

    @cached_property
    def own_functions(self) -> frozenset[str]:
        """Which of ``init_module`` and ``cleanup_module`` struct module points to: modpost ties them to these names."""
        elf = self.image.elf
        try:
            entries = elf.relocation_entries(self._found(STRUCT_MODULE))
            return frozenset([elf.symbol_table.name(symbol) for _, symbol, _, _ in entries])
        except LkmError:
            self.undecidable.append("which functions the module begins and ends with")
            return frozenset()

    @cached_property
    def percpu(self) -> int:
        """The number of the section of per-CPU variables, 0 without one (``find_pcpusec``)."""
        return self.headers.in_memory(".data..percpu") if "SMP" in self.profile.vermagic.split() else 0

    @cached_property
    def dropped(self) -> frozenset[int]:
        """The numbers of the sections that count as out of memory: .modinfo, the versions, per-CPU variables.

        ``rewrite_section_headers`` and ``layout_and_allocate`` (kernel/module/main.c, 6.1) clear their ALLOC flags.
        """
        versions = 0 if self.has_flag(IGNORE_MODVERSIONS) else self.headers.in_memory("__versions")
        return frozenset({self._found(".modinfo"), versions, self.percpu} - {0})

    def has_flag(self, flag: int) -> bool:
        """Tell whether the caller set a flag."""
        return bool(self.request.flags & flag)

    @property
    def ignores_signature(self) -> bool:
        """Whether a flag makes the kernel take the module as unsigned: what it is told to overlook was signed too."""
        return bool(self.request.flags & (IGNORE_MODVERSIONS | IGNORE_VERMAGIC))

    def say(self, line: str) -> None:
        """Print a line to the kernel's log, which cuts long ones; a newline in it begins another."""
        raw = line.encode("utf-8", "surrogateescape")[: self.traits.longest_line]
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
            self.taints |= int(flag)

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
            self.symbols.telling  # noqa: B018  reading is the point
            self.declared  # noqa: B018
            self.versions  # noqa: B018
            self.extended_versions  # noqa: B018
        except LkmError as error:
            return error
        return None
