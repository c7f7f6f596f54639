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
    :param init_eexist_is_ebusy: an init that returns -EEXIST shows as EBUSY (7.1)
    """

    taints_before_duplicate_check: bool
    checks_struct_module_size: bool
    repeats_license_taint_line: bool
    wide_booleans: bool
    init_eexist_is_ebusy: bool


def traits_of(release: str) -> KernelTraits:
    """Derive the traits from a kernel release such as ``6.1.0-56-amd64``."""
    version = _version(release)
    return KernelTraits(
        taints_before_duplicate_check=version < (6, 4),
        checks_struct_module_size=version >= (6, 4),
        repeats_license_taint_line=version >= (6, 4),
        wide_booleans=version >= (5, 19),
        init_eexist_is_ebusy=version >= (7, 1),
    )


def _version(release: str) -> tuple[int, int]:
    numbers = release.split("-", 1)[0].split("+", 1)[0].split(".")
    try:
        return int(numbers[0]), int(numbers[1])
    except (IndexError, ValueError):
        return 6, 1  # a release that says nothing: the oldest kernel in wide use
