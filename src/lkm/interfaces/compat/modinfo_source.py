"""What ``modinfo`` shows of one module: the entries of .modinfo, then what its signature says, as entries too.

Facts: kmod 30, libkmod/libkmod-module.c ``kmod_module_get_info``, libkmod/libkmod-signature.c.
"""

from binascii import hexlify
from functools import lru_cache
from struct import Struct

from lkm.errors import FormatError
from lkm.formats import modinfo, module_signature
from lkm.formats.module_signature import DIGESTS, END_SIZE, KeyIdType, ModuleSignature
from lkm.interfaces.compat.module_contents import OpenModule, section_in, section_table_of
from lkm.system.module_file import ModuleFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lkm.formats.cms import SignerInfo

__all__ = ["SIGNATURE_KEYS", "Signatures", "entries_of"]

SIGNATURE_KEYS = ("sig_id", "signer", "sig_key", "sig_hashalgo", "signature")
"""What is said of a signature, in this order."""

_ALGORITHMS = 2
_ID_NAMES = {KeyIdType.PGP: b"PGP", KeyIdType.X509: b"X509", KeyIdType.PKCS7: b"PKCS#7"}
_ROW = 3 * 20  # characters of 20 bytes, each followed by a colon
_MOST_SHAPES = 16


def entries_of(module: ModuleFile, signatures: "Signatures | None") -> list[bytes]:
    """Read a module file.

    :param signatures: None leaves the signature out
    :returns: ``key=value``, in the order in which they are shown
    :raises Unreadable: it can't be read, or is no module; its cause is the OSError that kmod would have met
    """
    with OpenModule(module) as opened:
        entries = modinfo.entries(section_in(section_table_of(opened), ".modinfo"))
        if signatures is not None:
            entries += signatures.entries(opened)
    return entries


class _Shape:
    """A signature message without the signature itself, and what it says.

    :ivar size: of the message, in bytes
    :ivar entries: all but the signature
    """

    __slots__ = ("after", "before", "entries", "size")

    def __init__(self, before: bytes, after: bytes, size: int, entries: list[bytes]) -> None:
        self.before = before
        self.after = after
        self.size = size
        self.entries = entries


class Signatures:
    """Reads signatures; the messages of one signer differ in the signature alone, and are taken apart once."""

    __slots__ = ("_shapes",)

    def __init__(self) -> None:
        self._shapes: dict[bytes, _Shape] = {}  # by the trailer that follows them in the file

    def entries(self, module: OpenModule) -> list[bytes]:
        """Show the signature as far as kmod would; a damaged one is not shown.

        :raises Unreadable: the file can't be read
        """
        end = module.read(max(0, module.size - END_SIZE), END_SIZE)
        shape = self._shapes.get(end)
        if shape is not None and module.size >= END_SIZE + shape.size:
            der = module.read(module.size - END_SIZE - shape.size, shape.size)
            if der.startswith(shape.before) and der.endswith(shape.after):
                signature = der[len(shape.before) : len(der) - len(shape.after)]
                return [*shape.entries, b"signature=" + _hexadecimal(signature)]
        try:
            trailer = module_signature.read_end(end, module.size)
            if trailer is None or not _is_shown(trailer):
                return []
            if trailer.id_type != KeyIdType.PKCS7:
                return _before_pkcs7(module, trailer)
            return self._pkcs7(module.read(trailer.content_size, trailer.sig_len), end)
        except FormatError:
            return []

    def _pkcs7(self, der: bytes, end: bytes) -> list[bytes]:
        signer = _first_signer(der)
        signature = signer.signature
        entries = _entries(
            KeyIdType.PKCS7,
            signer.signer.encode("utf-8", "surrogateescape"),
            signer.sig_key,
            signer.digest,
            signature,
        )
        if signature and der.count(signature) == 1 and len(self._shapes) < _MOST_SHAPES:
            before, _, after = der.partition(signature)
            self._shapes.setdefault(end, _Shape(before, after, len(der), entries[:-1]))
        return entries


def _first_signer(der: bytes) -> "SignerInfo":
    # Imported here, as only signed modules need them, and few of these the second, which is dear.
    from lkm.formats import cms_sign_file  # noqa: PLC0415

    signer = cms_sign_file.read(der)
    if signer is None:
        from lkm.formats import cms  # noqa: PLC0415

        signer = cms.parse(der).signers[0]
    return signer


def _is_shown(trailer: ModuleSignature) -> bool:
    lengths = trailer.signer_len + trailer.key_id_len + trailer.sig_len
    known = trailer.algo < _ALGORITHMS and trailer.hash < len(DIGESTS) and trailer.id_type in _ID_NAMES
    return known and trailer.sig_len > 0 and lengths <= trailer.offset


def _before_pkcs7(module: OpenModule, trailer: ModuleSignature) -> list[bytes]:
    """Show a signature of Linux 3.7 to 4.2."""
    key_at = trailer.content_size - trailer.key_id_len
    return _entries(
        KeyIdType(trailer.id_type),
        module.read(key_at - trailer.signer_len, trailer.signer_len),
        module.read(key_at, trailer.key_id_len),
        DIGESTS[trailer.hash],
        module.read(trailer.content_size, trailer.sig_len),
    )


def _entries(kind: KeyIdType, signer: bytes, key: bytes, digest: str, signature: bytes) -> list[bytes]:
    values = (
        _ID_NAMES[kind],
        signer.partition(b"\0")[0],
        _hexadecimal(key),
        digest.encode("ascii"),
        _hexadecimal(signature),
    )
    return [b"%s=%s" % (name.encode("ascii"), value) for name, value in zip(SIGNATURE_KEYS, values, strict=True)]


def _hexadecimal(data: bytes) -> bytes:
    text = hexlify(data, b":").upper() if data else b""
    return b"\n\t\t".join(_rows(len(text)).unpack(text))


@lru_cache(maxsize=16)
def _rows(size: int) -> Struct:
    """Give what takes a text of a size apart into rows at once."""
    return Struct(f"{_ROW}s" * (size // _ROW) + (f"{size % _ROW}s" if size % _ROW else ""))
