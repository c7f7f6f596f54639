"""What a kernel image shows of its own configuration: texts that are only there with an option.

Each is a message of the module loader (kernel/module/*.c and kernel/module.c, security/lockdown, 5.10 to 7.2). In
Debian's 5.10, 6.1, 6.12 and 7.2 they and the options go together without exception.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmap import mmap

__all__ = ["options_of"]

_TRACES = (
    (b"module verification failed", ("MODULE_SIG",)),
    (b"see man kernel_lockdown.7", ("SECURITY_LOCKDOWN_LSM",)),
    (b"%s: %s: kernel tainted.", ("MODULE_FORCE_LOAD",)),
    (b"disagrees about version of symbol", ("MODVERSIONS",)),
    (b"tainting kernel with TAINT_LIVEPATCH", ("LIVEPATCH",)),
    (b"not compiled with retpoline", ("RETPOLINE", "MITIGATION_RETPOLINE")),  # the name before 6.9, and from then on
    (b"has invalid WRITE|EXEC flags", ("STRICT_MODULE_RWX",)),
    (b"not a gzip compressed module", ("MODULE_DECOMPRESS", "MODULE_COMPRESS_GZIP")),
    (b"not an xz compressed module", ("MODULE_DECOMPRESS", "MODULE_COMPRESS_XZ")),
    (b"not a zstd compressed module", ("MODULE_DECOMPRESS", "MODULE_COMPRESS_ZSTD")),
)


def options_of(image: "bytes | bytearray | mmap") -> tuple[str, ...]:
    """Name the options, without ``CONFIG_``, that an image was built with; there are more that leave no trace.

    :param image: unpacked, in ELF or flat
    """
    return tuple(option for text, options in _TRACES if image.find(text) >= 0 for option in options)
