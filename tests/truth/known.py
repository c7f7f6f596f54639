"""Where the rules and the kernels are known to disagree, and why. An entry that starts to agree must go."""

from dataclasses import dataclass

__all__ = ["KNOWN", "Known", "known_on"]


@dataclass(frozen=True)
class Known:
    """A disagreement that stays.

    :param cases: their names
    :param kernels: on these, in whichever environment
    """

    reason: str
    cases: tuple[str, ...]
    kernels: tuple[str, ...]


KNOWN = (
    Known(
        "SHA-384 and SHA-512 are a module of this kernel, and the machine of the suite has no modprobe to load it",
        (
            *("signature/by a stranger, sha512", "message/digest 2", "message/digest 3"),
            *("real/digest said to be sha384", "real/digest said to be sha512"),
        ),
        ("5.10", "6.1"),
    ),
    Known(
        "SHA-3 is a module of this kernel, and the machine of the suite has no modprobe to load it",
        ("message/digest 8", "message/digest 9", "message/digest 10", "real/digest said to be sha3-256"),
        ("7.2",),
    ),
    Known(
        "forced onto another kernel: the module's pointers lie where this kernel keeps something else in struct module",
        ("real/nls_utf8 of 6.12, flags 2", "real/nls_utf8 of 6.12, flags 3"),
        ("7.2",),
    ),
    Known(
        "the same, and nothing offline tells where this kernel keeps what",
        ("real/nls_utf8 of 5.10, flags 3",),
        ("6.1",),
    ),
    Known(
        "the kernel also looks into the module's BTF, which refers to the other kernel's, and only complains",
        ("real/nls_utf8 of 6.12, flags 3",),
        ("6.1",),
    ),
)


def known_on(kernel: str) -> set[str]:
    """Name the cases in which rules and kernel are known to disagree."""
    return {name for known in KNOWN if kernel in known.kernels for name in known.cases}
