"""A profile as a list of facts for people and programs, each with where it came from."""

from dataclasses import dataclass

from lkm.formats.elf.constants import Machine
from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.signatures.policy import Lockdown, enforced, lockdown_of
from lkm.system.kernel_profile import KernelProfile

__all__ = ["Fact", "facts_of"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact.

    :param name: what it is about, as in ``vermagic``
    :param value: for programs: what JSON can hold
    :param text: for people
    :param source: a file, or in words how it was guessed or why it is unknown
    """

    name: str
    value: object
    text: str
    source: str


def facts_of(profile: KernelProfile) -> tuple[Fact, ...]:
    """List what is known, as far as one line each can say it."""
    size = profile.struct_module_size
    parameters = sum(map(len, profile.builtin_parameters.values()))
    facts = (
        ("release", profile.release, profile.release),
        ("version", profile.version, _build(profile.version)),
        ("machine", profile.machine, _machine(profile)),
        ("vermagic", profile.vermagic, profile.vermagic),
        ("struct_module_size", size, f"{size} bytes" if size is not None else ""),
        ("config", len(profile.config), f"{len(profile.config)} options"),
        ("exports", len(profile.exports), _exports(profile)),
        ("module_exports", len(profile.module_exports), f"{len(profile.module_exports)} modules export symbols"),
        ("dependencies", len(profile.dependencies), f"{len(profile.dependencies)} modules need others"),
        ("builtins", len(profile.builtins), f"{len(profile.builtins)} modules"),
        ("visible_builtins", len(profile.visible_builtins), f"{len(profile.visible_builtins)} in /sys/module"),
        ("builtin_parameters", parameters, f"{parameters} in /sys/module"),
        ("command_line", profile.command_line, profile.command_line),
    )
    plain = [Fact(name, value, text or "-", profile.sources.get(name, "unknown")) for name, value, text in facts]
    return (*plain, *_certificates(profile), *_policies(profile))


def _build(version: str) -> str:
    """Give number, options and date of the build: what stands before, on compilers above all, is long."""
    _, mark, build = version.rpartition(" #")
    return f"#{build}" if mark else version


def _machine(profile: KernelProfile) -> str:
    try:
        name = Machine(profile.machine).name.lower()
    except ValueError:
        name = f"ELF machine {profile.machine}"
    order = "little-endian" if profile.little_endian else "big-endian"
    return f"{name}, {64 if profile.is_64bit else 32} bits, {order}"


def _exports(profile: KernelProfile) -> str:
    exports = profile.exports.values()
    gpl_only = sum(export.gpl_only for export in exports)
    versions = "with CRCs" if any(export.crc is not None for export in exports) else "without CRCs"
    return f"{len(exports)} symbols, {gpl_only} of them GPL-only, {versions}"


def _certificates(profile: KernelProfile) -> tuple[Fact, ...]:
    source = profile.sources.get("certificates", "unknown")
    if profile.certificates is None:
        return (Fact("certificates", None, "-", source),)
    trusted = [_subject(der) for der in profile.certificates]
    found = [Fact("certificates", trusted, "; ".join(trusted) or "none", source)]
    revoked = [_subject(der) for der in profile.revoked_certificates]
    if revoked:
        found.append(Fact("revoked_certificates", revoked, "; ".join(revoked), source))
    return tuple(found)


def _subject(der: bytes) -> str:
    """Name whose key a certificate holds; one that can't be read is named by its size."""
    from lkm.formats.certificate import describe  # noqa: PLC0415  a profile is rarely shown, and this import is dear

    facts = describe(der)
    return f"{len(der)} bytes that are no certificate" if facts is None else facts.subject


def _policies(profile: KernelProfile) -> tuple[Fact, ...]:
    """Tell what the configuration and the command line make of signatures and lockdown."""
    cmdline = Cmdline(profile.command_line)
    source = profile.sources.get("config", "unknown")
    if profile.command_line:
        source += f", {profile.sources.get('command_line', 'unknown')}"
    is_enforced, mode = enforced(cmdline, profile), lockdown_of(cmdline, profile)
    signatures = "only signed modules load" if is_enforced else "unsigned modules load, too"
    if not profile.has("MODULE_SIG"):
        signatures = "not checked at all"
    lockdown = mode.value if mode is not Lockdown.NONE or profile.has("SECURITY_LOCKDOWN_LSM") else "not supported"
    if mode is Lockdown.NONE and profile.has("LOCK_DOWN_IN_EFI_SECURE_BOOT"):
        lockdown = "none, but integrity under Secure Boot"
    return (
        Fact("sig_enforce", is_enforced, signatures, source),
        Fact("lockdown", mode.value, lockdown, source),
    )
