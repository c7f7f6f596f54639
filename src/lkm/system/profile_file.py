"""A kernel's profile as a file: JSON, packed with gzip to be small, or plain.

The file is hostile until it is read: sizes are limited, and every value's type is checked. One object:

- ``schema``: ``"lkm.kernel-profile/1"``
- ``release`` (as ``uname -r`` prints it), ``version`` (as /proc/version), ``vermagic``, ``command_line``: texts
- ``machine``: number, as in ``e_machine``; ``is_64bit`` and ``little_endian``: true or false
- ``struct_module_size``: number of bytes, or null where unknown
- ``exports`` of the kernel image: an object of columns: ``names`` (list of texts), ``crcs`` (list of numbers below
  2^32, or null), ``gpl_only`` (text, ``0`` or ``1`` for each), ``namespaces`` (object: position to text, where there
  is one)
- ``module_exports``: the same columns for all modules together, and ``modules`` (object: name to how many are its own,
  in the order of the columns)
- ``dependencies``, ``builtin_parameters``: object: name to list of texts
- ``builtins``, ``visible_builtins``: list of texts
- ``config`` (option without ``CONFIG_`` to value), ``sources`` (fact to where it was found): object: text to text
- ``certificates``: list of DER in base64, or null where the image could not be read; ``revoked_certificates``: list
- ``stamp``: only in files that lkm keeps for itself: what tells whether the facts are still true

Bytes that are no UTF-8 stand as lone surrogates (PEP 383), and JSON escapes all but ASCII.
"""

import json
import zlib
from binascii import b2a_base64
from collections.abc import Iterable
from typing import Any, NamedTuple

from lkm.errors import FormatError
from lkm.formats.compression import Compression, decompress, detect
from lkm.formats.export_columns import from_columns, grouped, to_columns
from lkm.formats.plain_fields import PlainFields
from lkm.system.kernel_profile import KernelProfile

__all__ = ["LARGEST_FILE", "SCHEMA", "ReadProfile", "pack", "unpack"]

SCHEMA = "lkm.kernel-profile/1"

LARGEST_FILE = 16 << 20
"""Bytes; that of a distribution's kernel is under one million."""

_LARGEST_TEXT = 24 << 20
_HIGHEST_MACHINE = 0xFFFF
_HIGHEST_SIZE = 1 << 31
_HINT = "save it anew: lkm profile save FILE"


class ReadProfile(NamedTuple):
    """What a file holds.

    :param stamp: what :func:`pack` was given
    """

    profile: KernelProfile
    stamp: object


def pack(profile: KernelProfile, *, stamp: object = None, compressed: bool = True) -> bytes:
    """Write a profile down; the same profile gives the same bytes.

    :param stamp: what JSON can hold
    """
    text = json.dumps(_plain(profile, stamp), separators=(",", ":")).encode("ascii")
    if not compressed:
        return text
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(text) + packer.flush()


def _plain(profile: KernelProfile, stamp: object) -> dict[str, Any]:
    modules = profile.module_exports
    certificates = profile.certificates
    plain: dict[str, Any] = {
        "schema": SCHEMA,
        "release": profile.release,
        "version": profile.version,
        "machine": profile.machine,
        "is_64bit": profile.is_64bit,
        "little_endian": profile.little_endian,
        "vermagic": profile.vermagic,
        "struct_module_size": profile.struct_module_size,
        "command_line": profile.command_line,
        "exports": to_columns(profile.exports.values()),
        "module_exports": {
            "modules": {name: len(exports) for name, exports in modules.items()},
            **to_columns(export for exports in modules.values() for export in exports),
        },
        "dependencies": {name: list(needed) for name, needed in profile.dependencies.items()},
        "builtins": sorted(profile.builtins),
        "visible_builtins": sorted(profile.visible_builtins),
        "builtin_parameters": {name: list(shown) for name, shown in profile.builtin_parameters.items()},
        "config": dict(profile.config),
        "certificates": None if certificates is None else _base64(certificates),
        "revoked_certificates": _base64(profile.revoked_certificates),
        "sources": dict(profile.sources),
    }
    return plain if stamp is None else {**plain, "stamp": stamp}


def _base64(certificates: Iterable[bytes]) -> list[str]:
    return [b2a_base64(der, newline=False).decode("ascii") for der in certificates]


def unpack(data: bytes) -> ReadProfile:
    """Read what :func:`pack` wrote.

    :raises FormatError: it is something else, too large, or damaged
    """
    try:
        return _unpack(data)
    except FormatError as error:
        error.hint = error.hint or _HINT
        raise


def _unpack(data: bytes) -> ReadProfile:
    if len(data) > LARGEST_FILE:
        raise FormatError(f"is larger than {LARGEST_FILE >> 20} MiB: no profile is")
    text = decompress(data, limit=_LARGEST_TEXT) if detect(data) is Compression.GZIP else data
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError("is no saved profile: it holds no JSON") from error
    if not isinstance(plain, dict) or "schema" not in plain:
        raise FormatError("is no saved profile: it names no schema")
    if plain["schema"] != SCHEMA:
        raise FormatError(f"is of schema {str(plain['schema'])[:60]!r}, and {SCHEMA!r} is understood")
    return ReadProfile(_profile(PlainFields(plain)), plain.get("stamp"))


def _profile(fields: PlainFields) -> KernelProfile:
    modules = fields.table("module_exports")
    return KernelProfile(
        release=fields.text("release"),
        version=fields.text("version"),
        machine=fields.number("machine", _HIGHEST_MACHINE),
        is_64bit=fields.truth("is_64bit"),
        little_endian=fields.truth("little_endian"),
        vermagic=fields.text("vermagic"),
        struct_module_size=None
        if fields.is_null("struct_module_size")
        else fields.number("struct_module_size", _HIGHEST_SIZE),
        command_line=fields.text("command_line"),
        exports={export.name: export for export in from_columns(fields.table("exports"))},
        module_exports=grouped(from_columns(modules), modules.get("modules")),
        dependencies=fields.lists("dependencies"),
        builtins=frozenset(fields.texts("builtins")),
        visible_builtins=frozenset(fields.texts("visible_builtins")),
        builtin_parameters=fields.lists("builtin_parameters"),
        config=fields.words("config"),
        certificates=None if fields.is_null("certificates") else fields.binaries("certificates"),
        revoked_certificates=fields.binaries("revoked_certificates"),
        sources=fields.words("sources"),
    )
