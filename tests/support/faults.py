"""Modules with the faults that people meet, as recipes with what is around them."""

import lzma
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.support.loader import PROFILE, VERMAGIC, configured, export, needs, recipe
from tests.support.signing import Signer

from lkm.formats.elf.constants import Machine, SectionFlag, SectionType
from lkm.formats.elf.reader import Elf
from lkm.formats.elf.writer import ObjectWriter
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import
from lkm.rules.loading.request import Request
from lkm.rules.loading.state import KernelState, ModuleRecord
from lkm.rules.signatures.policy import Lockdown
from lkm.rules.taint import Taint
from lkm.system.kernel_profile import KernelProfile

__all__ = ["FAULTS", "Fault"]

_TRUSTED = Signer("A kernel's build")
_STRANGER = Signer("Somebody else")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    :param cause: the id of the true cause
    :param names: what its sentence must name
    :param module: what makes the file
    :param file: the file's name
    :param signed: sign it with the kernel's own key, so that the signature is not the fault
    """

    title: str
    cause: str
    names: tuple[str, ...]
    module: Callable[[], ModuleRecipe | bytes]
    file: str = "mod.ko"
    parameters: str = ""
    profile: KernelProfile = PROFILE
    state: KernelState = field(default_factory=KernelState)
    privileged: bool = True
    signed: bool = True

    def kernel(self) -> KernelProfile:
        """Give the kernel, which trusts one key."""
        return replace(self.profile, certificates=(_TRUSTED.der,))

    def request(self) -> Request:
        """Give what is asked of it."""
        made = self.module()
        contents = made if isinstance(made, bytes) else write(made)
        if self.signed and not isinstance(made, bytes):
            contents = _TRUSTED.signed(contents)
        return Request(contents, self.parameters, privileged=self.privileged)


def _tampered() -> bytes:
    return _TRUSTED.signed(write(recipe())).replace(b"license=GPL", b"license=GPl")


def _stripped() -> bytes:
    data = bytearray(write(recipe()))
    table = int.from_bytes(data[40:48], "little")
    symbols = next(section for section in Elf(bytes(data)).sections if section.type == SectionType.SYMTAB)
    data[table + 64 * symbols.index + 4] = SectionType.PROGBITS
    return _TRUSTED.signed(bytes(data))


def _object_file() -> bytes:
    writer = ObjectWriter(machine=Machine.X86_64)
    writer.add_section(".text", SectionType.PROGBITS, SectionFlag.ALLOC | SectionFlag.EXECINSTR, b"\xc3")
    writer.add_section(".modinfo", SectionType.PROGBITS, SectionFlag.ALLOC, b"license=GPL\0")
    writer.add_symbol("init_module", value=0, section=1)
    return writer.to_bytes()


def _unknown_relocation() -> bytes:
    data = bytearray(write(recipe()))
    at = next(section for section in Elf(bytes(data)).sections if section.type == SectionType.RELA).offset + 8
    data[at : at + 4] = (42).to_bytes(4, "little")
    return _TRUSTED.signed(bytes(data))


def _with_parameter() -> ModuleRecipe:
    return replace(recipe(imports=needs("param_ops_int")), parameters=(Parameter("debug", "int"),))


_ENFORCES = KernelState(command_line="quiet module.sig_enforce=1")
_KNOWS_INT = replace(PROFILE, exports={**PROFILE.exports, "param_ops_int": export("param_ops_int")})
_HAS_OWNER = replace(PROFILE, module_exports={"helper": (export("helper_do"),)})
_CLOSED = ModuleRecord("closed", exports=(export("closed_do"),), taints=int(Taint.PROPRIETARY_MODULE))

FAULTS: tuple[Fault, ...] = (
    Fault(
        "built for another release",
        "vermagic",
        ("5.10.0-9-amd64", "6.1.0-test"),
        lambda: recipe(vermagic="5.10.0-9-amd64 SMP mod_unload modversions "),
        profile=configured(MODVERSIONS=False),
    ),
    Fault("unsigned under enforcement", "unsigned-enforced", ("no signature",), recipe, state=_ENFORCES, signed=False),
    Fault(
        "signed by an unknown key under enforcement",
        "unavailable-key",
        ("does not trust", "module.sig_enforce"),
        lambda: _STRANGER.signed(write(recipe())),
        state=_ENFORCES,
    ),
    Fault("changed after signing", "bad-signature", ("changed after it was signed",), _tampered),
    Fault("stripped of its symbols", "stripped", ("strip",), _stripped),
    Fault(
        "strip took the signature away",
        "unsigned-enforced",
        ("strip",),
        recipe,
        state=KernelState(),
        profile=configured(MODULE_SIG_FORCE=True),
        signed=False,
    ),
    Fault(
        "its dependency is not loaded",
        "unknown-symbol",
        ("helper_do", "the module helper exports"),
        lambda: recipe(imports=needs("helper_do")),
        profile=_HAS_OWNER,
    ),
    Fault(
        "a symbol that no kernel module here has",
        "unknown-symbol",
        ("removed_in_6", "neither"),
        lambda: recipe(imports=needs("removed_in_6")),
        profile=_HAS_OWNER,
    ),
    Fault(
        "a GPL-only symbol in a proprietary module",
        "proprietary",
        ("gpl_symbol", "GPL"),
        lambda: recipe(licence="Proprietary", imports=needs("gpl_symbol")),
    ),
    Fault(
        "GPL-only symbols and a proprietary module's",
        "mixed-licences",
        ("closed_do", "closed"),
        lambda: recipe(imports=needs("gpl_symbol", "closed_do")),
        state=KernelState(modules=(_CLOSED,)),
    ),
    Fault("another CRC", "symbol-version", ("_printk",), lambda: recipe(imports=needs("_printk", crc=1))),
    Fault(
        "built without the exporter's Module.symvers",
        "symbol-version-missing",
        ("_printk", "Module.symvers"),
        lambda: recipe(imports=(Import("_printk", weak=False, crc=None),)),
    ),
    Fault("a namespace not imported", "namespace", ("SPACE", "spaced"), lambda: recipe(imports=needs("spaced"))),
    Fault(
        "a wrong value",
        "bad-parameter",
        ("debug", "'yes'"),
        _with_parameter,
        parameters="debug=yes",
        profile=_KNOWS_INT,
    ),
    Fault(
        "a value out of range",
        "parameter-out-of-range",
        ("debug", "range"),
        _with_parameter,
        parameters="debug=4294967296",
        profile=_KNOWS_INT,
    ),
    Fault(
        "no value",
        "parameter-without-value",
        ("debug=VALUE",),
        _with_parameter,
        parameters="debug",
        profile=_KNOWS_INT,
    ),
    Fault(
        "the double of a built-in",
        "built-in-name",
        ("mod", "built in"),
        recipe,
        profile=replace(PROFILE, visible_builtins=frozenset({"mod"})),
    ),
    Fault("loaded already", "already-loaded", ("mod",), recipe, state=KernelState(modules=(ModuleRecord("mod"),))),
    Fault(
        "blacklisted on the command line",
        "kernel-blacklist",
        ("mod", "module_blacklist="),
        recipe,
        state=KernelState(command_line="module_blacklist=other,mod"),
    ),
    Fault(
        "lockdown", "lockdown", ("Secure Boot",), recipe, state=KernelState(lockdown=Lockdown.INTEGRITY), signed=False
    ),
    Fault(
        "another processor",
        "architecture",
        ("processor", "arm64"),
        lambda: replace(recipe(), machine=Machine.AARCH64),
    ),
    Fault("a download that broke off", "truncated", ("cut short",), lambda: write(recipe())[:1800]),
    Fault(
        "a compressed file as it is",
        "compressed",
        ("mod.ko.xz",),
        lambda: lzma.compress(write(recipe()), check=lzma.CHECK_CRC32),
        file="mod.ko.xz",
    ),
    Fault("a web page", "not-elf", ("web page",), lambda: b"<!DOCTYPE html><title>404</title>" * 9),
    Fault("an empty file", "empty-file", ("empty",), lambda: b""),
    Fault("an object file that modpost has not seen", "not-linked", ("modpost",), _object_file, file="mod.o"),
    Fault(
        "built with another configuration",
        "struct-module-version",
        ("configuration",),
        lambda: replace(recipe(), layout_crc=1),
    ),
    Fault(
        "another size of struct module",
        "struct-module-size",
        ("configuration",),
        lambda: replace(recipe(), struct_module_size=0x500),
        profile=replace(PROFILE, release="7.2.0-test"),
    ),
    Fault(
        "other flags in the version magic",
        "vermagic-flags",
        ("preempt_rt", "configuration"),
        lambda: recipe(vermagic=VERMAGIC.replace("preempt", "preempt_rt")),
    ),
    Fault(
        "modules disabled by the sysctl",
        "modules-disabled",
        ("kernel.modules_disabled",),
        recipe,
        state=KernelState(modules_disabled=True),
    ),
    Fault("no privilege", "permission", ("root",), recipe, privileged=False),
    Fault(
        "two modules that export the same",
        "duplicate-export",
        ("closed_do", "closed"),
        lambda: recipe(exports=(export("closed_do"),)),
        state=KernelState(modules=(_CLOSED,)),
    ),
    Fault(
        "what the kernel exports itself", "kernel-export", ("_printk",), lambda: recipe(exports=(export("_printk"),))
    ),
    Fault(
        "no version magic",
        "vermagic-missing",
        ("vermagic",),
        lambda: recipe(without=("vermagic",)),
        profile=configured(MODULE_FORCE_LOAD=False),
    ),
    Fault("an unknown relocation", "unknown-relocation", ("42",), _unknown_relocation),
)
