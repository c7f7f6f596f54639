"""The stages that come first: privilege, the file, the signature (kernel/module/main.c, signing.c)."""

import errno

from lkm.rules.loading.attempt import COMPRESSED_FILE, IGNORE_MODVERSIONS, IGNORE_VERMAGIC, Attempt, Refusal
from lkm.rules.signatures.check import WAIVED_ATTRIBUTES
from lkm.rules.signatures.policy import Lockdown, SignatureState

__all__ = ["check_file", "check_flags", "check_permission", "check_signature", "signature_seen"]

_DIGEST_OPTIONS = {
    "md5": "CRYPTO_MD5",
    "sha1": "CRYPTO_SHA1",
    "sha224": "CRYPTO_SHA256",
    "sha256": "CRYPTO_SHA256",
    "sha384": "CRYPTO_SHA512",
    "sha512": "CRYPTO_SHA512",
    "sha3-256": "CRYPTO_SHA3",
    "sha3-384": "CRYPTO_SHA3",
    "sha3-512": "CRYPTO_SHA3",
}


def check_permission(attempt: Attempt) -> Refusal | None:
    """``may_init_module``: CAP_SYS_MODULE, and modules not disabled by sysctl or ``nomodule``."""
    if attempt.state.forbids_modules or not attempt.request.privileged:
        return Refusal(errno.EPERM)
    return None


def check_flags(attempt: Attempt) -> Refusal | None:
    """``finit_module``: flags that this kernel does not know are none it could overlook."""
    known = IGNORE_MODVERSIONS | IGNORE_VERMAGIC
    if attempt.traits.reads_compressed_files:
        known |= COMPRESSED_FILE
    return Refusal(errno.EINVAL) if attempt.request.flags & ~known else None


def check_file(attempt: Attempt) -> Refusal | None:
    """``kernel_read_file`` (fs/kernel_read_file.c): a file must have something in it."""
    return None if attempt.request.contents else Refusal(errno.EINVAL)


def signature_seen(attempt: Attempt) -> SignatureState:
    """Give the signature as the kernel counts it: with an ignore flag the module is taken as unsigned."""
    return SignatureState.UNSIGNED if attempt.ignores_signature else attempt.signature.state


def _note_loaded_digest(attempt: Attempt) -> None:
    """Say so where the digest is a module of the kernel's own, which it asks modprobe for (``crypto_alloc_shash``)."""
    digest = attempt.signature.digest
    if attempt.profile.config.get(_DIGEST_OPTIONS.get(digest, "")) == "m":
        attempt.undecidable.append(f"whether the kernel can load the module that computes {digest}")


def _say(attempt: Attempt, line: str) -> None:
    """Print what checking says; a waiver is told once per boot (``pr_warn_once``)."""
    if line == WAIVED_ATTRIBUTES:
        attempt.say_once("waived", line)
    else:
        attempt.say(line)


def check_signature(attempt: Attempt) -> Refusal | None:
    """``module_sig_check``: most failures are fatal everywhere, three only where signatures are enforced."""
    if not attempt.profile.has("MODULE_SIG"):
        return None
    signature = signature_seen(attempt)
    if not attempt.ignores_signature:
        _note_loaded_digest(attempt)
        for line in attempt.signature.log:
            _say(attempt, line)
    if signature is SignatureState.TRUSTED:
        return None
    if signature is SignatureState.UNKNOWN_KEY and attempt.profile.certificates is None:
        attempt.undecidable.append("which keys the kernel trusts: its image could not be read")
    if not signature.is_soft:
        return Refusal(signature.value)
    if attempt.state.enforces_signatures(attempt.profile):
        attempt.say(f"Loading of {signature.reason} is rejected")
        return Refusal(errno.EKEYREJECTED)
    if attempt.lockdown is not Lockdown.NONE:
        attempt.say_locked_down("unsigned module loading")
        return Refusal(errno.EPERM)
    return None
