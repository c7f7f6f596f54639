"""Namespaces of exports, and those that name their modules."""

import errno

import pytest
from tests.support.loader import JOINT, MODERN, PROFILE, answer, configured, export, needs, recipe

from lkm.rules.loading.attempt import KernelState, ModuleRecord

OWNER = "owner"


def _state(namespace: str) -> KernelState:
    return KernelState(modules=(ModuleRecord(OWNER, exports=(export("mine", namespace=namespace),)),))


@pytest.mark.parametrize(
    ("namespace", "is_open"),
    [
        ("module:mod", True),
        ("module:other,mod", True),
        ("module:mo*", True),
        ("module:*", True),
        ("module:modern", False),
        ("module:", False),
        ("module:MOD", False),
        ("mod", False),
    ],
)
def test_namespaces_that_name_modules(namespace: str, is_open: bool) -> None:  # noqa: FBT001  a column
    verdict = answer(recipe(imports=needs("mine")), profile=MODERN, state=_state(namespace))
    assert verdict.loads is is_open
    line = f"mod: module uses symbol (mine) from namespace {namespace}, but does not import it."
    assert (line in verdict.log) is not is_open
    assert not answer(recipe(imports=needs("mine")), profile=JOINT, state=_state(namespace)).loads


def test_a_dash_is_an_underscore() -> None:
    module = recipe("my_mod", imports=needs("mine"))
    assert answer(module, profile=MODERN, state=_state("module:my-mod")).loads


def test_such_a_namespace_can_not_be_imported() -> None:
    module = recipe(extra=(("import_ns", "A"), ("import_ns", "module:mod")))
    verdict = answer(module, profile=MODERN)
    assert (verdict.errno, verdict.stage) == (errno.EPERM, "imported namespaces")
    assert verdict.log == ("mod: module tries to import module namespace: module:mod",)
    assert answer(module, profile=JOINT).loads


def test_a_missing_import_can_be_a_warning() -> None:
    lenient = configured(PROFILE, MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=True)
    verdict = answer(recipe(imports=needs("spaced")), profile=lenient)
    assert (verdict.loads, len(verdict.log)) == (True, 1)
