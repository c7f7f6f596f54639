"""What is known of a target kernel, and where each fact came from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from lkm.formats.ksymtab import Export
from lkm.system.kernel_traits import KernelTraits, traits_of

__all__ = ["KernelProfile"]


@dataclass(frozen=True, slots=True)
class KernelProfile:
    """The facts about one kernel that decide about its modules.

    :param release: as ``uname -r`` prints it
    :param machine: the ELF machine of its modules, as in ``e_machine``
    :param vermagic: the kernel's version magic, with its trailing space
    :param struct_module_size: sizeof(struct module), in bytes; None where no module tells it
    :param exports: the symbols that the kernel image exports, by name
    :param config: the build configuration: option without ``CONFIG_`` to value (``y``, ``"text"``); unset ones missing
    :param certificates: the certificates that are part of the kernel image, DER; None where the image could not be read
    :param visible_builtins: the names of the built-ins that have a directory in /sys/module, as far as files tell
    :param is_64bit: its modules are ELFCLASS64
    :param little_endian: its modules are ELFDATA2LSB
    :param module_exports: what each module of the tree exports, by the module's name; those that export nothing missing
    :param dependencies: the modules that each module of the tree needs, by name, less those that the others bring
        along, in the order of modules.dep: the last one is to be loaded first; those that need none are missing
    :param builtins: the names of the modules that are part of the kernel image
    :param builtin_parameters: for each directory of /sys/module that a built-in has, the parameters that show in it
    :param revoked_certificates: the certificates in the kernel image that are never to be trusted, DER
    :param command_line: the kernel command line that it runs with, or is to be booted with; empty where none was found
    :param version: as in /proc/version; empty where the kernel image does not tell
    :param sources: for each fact above, in words, where it was found
    """

    release: str
    machine: int
    vermagic: str
    struct_module_size: int | None
    exports: Mapping[str, Export]
    config: Mapping[str, str] = field(default_factory=dict)
    certificates: tuple[bytes, ...] | None = None
    visible_builtins: frozenset[str] = frozenset()
    is_64bit: bool = True
    little_endian: bool = True
    module_exports: Mapping[str, tuple[Export, ...]] = field(default_factory=dict)
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    builtins: frozenset[str] = frozenset()
    builtin_parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    revoked_certificates: tuple[bytes, ...] = ()
    command_line: str = ""
    version: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)

    def has(self, option: str) -> bool:
        """Tell whether an option of the configuration is ``y``."""
        return self.config.get(option) == "y"

    def exporters_of(self, symbols: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Name the modules of the tree that export each of some symbols; those that none exports are missing."""
        from lkm.system.module_exports import ModuleExports, exporters  # noqa: PLC0415  about missing symbols only

        known = self.module_exports
        return known.exporters_of(symbols) if isinstance(known, ModuleExports) else exporters(known, symbols)

    @property
    def traits(self) -> KernelTraits:
        """How this version handles modules."""
        return traits_of(self.release, self.version)
