"""The signature that is appended to a module: ``content ‖ signature ‖ struct module_signature ‖ marker``.

Before PKCS#7 (kernels 3.7 to 4.2) a signer's name and a key identifier stood before the signature; kmod still shows
them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from lkm.errors import FormatError

if TYPE_CHECKING:
    from mmap import mmap

    _Data = bytes | bytearray | memoryview | mmap

__all__ = [
    "DIGESTS",
    "END_SIZE",
    "MARKER",
    "MOST_STACKED",
    "KeyIdType",
    "ModuleSignature",
    "append",
    "read",
    "read_end",
    "split",
    "split_all",
    "trailer",
]

MARKER = b"~Module signature appended~\n"
"""MODULE_SIG_STRING (``include/linux/module_signature.h``, 6.1)."""

DIGESTS = ("md4", "md5", "sha1", "rmd160", "sha256", "sha384", "sha512", "sha224", "sm3")
"""The names of ``ModuleSignature.hash`` in signatures that are no PKCS#7 (kmod 30, ``libkmod-signature.c``)."""

_SIZE = 12

END_SIZE = _SIZE + len(MARKER)
"""How many bytes at a file's end hold the trailer and the marker."""


MOST_STACKED = 64
"""Signatures one upon the other, as signing a signed file again leaves them; more are no accident."""


class KeyIdType(IntEnum):
    """``enum pkey_id_type`` (``include/linux/module_signature.h``, 6.1)."""

    PGP = 0
    X509 = 1
    PKCS7 = 2


class ModuleSignature(NamedTuple):
    """``struct module_signature`` as it stands in the file, with nothing judged.

    :param offset: where the struct begins in the file, in bytes
    :param algo: the public-key algorithm; 0 with PKCS#7
    :param hash: the digest; 0 with PKCS#7, else an index of :data:`DIGESTS`
    :param id_type: one of :class:`KeyIdType`, or any other byte
    :param signer_len: the length of the signer's name; 0 with PKCS#7
    :param key_id_len: the length of the key identifier; 0 with PKCS#7
    :param padding: the three bytes that should be zero
    :param sig_len: the length of the signature, in bytes
    """

    offset: int
    algo: int
    hash: int
    id_type: int
    signer_len: int
    key_id_len: int
    padding: bytes
    sig_len: int

    @property
    def content_size(self) -> int:
        """How many bytes the signature speaks for; negative when ``sig_len`` lies."""
        return self.offset - self.sig_len

    @property
    def start(self) -> int:
        """Where the signature begins with all that belongs to it: before PKCS#7, a name and a key identifier too."""
        names = 0 if self.id_type == KeyIdType.PKCS7 else self.signer_len + self.key_id_len
        return self.content_size - names

    def signature(self, data: _Data) -> bytes:
        """Cut the signature itself out of the file.

        :param data: the file that this was read from
        :returns: ``sig_len`` bytes: DER with PKCS#7
        :raises FormatError: it would begin before the file
        """
        return self._cut(data, self.offset, self.sig_len, "signature")

    def key_id(self, data: _Data) -> bytes:
        """Cut out the key identifier that stands before the signature; empty with PKCS#7.

        :param data: the file that this was read from
        :returns: ``key_id_len`` bytes
        :raises FormatError: it would begin before the file
        """
        return self._cut(data, self.content_size, self.key_id_len, "key identifier")

    def signer(self, data: _Data) -> bytes:
        """Cut out the signer's name that stands before the key identifier; empty with PKCS#7.

        :param data: the file that this was read from
        :returns: ``signer_len`` bytes
        :raises FormatError: it would begin before the file
        """
        return self._cut(data, self.content_size - self.key_id_len, self.signer_len, "signer's name")

    def _cut(self, data: _Data, end: int, length: int, what: str) -> bytes:
        start = end - length
        if start < 0 or self.offset > len(data):
            raise FormatError(f"the {what} of the module signature would begin before the file", offset=self.offset)
        return bytes(data[start:end])


def read(data: _Data) -> ModuleSignature | None:
    """Read the trailer of a module without judging its lengths.

    :param data: a module's file, not compressed
    :returns: the trailer; None when the file does not end with :data:`MARKER`, or is nothing else
    :raises FormatError: too little stands before the marker: the kernel's EBADMSG
        (``kernel/module/signing.c:mod_verify_sig``, 6.1)
    """
    return read_end(bytes(data[max(0, len(data) - END_SIZE) :]), len(data))


def read_end(end: bytes, size: int) -> ModuleSignature | None:
    """Read the trailer, as :func:`read` does, of a file of which only the end is known.

    :param end: the last :data:`END_SIZE` bytes, or the whole of a shorter file
    :param size: of the file, in bytes
    """
    if size <= len(MARKER) or not end.endswith(MARKER):
        return None
    offset = size - END_SIZE
    if offset <= 0:
        place = size - len(MARKER)
        raise FormatError("the file is too short for the module signature that its end announces", offset=place)
    raw = end[-END_SIZE:]
    return ModuleSignature(
        offset=offset,
        algo=raw[0],
        hash=raw[1],
        id_type=raw[2],
        signer_len=raw[3],
        key_id_len=raw[4],
        padding=raw[5:8],
        sig_len=int.from_bytes(raw[8:_SIZE], "big"),
    )


def split(data: _Data) -> tuple[int, ModuleSignature | None]:
    """Find where the module ends and its signature begins, with the kernel's test of the length.

    :param data: a module's file, not compressed
    :returns: (size of the content in bytes, trailer), or (size of the file, None) for an unsigned module
    :raises FormatError: the trailer is cut off, or ``sig_len`` leaves nothing of the file: the kernel's EBADMSG
        (``kernel/module_signature.c:mod_check_sig``, 6.1)
    """
    signature = read(data)
    if signature is None:
        return len(data), None
    if signature.sig_len >= signature.offset:
        raise FormatError(
            f"the module signature claims {signature.sig_len} bytes where {signature.offset} stand before it",
            offset=signature.offset + 8,
        )
    return signature.content_size, signature


def split_all(data: _Data) -> tuple[int, tuple[ModuleSignature, ...]]:
    """Find where the module itself ends, whatever number of signatures stand behind it one upon the other.

    The kernel looks at the outermost only, and takes those below it for a part of the content.

    :param data: a module's file, not compressed
    :returns: (size of the module in bytes, the trailers, the outermost first)
    :raises FormatError: as :func:`split`, of any of them; or there are more than :data:`MOST_STACKED`
    """
    rest = memoryview(data)
    found: list[ModuleSignature] = []
    while True:
        _, signature = split(rest)
        if signature is None:
            return len(rest), tuple(found)
        if signature.start <= 0:
            raise FormatError("the module signature leaves nothing of the file", offset=signature.offset)
        found.append(signature)
        if len(found) > MOST_STACKED:
            raise FormatError(f"more than {MOST_STACKED} module signatures one upon the other", offset=signature.offset)
        rest = rest[: signature.start]


def append(content: bytes, signature: bytes) -> bytes:
    """Append a PKCS#7 signature as ``scripts/sign-file.c`` (6.1) does.

    :param content: the unsigned module
    :param signature: SignedData in DER
    :returns: the signed module
    :raises FormatError: the signature's length does not fit in 32 bits
    """
    return content + trailer(signature)


def trailer(signature: bytes) -> bytes:
    """Give all that :func:`append` puts behind the content.

    :param signature: SignedData in DER
    :raises FormatError: as :func:`append`
    """
    if len(signature) > 0xFFFFFFFF:
        raise FormatError("a signature of 4 GiB or more")
    head = bytes((0, 0, KeyIdType.PKCS7, 0, 0, 0, 0, 0)) + len(signature).to_bytes(4, "big")
    return signature + head + MARKER
