"""A kernel's profile as JSON, to keep it or to use it on another machine."""

import base64
from typing import Any

from lkm.formats.ksymtab import Export
from lkm.system.kernel_profile import KernelProfile

__all__ = ["from_json", "to_json"]

_SCHEMA = "lkm.profile/1"


def to_json(profile: KernelProfile) -> dict[str, Any]:
    """Give the profile as what ``json.dumps`` takes."""
    certificates = profile.certificates
    return {
        "schema": _SCHEMA,
        "release": profile.release,
        "machine": profile.machine,
        "is_64bit": profile.is_64bit,
        "little_endian": profile.little_endian,
        "vermagic": profile.vermagic,
        "struct_module_size": profile.struct_module_size,
        "exports": [[e.name, e.crc, int(e.gpl_only), e.namespace] for e in profile.exports.values()],
        "config": dict(profile.config),
        "certificates": None if certificates is None else [base64.b64encode(der).decode() for der in certificates],
        "visible_builtins": sorted(profile.visible_builtins),
        "sources": dict(profile.sources),
    }


def from_json(plain: dict[str, Any]) -> KernelProfile:
    """Take a profile back out of JSON.

    :raises ValueError: another schema; KeyError, TypeError: it is damaged
    """
    if plain["schema"] != _SCHEMA:
        raise ValueError(f"the profile's schema is {plain['schema']!r}, not {_SCHEMA!r}")
    certificates = plain["certificates"]
    return KernelProfile(
        release=str(plain["release"]),
        machine=int(plain["machine"]),
        is_64bit=bool(plain["is_64bit"]),
        little_endian=bool(plain["little_endian"]),
        vermagic=str(plain["vermagic"]),
        struct_module_size=plain["struct_module_size"],
        exports={name: Export(name, crc, bool(gpl), namespace) for name, crc, gpl, namespace in plain["exports"]},
        config=dict(plain["config"]),
        certificates=None if certificates is None else tuple(base64.b64decode(text) for text in certificates),
        visible_builtins=frozenset(plain["visible_builtins"]),
        sources=dict(plain["sources"]),
    )
