"""Small files that a user names: of certificates, PEM or DER, of keys and of signatures; they may be pipes."""

import os
import stat
from typing import TYPE_CHECKING

from lkm.errors import Unreadable
from lkm.system.located import located
from lkm.system.root import Root

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["read_certificates", "read_certificates_as_der", "read_key_data"]

_LARGEST = 1 << 20  # bytes
_HINT = "no key, certificate or signature is as large"


def read_certificates(path: str) -> "tuple[x509.Certificate, ...]":
    """Read the certificates of a file, PEM or DER.

    :param path: of the host
    :returns: at least one
    :raises Unreadable: the file can't be read
    :raises FormatError: it holds no certificate
    """
    from lkm.formats.certificate_bundle import certificates_of  # noqa: PLC0415  dear

    data = read_key_data(path)
    with located(path):
        return certificates_of(data)


def read_certificates_as_der(path: str) -> tuple[bytes, ...]:
    """Read the certificates of a file, each in DER.

    :param path: as for :func:`read_certificates`, which raises the same
    """
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415  dear

    return tuple(found.public_bytes(Encoding.DER) for found in read_certificates(path))


def read_key_data(path: str) -> bytes:
    """Read a file, or a pipe: keys that are kept encrypted otherwise come by ``<(gpg -d key.gpg)``.

    :param path: of the host
    :raises Unreadable: it can't be read, or is larger than 1 MiB
    """
    try:
        is_pipe = stat.S_ISFIFO(os.stat(path).st_mode)  # noqa: PTH116  pathlib is dear at start-up
        if not is_pipe:
            return Root().read_bytes(path, limit=_LARGEST)
        with open(path, "rb") as pipe:  # noqa: PTH123  as above
            data = pipe.read(_LARGEST + 1)
    except OSError as error:
        raise Unreadable((error.strerror or str(error)).lower(), where=path) from error
    except ValueError:
        raise Unreadable("the path holds a NUL character", where=repr(path)[:80]) from None
    if len(data) > _LARGEST:
        raise Unreadable(f"is larger than {_LARGEST >> 20} MiB", where=path, hint=_HINT)
    return data
