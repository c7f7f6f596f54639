"""Who signed the modules of a tree: of each file only the end is read, unless it is packed."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lkm.errors import FormatError, LkmError
from lkm.formats import cms_sign_file
from lkm.formats.cms import SignerInfo
from lkm.formats.compression import Compression, decompress, detect
from lkm.formats.module_signature import END_SIZE, KeyIdType, ModuleSignature, read_end
from lkm.system.module_file import ModuleFile
from lkm.system.module_tree import ModuleTree
from lkm.system.side_by_side import in_order

__all__ = ["ModuleSigners", "Signer", "module_signers"]

_HEAD = 8  # bytes by which packed files are told apart
_LONGEST_MESSAGE = 1 << 20
_UNSIGNED, _UNREADABLE, _SIGNED = b"-", b"?", b"+"


class Signer(NamedTuple):
    """By whom a signature says it is, as the kernel looks for keys.

    :param identifier: serial number and issuer's Name without its header; or the subject key identifier
    :param name: for people; empty where a key identifier is all that is said
    """

    identifier: bytes
    name: str


@dataclass(frozen=True, slots=True)
class ModuleSigners:
    """What the modules of a tree say of their signers; whether a signature is good is not looked at.

    :param counts: how many modules each signer has
    :param unsigned: how many modules have no signature
    :param unreadable: how many can't be read, or hold a signature that can't be
    """

    counts: Mapping[Signer, int] = field(default_factory=dict)
    unsigned: int = 0
    unreadable: int = 0

    @property
    def total(self) -> int:
        """How many modules there are."""
        return sum(self.counts.values()) + self.unsigned + self.unreadable

    def by(self, *identifiers: bytes | None) -> int:
        """Tell how many modules name one of these as their signer."""
        return sum(count for signer, count in self.counts.items() if signer.identifier in identifiers)


def module_signers(tree: ModuleTree, advance: Callable[[int], None] = lambda _: None) -> ModuleSigners:
    """Look at all modules that the tree's indexes know.

    :param advance: is told of each module that was looked at
    :raises FormatError: the indexes are damaged
    """
    found: Counter[Signer] = Counter()
    others: Counter[bytes] = Counter()
    packed: list[ModuleFile] = []
    for module in tree.modules():
        told = _of_plain_file(module)
        if told is None:
            packed.append(module)
            continue
        _count(told, found, others)
        advance(1)
    for number, done in enumerate(in_order(len(packed), lambda place: _of_packed_file(packed[place]))):
        _count(_of_packed_file(packed[number]) if done is None else done, found, others)
        advance(1)
    return ModuleSigners(dict(found), others[_UNSIGNED], others[_UNREADABLE])


def _count(told: bytes, found: Counter[Signer], others: Counter[bytes]) -> None:
    if told[:1] == _SIGNED:
        size = int.from_bytes(told[1:5])
        found[Signer(told[5 : 5 + size], told[5 + size :].decode("utf-8", "surrogateescape"))] += 1
    else:
        others[told] += 1


def _of_plain_file(module: ModuleFile) -> bytes | None:
    """Tell the signer by the file's end; None for a packed file."""
    try:
        fd = module.root.open_fd(module.path)
    except LkmError:
        return _UNREADABLE
    try:
        if detect(os.pread(fd, _HEAD, 0)) is not Compression.NONE:
            return None
        size = os.fstat(fd).st_size
        return _told(
            os.pread(fd, END_SIZE, max(0, size - END_SIZE)), size, lambda start, length: os.pread(fd, length, start)
        )
    except OSError:
        return _UNREADABLE
    finally:
        os.close(fd)


def _of_packed_file(module: ModuleFile) -> bytes:
    try:
        contents = decompress(module.root.read_bytes(module.path))
    except LkmError:
        return _UNREADABLE
    size = len(contents)
    return _told(contents[max(0, size - END_SIZE) :], size, lambda start, length: contents[start : start + length])


def _told(end: bytes, size: int, cut: Callable[[int, int], bytes]) -> bytes:
    """Tell the signer.

    :param end: the file's last bytes
    :param cut: gives bytes of the file by their start and number
    """
    try:
        trailer = read_end(end, size)
        if trailer is None:
            return _UNSIGNED
        signer = _signer(trailer, cut)
    except FormatError:
        return _UNREADABLE
    if signer.serial is not None and signer.issuer is not None:
        identifier = signer.serial + signer.issuer
    else:
        identifier = signer.key_id or b""
    name = signer.signer.encode("utf-8", "surrogateescape")
    return _SIGNED + len(identifier).to_bytes(4) + identifier + name


def _signer(trailer: ModuleSignature, cut: Callable[[int, int], bytes]) -> SignerInfo:
    if trailer.id_type != KeyIdType.PKCS7 or trailer.content_size <= 0 or trailer.sig_len > _LONGEST_MESSAGE:
        raise FormatError("no signature that the kernel reads")
    message = cut(trailer.content_size, trailer.sig_len)
    usual = cms_sign_file.read(message)
    if usual is not None:
        return usual
    from lkm.formats import cms  # noqa: PLC0415  dear, and few modules need it

    return cms.parse(message).signers[0]
