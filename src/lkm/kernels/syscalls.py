"""The three system calls for modules; the C library has no functions for them."""

import contextlib
import ctypes
import os
from collections.abc import Iterator

from lkm.errors import ModuleSupportMissing

__all__ = ["delete_module", "finit_module", "init_module", "memory_file"]

# (init_module, delete_module, finit_module), from each architecture's syscall table in the kernel's source
_GENERIC = (105, 106, 273)  # include/uapi/asm-generic/unistd.h
_NUMBERS = {
    "x86_64": (175, 176, 313),
    "i386": (128, 129, 350),
    "i686": (128, 129, 350),
    "armv6l": (128, 129, 379),
    "armv7l": (128, 129, 379),
    "armv8l": (128, 129, 379),  # 32-bit programs on arm64
    "ppc64": (128, 129, 353),
    "ppc64le": (128, 129, 353),
    "s390x": (128, 129, 344),
    "aarch64": _GENERIC,
    "riscv64": _GENERIC,
    "loongarch64": _GENERIC,
}
_X86_64_IN_32_BITS = 4


def _numbers() -> tuple[int, int, int]:
    machine = os.uname().machine
    if machine == "x86_64" and ctypes.sizeof(ctypes.c_void_p) == _X86_64_IN_32_BITS:
        machine = "i386"
    if machine not in _NUMBERS:
        raise ModuleSupportMissing(f"the system calls for modules on {machine} are not known")
    return _NUMBERS[machine]


def _call(number: int, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(number), *arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def init_module(contents: bytes, parameters: bytes) -> None:
    """Load a module from memory.

    :raises OSError: the kernel's errno
    """
    _call(_numbers()[0], contents, ctypes.c_ulong(len(contents)), parameters)


def finit_module(fd: int, parameters: bytes, flags: int) -> None:
    """Load a module from an open file.

    :raises OSError: the kernel's errno
    """
    _call(_numbers()[2], ctypes.c_int(fd), parameters, ctypes.c_int(flags))


def delete_module(name: str, flags: int) -> None:
    """Remove a module.

    :raises OSError: the kernel's errno
    """
    _call(_numbers()[1], name.encode("utf-8", "surrogateescape"), ctypes.c_uint(flags))


@contextlib.contextmanager
def memory_file(contents: bytes) -> Iterator[int]:
    """Give a descriptor of a file in memory, open for reading alone: the kernel refuses one open for writing."""
    writer = os.memfd_create("lkm")
    try:
        with os.fdopen(os.dup(writer), "wb") as file:
            file.write(contents)
        reader = os.open(f"/proc/self/fd/{writer}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(writer)
    try:
        yield reader
    finally:
        os.close(reader)
