"""Where versions of the kernel differ in how they handle modules; the rules ask for a trait, never for a version.

Each trait names its evidence. Sources at hand were 5.10.223, 6.1.192, 6.12.107 and 7.2.13, all with Debian's patches:
"between" two of them means that the first version is not known, and that the one below is a guess.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

__all__ = ["ElfValidation", "KernelTraits", "traits_of"]

_DEBIANS = re.compile(  # 6.1.0-56-amd64, 6.12.107+deb13-cloud-amd64
    r"[0-9.]+(-[0-9]+|\+deb[0-9]+)-((cloud|rt)-)?"
    r"(amd64|arm64|arm64-16k|686|686-pae|armmp|armmp-lpae|powerpc64le|riscv64|s390x)(-unsigned)?"
)


class ElfValidation(Enum):
    """Which of its functions a kernel checks an ELF file with, and what it says.

    TERSE: ``elf_validity_check`` with one line for nearly all faults (kernel/module.c, 5.10)
    TALKATIVE: the same with a line for each fault (kernel/module/main.c, 6.1; from 5.17)
    JOINT: ``elf_validity_cache_copy``, which also finds the sections that must be there (6.12; from 6.4)
    STEPWISE: the same cut into functions, with checks of both string tables (7.2; from 6.13)
    """

    TERSE = "terse"
    TALKATIVE = "talkative"
    JOINT = "joint"
    STEPWISE = "stepwise"

    @property
    def finds_sections_by_name(self) -> bool:
        """Whether .modinfo and struct module are found by name alone, and not only where they take up memory."""
        return self in {ElfValidation.JOINT, ElfValidation.STEPWISE}


@dataclass(frozen=True, slots=True)
class KernelTraits:
    """What one kernel does; each field names a difference and the evidence for it.

    :param reads_compressed_files: finit_module knows MODULE_INIT_COMPRESSED_FILE (kernel/module/decompress.c, from
        5.17)
    :param passes_unpacked_files_to_ima: what a compressed file held is shown to the security modules once more, and IMA
        refuses nothing at all with EACCES (kernel/module/main.c ``init_module_from_file``; between 6.12 and 7.2)
    :param elf_validation: the function that checks the file
    :param taints_before_duplicate_check: a duplicate can leave taints behind. Up to 6.3 ``check_modinfo`` runs in
        ``layout_and_allocate``, before ``add_unformed_module``; from 6.4 ``early_mod_check`` looks first
        (kernel/module/main.c)
    :param repeats_license_taint_line: a P taint that is new is reported twice, the second time as "module license
        taints kernel.". Up to 6.3 the mask is looked at after .modinfo had its say, from 6.4 before
        (kernel/module/main.c ``module_augment_kernel_taints``)
    :param knows_test_taint: ``test`` in .modinfo taints (kernel/module/main.c ``check_modinfo``, kernel/panic.c; from
        6.0)
    :param true_letters: the first letters that ``kstrtobool`` takes for true besides "on" (lib/kstrtox.c: t and f from
        5.19, e and d between 6.12 and 7.2)
    :param false_letters: likewise for false
    :param reads_extended_versions: symbol versions in __version_ext_crcs and __version_ext_names take the place of
        those in __versions (kernel/module/version.c, from 6.14)
    :param oid_edition: which object identifiers, and so which digests and signature algorithms, are known: 0 as in
        5.10; 1 with elliptic curves (6.1, since 5.13 or so); 2 with SHA-3, without MD4 and MD5 (from
        6.7); 3 with ML-DSA (from 7.0) (include/linux/oid_registry.h)
    :param asks_platform_keyring: ``.platform``, which holds the firmware's keys, is asked where no other keyring knows
        a module's key, if CONFIG_INTEGRITY_PLATFORM_KEYRING is set: upstream never does; Debian's kernels do by a patch
        (kernel/module_signing.c, kernel/module/signing.c ``mod_verify_sig``; in Debian's 5.10, 6.1, 6.12 and 7.2)
    :param looks_for_revoked_modules: the SHA-256 of a whole module may be on ``.blacklist``, by a patch of Debian's
        (the same, ``mod_is_hash_blacklisted``; in its 5.10, 6.1 and 6.12, not in 7.2)
    :param revokes_for_all_keyrings: a revoked key is so whichever keyring knows it; before, only for ``.platform``
        (certs/system_keyring.c ``verify_pkcs7_message_sig``; between 6.1 and 6.12)
    :param knows_module_namespaces: a namespace ``module:a,b*`` is open to the modules it names, and can't be imported
        (kernel/module/main.c ``verify_module_namespace``, ``setup_modinfo``; from 6.16)
    :param separates_memory: text, data and constants of a module are apart in memory (kernel/module/main.c
        ``move_module``, from 6.4)
    :param keeps_export_flags: one table of exports with flags beside it; ``__ksymtab_gpl`` is ignored
        (kernel/module/main.c ``find_module_sections``, from 7.1)
    :param checks_symbol_sections: a symbol of a section that is not there ends the load (kernel/module/main.c
        ``simplify_symbols``; in 6.1, not in 5.10)
    :param names_inherited_symbol: the lines of ``inherit_taint`` name the symbol (in 6.1, not in 5.10)
    :param relocates_percpu: relocations of .data..percpu are applied, and so can be refused (kernel/module/main.c
        ``apply_relocations``; between 6.12 and 7.2)
    :param skips_used_targets: the line on a relocation's target that holds something says "Skipping"
        (arch/x86/kernel/module.c, up to 6.2)
    :param places_relocation_faults: lines on relocations name section and index (arch/x86/kernel/module.c, from 6.19)
    :param refuses_twin_sections: two sections in memory of one name don't fit in sysfs, and that ends the load
        (kernel/module/sysfs.c ``add_sect_attrs``; between 6.12 and 7.2, before it only complains)
    :param longest_line: the most bytes of a log line, without the two of its level (kernel/printk/printk.c
        ``vprintk_store``: LOG_LINE_MAX in 5.10 and 6.1, PRINTKRB_RECORD_MAX in 6.12 and 7.2)
    :param cuts_long_names: delete_module cuts names that are too long; later it finds nothing (kernel/module.c
        ``delete_module``; in 5.10, not in 6.1)
    :param needs_plt_option: arm64 modules have PLT sections only with CONFIG_ARM64_MODULE_PLTS, and log lines of its
        loader have no prefix (arch/arm64/kernel/module.c, up to 6.4)
    :param trusts_all_owner_keys: each machine owner key is for .machine, whether or not shim says so. Debian's own
        6.1 and 6.12 (security/integrity/platform_certs/machine_keyring.c ``trust_moklist``); others ask for shim's
        MokListTrustedRT, Debian's 7.2 too
    :param checks_efi_attributes: db and dbx count only if writes to them are authenticated, MokListRT and MokListXRT
        only if no running system could have written them (platform_certs/load_uefi.c ``get_cert_list``; Debian's 5.10,
        not 6.1)
    :param asks_ima_for_secure_boot: without CONFIG_IMA_SECURE_AND_OR_TRUSTED_BOOT no machine owner key is taken
        (platform_certs/load_uefi.c ``load_uefi_certs``; in 6.1 and 6.12, not in Debian's 5.10, nor in 7.2)
    :param hashes_tbs_by_own_digest: the hash of a certificate that dbx may list is made as its issuer's signature makes
        it, so that SHA-256 never meets a certificate signed with SHA-512 (crypto/asymmetric_keys/x509_public_key.c
        ``x509_get_sig_params``; in 6.12, not in 7.2, which always takes SHA-256)
    :param has_init_trampoline: arm64 modules need .init.text.ftrace_trampoline too (``module_init_ftrace_plt``; in
        6.12, not in 5.10)
    """

    reads_compressed_files: bool
    passes_unpacked_files_to_ima: bool
    elf_validation: ElfValidation
    taints_before_duplicate_check: bool
    repeats_license_taint_line: bool
    knows_test_taint: bool
    true_letters: str
    false_letters: str
    reads_extended_versions: bool
    oid_edition: int
    asks_platform_keyring: bool
    looks_for_revoked_modules: bool
    revokes_for_all_keyrings: bool
    knows_module_namespaces: bool
    separates_memory: bool
    keeps_export_flags: bool
    checks_symbol_sections: bool
    names_inherited_symbol: bool
    relocates_percpu: bool
    skips_used_targets: bool
    places_relocation_faults: bool
    refuses_twin_sections: bool
    longest_line: int
    cuts_long_names: bool
    needs_plt_option: bool
    trusts_all_owner_keys: bool
    checks_efi_attributes: bool
    asks_ima_for_secure_boot: bool
    hashes_tbs_by_own_digest: bool
    has_init_trampoline: bool


@lru_cache(maxsize=16)
def traits_of(release: str, build: str = "") -> KernelTraits:
    """Derive the traits from a kernel release such as ``6.1.0-56-amd64``.

    :param build: the kernel's own line, as in /proc/version, which tells who built it; empty where it is not known
    """
    version = _version(release)
    is_debians = _is_debians(release, build)
    return KernelTraits(
        reads_compressed_files=version >= (5, 17),
        passes_unpacked_files_to_ima=version >= (6, 19),
        elf_validation=_elf_validation(version),
        taints_before_duplicate_check=version < (6, 4),
        repeats_license_taint_line=version >= (6, 4),
        knows_test_taint=version >= (6, 0),
        true_letters="y1" + "t" * (version >= (5, 19)) + "e" * (version >= (6, 15)),
        false_letters="n0" + "f" * (version >= (5, 19)) + "d" * (version >= (6, 15)),
        reads_extended_versions=version >= (6, 14),
        oid_edition=sum(version >= first for first in ((5, 13), (6, 7), (7, 0))),
        asks_platform_keyring=is_debians,
        looks_for_revoked_modules=is_debians and version < (7, 0),
        revokes_for_all_keyrings=version >= (6, 6),
        knows_module_namespaces=version >= (6, 16),
        separates_memory=version >= (6, 4),
        keeps_export_flags=version >= (7, 1),
        checks_symbol_sections=version >= (5, 17),
        names_inherited_symbol=version >= (5, 17),
        relocates_percpu=version >= (6, 15),
        skips_used_targets=version < (6, 3),
        places_relocation_faults=version >= (6, 19),
        refuses_twin_sections=version >= (6, 14),
        longest_line=989 if version < (6, 3) else 1021,
        cuts_long_names=version < (5, 17),
        needs_plt_option=version < (6, 5),
        trusts_all_owner_keys=is_debians and (5, 18) <= version < (6, 13),
        checks_efi_attributes=is_debians and version < (5, 11),
        asks_ima_for_secure_boot=version < (7, 0) and not (is_debians and version < (5, 11)),
        hashes_tbs_by_own_digest=version < (7, 0),
        has_init_trampoline=version >= (6, 10),
    )


def _elf_validation(version: tuple[int, int]) -> ElfValidation:
    if version < (5, 17):
        return ElfValidation.TERSE
    if version < (6, 4):
        return ElfValidation.TALKATIVE
    return ElfValidation.JOINT if version < (6, 13) else ElfValidation.STEPWISE


def _is_debians(release: str, build: str) -> bool:
    """Tell whether Debian built the kernel, and so patched it; where only the release is known, by its form."""
    if build:
        return "debian-kernel@lists.debian.org" in build
    return _DEBIANS.fullmatch(release) is not None


def _version(release: str) -> tuple[int, int]:
    numbers = release.split("-", 1)[0].split("+", 1)[0].split(".")
    try:
        return int(numbers[0]), int(numbers[1])
    except (IndexError, ValueError):
        return 6, 1  # a release that says nothing: the oldest kernel in wide use
