"""Namespaces of exports: who may use them (kernel/module/main.c ``verify_namespace_is_imported``, 5.10 to 7.2)."""

import errno

from lkm.formats.ksymtab import Export
from lkm.rules.loading.attempt import Attempt, Refusal

__all__ = ["check_imported_namespaces", "is_open"]

_MODULES = "module:"


def check_imported_namespaces(attempt: Attempt) -> Refusal | None:
    """``setup_modinfo``: namespaces that name their modules can't be imported (from 6.16)."""
    if not attempt.traits.knows_module_namespaces:
        return None
    wrong = next((name for name in attempt.modinfo.all("import_ns") if name.startswith(_MODULES)), None)
    if wrong is None:
        return None
    attempt.say(f"{attempt.name}: module tries to import module namespace: {wrong}")
    return Refusal(errno.EPERM)


def is_open(attempt: Attempt, export: Export) -> bool:
    """Tell whether the module may use an export of a namespace."""
    namespace = export.namespace
    if not namespace or namespace in attempt.modinfo.all("import_ns"):
        return True
    if attempt.traits.knows_module_namespaces and _names_module(namespace, attempt.name):
        return True
    what = f"symbol ({export.name}) from namespace {namespace}"
    attempt.say(f"{attempt.name}: module uses {what}, but does not import it.")
    return attempt.profile.has("MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS")


def _names_module(namespace: str, module: str) -> bool:
    """``verify_module_namespace``: names between commas, a ``*`` at the end of one stands for any rest."""
    if not namespace.startswith(_MODULES):
        return False
    name = module.replace("-", "_")
    for pattern in namespace.removeprefix(_MODULES).replace("-", "_").split(","):
        if name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern:
            return True
    return False
