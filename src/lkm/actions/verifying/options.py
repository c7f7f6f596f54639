"""How signatures of modules are to be verified."""

from dataclasses import dataclass

__all__ = ["VerifyOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """How to verify.

    :param profile_file: a saved profile of the kernel, of the host
    :param kernel_image: a vmlinuz or vmlinux to take the facts from, of the host
    :param use_cache: keep the profile for the next time, or take the kept one
    :param certificates: hold the signatures against these alone, whatever a kernel has: (DER, the file it is from)
    :param detached: a file of the host with the signature of the only subject
    :param tree: all modules of the session's tree (empty), or below this directory; None for the subjects
    """

    profile_file: str | None = None
    kernel_image: str | None = None
    use_cache: bool = True
    certificates: tuple[tuple[bytes, str], ...] = ()
    detached: str | None = None
    tree: str | None = None
