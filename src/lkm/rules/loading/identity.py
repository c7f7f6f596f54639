"""Whether this is a module for this kernel, and not one that it already has."""

import errno

from lkm.formats.vermagic import same_magic
from lkm.rules.kernel_blacklist import kernel_blacklist
from lkm.rules.loading.attempt import IGNORE_VERMAGIC, Attempt, Refusal
from lkm.rules.loading.versions import version_agrees

__all__ = ["check_blacklist", "check_builtin_name", "check_duplicate", "check_struct_version", "check_vermagic"]


def check_blacklist(attempt: Attempt) -> Refusal | None:
    """``blacklisted``: the kernel command line's ``module_blacklist=`` names the module exactly as .modinfo does."""
    if attempt.info_name in kernel_blacklist(attempt.cmdline):
        attempt.say(f"Module {attempt.info_name} is blacklisted")
        return Refusal(errno.EPERM)
    return None


def check_struct_version(attempt: Attempt) -> Refusal | None:
    """``check_modstruct_version``: the CRC of ``module_layout`` stands for the layout of struct module."""
    if not attempt.profile.has("MODVERSIONS"):
        return None
    layout = attempt.profile.exports.get("module_layout")
    if layout is None or version_agrees(attempt, "module_layout", layout.crc):
        return None
    return Refusal(errno.ENOEXEC)


def check_vermagic(attempt: Attempt) -> Refusal | None:
    """``check_modinfo``: the version magic, without the release where symbol versions say more."""
    magic = attempt.modinfo.first("vermagic")
    if magic is None or attempt.has_flag(IGNORE_VERMAGIC):
        if magic != attempt.profile.vermagic:
            attempt.undecidable.append("whether struct module has the layout of this kernel's")
        return attempt.force("bad vermagic")
    has_crcs = attempt.profile.has("MODVERSIONS") and attempt.versions is not None
    kernel = attempt.profile.vermagic
    if same_magic(magic, kernel, has_crcs=has_crcs):
        return None
    attempt.say(f"{attempt.info_name}: version magic '{magic}' should be '{kernel}'")
    return Refusal(errno.ENOEXEC)


def check_duplicate(attempt: Attempt) -> Refusal | None:
    """``add_unformed_module``: the name in struct module is taken."""
    return Refusal(errno.EEXIST) if attempt.state.module(attempt.name) else None


def check_builtin_name(attempt: Attempt) -> Refusal | None:
    """``mod_sysfs_init``: the module gets its directory in /sys/module, unless a built-in has one of this name."""
    if not attempt.name:
        return Refusal(errno.EINVAL)  # lib/kobject.c kobject_add_internal
    if attempt.name in attempt.profile.visible_builtins:
        attempt.say(f"{attempt.name}: module is already loaded")
        return Refusal(errno.EINVAL)
    return None
