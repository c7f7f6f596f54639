"""What ``modinfo`` shows of one module: its .modinfo fields, then what its signature says.

Facts: kmod 30, libkmod/libkmod-module.c ``kmod_module_get_info``, libkmod/libkmod-signature.c.
"""

import mmap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lkm.errors import FormatError
from lkm.formats import modinfo, module_signature
from lkm.formats.module_signature import DIGESTS, KeyIdType, ModuleSignature
from lkm.interfaces.compat.module_contents import contents_of, elf_of, section_of
from lkm.system.module_file import ModuleFile

if TYPE_CHECKING:
    from lkm.formats.cms import SignerInfo

__all__ = ["Fields", "Signers", "fields_of"]

Fields = list[tuple[str, str]]
"""(key, value) in the order in which they are shown."""

_ALGORITHMS = 2
_ID_NAMES = {KeyIdType.PGP: "PGP", KeyIdType.X509: "X509", KeyIdType.PKCS7: "PKCS#7"}
_BYTES_PER_LINE = 20
_MOST_SHAPES = 16


@dataclass(frozen=True, slots=True)
class _Shape:
    """A signature message without the signature itself, and what it says."""

    before: bytes
    after: bytes
    signer: "SignerInfo"


@dataclass(slots=True)
class Signers:
    """Reads signature messages; those of one signer differ in the signature alone, and are taken apart once."""

    _shapes: dict[int, _Shape] = field(default_factory=dict)

    def read(self, der: bytes) -> "tuple[SignerInfo, bytes]":
        """Give the first signer of a message, and the signature.

        :raises FormatError: this is no message
        """
        shape = self._shapes.get(len(der))
        if shape and der.startswith(shape.before) and der.endswith(shape.after):
            return shape.signer, der[len(shape.before) : len(der) - len(shape.after)]
        from lkm.formats import cms  # noqa: PLC0415  dear, and only signed modules need it

        signer = cms.parse(der).signers[0]
        if signer.signature and der.count(signer.signature) == 1 and len(self._shapes) < _MOST_SHAPES:
            before, _, after = der.partition(signer.signature)
            self._shapes[len(der)] = _Shape(before, after, signer)
        return signer, signer.signature


def fields_of(module: ModuleFile, signers: Signers) -> Fields:
    """Read a module file.

    :raises Unreadable: it can't be read, or is no module; its cause is the OSError that kmod would have met
    """
    data = contents_of(module)
    section = section_of(elf_of(data), ".modinfo")
    return [*modinfo.parse(section).fields, *_signature_fields(data, signers)]


def _signature_fields(data: bytes | mmap.mmap, signers: Signers) -> Fields:
    """Show the signature as far as kmod would; a damaged one is not shown."""
    try:
        trailer = module_signature.read(data)
        if trailer is None or not _is_shown(trailer):
            return []
        return _pkcs7(data, trailer, signers) if trailer.id_type == KeyIdType.PKCS7 else _before_pkcs7(data, trailer)
    except FormatError:
        return []


def _is_shown(trailer: ModuleSignature) -> bool:
    lengths = trailer.signer_len + trailer.key_id_len + trailer.sig_len
    known = trailer.algo < _ALGORITHMS and trailer.hash < len(DIGESTS) and trailer.id_type in _ID_NAMES
    return known and trailer.sig_len > 0 and lengths <= trailer.offset


def _pkcs7(data: bytes | mmap.mmap, trailer: ModuleSignature, signers: Signers) -> Fields:
    signer, signature = signers.read(trailer.signature(data))
    return [
        ("sig_id", _ID_NAMES[KeyIdType.PKCS7]),
        ("signer", signer.signer.partition("\0")[0]),
        ("sig_key", _hexadecimal(signer.sig_key)),
        ("sig_hashalgo", signer.digest),
        ("signature", _hexadecimal(signature)),
    ]


def _before_pkcs7(data: bytes | mmap.mmap, trailer: ModuleSignature) -> Fields:
    """Show a signature of Linux 3.7 to 4.2."""
    return [
        ("sig_id", _ID_NAMES[KeyIdType(trailer.id_type)]),
        ("signer", trailer.signer(data).partition(b"\0")[0].decode("utf-8", "surrogateescape")),
        ("sig_key", _hexadecimal(trailer.key_id(data))),
        ("sig_hashalgo", DIGESTS[trailer.hash]),
        ("signature", _hexadecimal(trailer.signature(data))),
    ]


def _hexadecimal(data: bytes) -> str:
    text = data.hex(":").upper()
    step = 3 * _BYTES_PER_LINE
    return "\n\t\t".join([text[start : start + step] for start in range(0, len(text), step)])
