"""Where versions of the kernel differ in how they handle modules; the rules ask for a trait, never for a version."""

from dataclasses import dataclass

__all__ = ["KernelTraits", "traits_of"]


@dataclass(frozen=True, slots=True)
class KernelTraits:
    """What one kernel does; each field names a difference and the evidence for it.

    :param taints_before_duplicate_check: a duplicate can leave taints behind. Up to 6.1 ``check_modinfo`` runs in
        ``layout_and_allocate``, before ``add_unformed_module``; from 6.6 ``early_mod_check`` looks first
        (kernel/module/main.c)
    :param checks_struct_module_size: a wrong size of .gnu.linkonce.this_module is refused (from 6.4)
    :param repeats_license_taint_line: a P taint that is new is reported twice, the second time as "module license
        taints kernel." Seen on 6.12 and 7.3; on 6.1 only for driverloader, lve and ndiswrapper
    :param wide_booleans: ``t``, ``f`` count as booleans (``kstrtobool``, lib/kstrtox.c, from 5.19)
    :param reads_extended_versions: symbol versions in __version_ext_crcs and __version_ext_names take the place of
        those in __versions (kernel/module/version.c, from 6.14)
    :param verifies_sha3: signatures with a SHA-3 digest are understood (crypto/asymmetric_keys/pkcs7_parser.c; not in
        6.1, seen on 6.12)
    """

    taints_before_duplicate_check: bool
    checks_struct_module_size: bool
    repeats_license_taint_line: bool
    wide_booleans: bool
    reads_extended_versions: bool
    verifies_sha3: bool


def traits_of(release: str) -> KernelTraits:
    """Derive the traits from a kernel release such as ``6.1.0-56-amd64``."""
    version = _version(release)
    return KernelTraits(
        taints_before_duplicate_check=version < (6, 4),
        checks_struct_module_size=version >= (6, 4),
        repeats_license_taint_line=version >= (6, 4),
        wide_booleans=version >= (5, 19),
        reads_extended_versions=version >= (6, 14),
        verifies_sha3=version >= (6, 7),
    )


def _version(release: str) -> tuple[int, int]:
    numbers = release.split("-", 1)[0].split("+", 1)[0].split(".")
    try:
        return int(numbers[0]), int(numbers[1])
    except (IndexError, ValueError):
        return 6, 1  # a release that says nothing: the oldest kernel in wide use
