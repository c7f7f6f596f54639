"""Commands of modprobe.d run as system(3) runs them."""

from pathlib import Path

import pytest

from lkm.actions.shell import run_command
from lkm.errors import CommandFailed


def test_environment_and_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTER", "outer")
    run_command("install", "a b", f'printf "%s|%s" "$OUTER" "$MODPROBE_MODULE" > {tmp_path}/out; true', where="f:1")
    assert (tmp_path / "out").read_text() == "outer|a b"


def test_failure() -> None:
    with pytest.raises(CommandFailed, match="the install command of m ended with status 2: exit 2") as caught:
        run_command("install", "m", "exit 2", where="f:1")
    assert (caught.value.status, caught.value.where) == (2, "f:1")
    assert caught.value.hint is not None
