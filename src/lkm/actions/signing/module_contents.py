"""A module file taken apart: how it is packed, the module itself, and the signatures behind it."""

import os
import stat
from typing import NamedTuple

from lkm.errors import ElfError, FormatError, Unreadable
from lkm.formats.cms import SignerInfo
from lkm.formats.compression import Compression, decompress, detect
from lkm.formats.elf.constants import MAGIC, ElfType
from lkm.formats.elf.extent import extent
from lkm.formats.elf.reader import Elf
from lkm.formats.module_signature import MARKER, KeyIdType, ModuleSignature, split_all
from lkm.system.located import located
from lkm.system.replacing import FileState, open_file

__all__ = ["ModuleContents", "read_module", "signer_of"]

_LARGEST = 512 << 20
_DAMAGED = "the file is damaged: build or install it again"
_OTHER = "modules are relocatable ELF files, and their names end in .ko, .ko.gz, .ko.xz or .ko.zst"
_UNKNOWN = "somebody unknown"


class ModuleContents(NamedTuple):
    """What a module file holds.

    :param state: of the file
    :param raw: its bytes
    :param compression: how it is packed
    :param data: the module with its signatures, unpacked
    :param size: of the module itself, in bytes
    :param signatures: the trailers behind it, the outermost first
    :param signed_outside: a signature stood behind the packed file, where no kernel looks for it
    :param odd_bytes: how many bytes the module has behind its last section: what is left of a signature, perhaps
    """

    state: FileState
    raw: bytes
    compression: Compression
    data: bytes
    size: int
    signatures: tuple[ModuleSignature, ...]
    signed_outside: bool
    odd_bytes: int

    def without(self, layers: int) -> memoryview:
        """Give the module without so many of its signatures, from the outermost on."""
        end = self.signatures[layers - 1].start if layers else len(self.data)
        return memoryview(self.data)[:end]


def read_module(path: str) -> ModuleContents:
    """Read a module file of the host, and see that its signatures, if any, leave the module whole.

    :param path: no link
    :raises Unreadable: it can't be read or unpacked, or is no module
    """
    raw, state = _read(path)
    with located(path, hint=_DAMAGED):
        return _taken_apart(raw, state)


def _read(path: str) -> tuple[bytes, FileState]:
    try:
        fd, state = open_file(path)
        try:
            if not stat.S_ISREG(state.status.st_mode):
                what = "is a directory" if stat.S_ISDIR(state.status.st_mode) else "is not a regular file"
                hint = "all modules below a directory: --tree DIR" if stat.S_ISDIR(state.status.st_mode) else None
                raise Unreadable(what, where=path, hint=hint)
            if state.status.st_size > _LARGEST:
                raise Unreadable(f"is larger than {_LARGEST >> 20} MiB", where=path, hint="no module is as large")
            with open(fd, "rb", closefd=False, buffering=0) as file:
                return file.read(), state
        finally:
            os.close(fd)
    except OSError as error:
        hint = "run as root, or as a user who may read it" if isinstance(error, PermissionError) else None
        raise Unreadable((error.strerror or str(error)).lower(), where=path, hint=hint) from error


def _taken_apart(raw: bytes, state: FileState) -> ModuleContents:
    compression = detect(raw)
    outside = compression is not Compression.NONE and raw.endswith(MARKER)
    data = decompress(memoryview(raw)[: split_all(raw)[0]] if outside else raw)
    if data[:4] != MAGIC:
        if not data:
            raise FormatError("is empty")
        raise FormatError("is no kernel module: no ELF file, plain or packed with gzip, xz or zstd", hint=_OTHER)
    size, signatures = split_all(data)
    end = _end_of_module(data, size, signatures)
    return ModuleContents(state, raw, compression, data, size, signatures, outside, size - end)


def _end_of_module(data: bytes, size: int, signatures: tuple[ModuleSignature, ...]) -> int:
    """Find where the last section ends; a length that lies would have cut it off."""
    try:
        elf = Elf(memoryview(data)[:size])
        end = extent(elf)
    except ElfError as error:
        if not signatures:
            raise
        what = f"the length that the module signature names does not fit: {error.reason}"
        raise FormatError(what, offset=signatures[-1].offset) from error
    if elf.type != ElfType.REL:
        raise FormatError("is an ELF file, but no kernel module: a program, library or kernel", hint=_OTHER)
    return end


def signer_of(module: ModuleContents, layer: int = 0) -> tuple[str, SignerInfo | None]:
    """Tell who made a signature.

    :param layer: which, counted from the outermost
    :returns: (the signer to show to people, and what the message says, where it can be read)
    """
    signature = module.signatures[layer]
    try:
        if signature.id_type != KeyIdType.PKCS7:
            return signature.signer(module.data).decode("utf-8", "surrogateescape") or _UNKNOWN, None
        from lkm.formats import cms, cms_sign_file  # noqa: PLC0415  unsigned modules need none

        message = signature.signature(module.data)
        info = cms_sign_file.read(message) or cms.parse(message).signers[0]
    except FormatError:
        return _UNKNOWN, None
    return info.signer or f"the key {(info.key_id or b'').hex()}", info
