"""Errors that travel out of a machine."""

import json

import pytest

from lkm.errors import (
    ElfError,
    LkmError,
    LoadRefused,
    MachineError,
    ModuleSupportMissing,
    StateError,
    UnloadRefused,
)
from lkm.kernels.vm.remote_errors import from_body, to_body


@pytest.mark.parametrize(
    "error",
    [
        LoadRefused("vfat", 8, ["vfat: Unknown symbol x (err -2)"], where="/x.ko", hint="do", reason="why"),
        UnloadRefused("vfat", 11),
        ModuleSupportMissing("no modules", hint="boot another"),
        ElfError("no section", offset=4, where="/x.ko"),
    ],
)
def test_an_error_survives_the_way(error: LkmError) -> None:
    made = from_body(json.loads(json.dumps(to_body(error))))
    assert type(made) is type(error)
    assert str(made) == str(error)
    for name in ("what", "where", "hint", "module", "errno", "log"):
        assert getattr(made, name, None) == getattr(error, name, None)


def test_an_error_that_no_kernel_raises_becomes_a_machine_error() -> None:
    made = from_body(to_body(StateError("odd", where="/x")))
    assert type(made) is MachineError
    assert str(made) == "/x: odd"


@pytest.mark.parametrize(
    "body",
    [{}, {"kind": "LoadRefused"}, {"kind": 1, "what": "x"}, {"kind": "LoadRefused", "module": "m", "errno": "1"}],
)
def test_nonsense_becomes_a_machine_error(body: dict[str, object]) -> None:
    assert type(from_body(body)) is MachineError
