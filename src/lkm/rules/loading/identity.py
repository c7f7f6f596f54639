"""Whether this is a module for this kernel, and not one that it already has."""

import errno

from lkm.formats.vermagic import same_magic
from lkm.rules.loading.attempt import IGNORE_MODVERSIONS, IGNORE_VERMAGIC, Attempt, Refusal
from lkm.rules.loading.symbols import version_agrees

__all__ = ["check_blacklist", "check_builtin_name", "check_duplicate", "check_struct_version", "check_vermagic"]


def check_blacklist(attempt: Attempt) -> Refusal | None:
    """``blacklisted``: the kernel command line's ``module_blacklist=`` names the module exactly as .modinfo does."""
    listed = {name for value in attempt.cmdline.values("module_blacklist") for name in (value or "").split(",")}
    if attempt.info_name in listed:
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
    magic = attempt.image.modinfo.first("vermagic")
    if magic is None or attempt.has_flag(IGNORE_VERMAGIC):
        return attempt.force("bad vermagic")
    has_crcs = (
        attempt.profile.has("MODVERSIONS")
        and attempt.image.elf.section("__versions") is not None
        and not attempt.has_flag(IGNORE_MODVERSIONS)
    )
    kernel = attempt.profile.vermagic
    if same_magic(magic, kernel, has_crcs=has_crcs):
        return None
    attempt.say(f"{attempt.info_name}: version magic '{magic}' should be '{kernel}'")
    return Refusal(errno.ENOEXEC)


def check_duplicate(attempt: Attempt) -> Refusal | None:
    """``add_unformed_module``: the name in struct module is taken."""
    return Refusal(errno.EEXIST) if attempt.state.module(attempt.name) else None


def check_builtin_name(attempt: Attempt) -> Refusal | None:
    """``mod_sysfs_init``: a built-in of the same name that shows in /sys/module.

    Which built-ins show there no file tells for sure: those with visible parameters or a version. A built-in's
    .modinfo says ``parm`` for the former.
    """
    if attempt.name in attempt.profile.builtins:
        attempt.say(f"{attempt.name}: module is already loaded")
        return Refusal(errno.EINVAL)
    return None
