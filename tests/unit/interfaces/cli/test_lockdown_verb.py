"""lockdown: as text and as JSON, of a kernel that is installed and of an emulated one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.efi_files import make_firmware
from tests.support.schema import check_schema

from lkm.actions.sample_tree import RELEASE
from lkm.actions.session import Session, Target
from lkm.kernels.base import Security
from lkm.kernels.emulated import EmulatedKernel

Lkm = Callable[..., Any]
_LIKE_DEBIAN = "".join(
    f"CONFIG_{option}=y\n"
    for option in (
        "SECURITY_LOCKDOWN_LSM",
        "LOCK_DOWN_IN_EFI_SECURE_BOOT",
        "IMA_ARCH_POLICY",
        "IMA_SECURE_AND_OR_TRUSTED_BOOT",
        "LOAD_UEFI_KEYS",
        "SECONDARY_TRUSTED_KEYRING",
        "INTEGRITY_MACHINE_KEYRING",
    )
)


def _installed(root: Path, *, cmdline: str = "") -> None:
    """Have the configuration of a distribution's kernel, and perhaps a command line that it is booted with."""
    path = root / f"boot/config-{RELEASE}"
    path.write_text(path.read_text() + _LIKE_DEBIAN)
    if cmdline:
        (root / "etc/kernel").mkdir(parents=True)
        (root / "etc/kernel/cmdline").write_text(cmdline)


def _json(lkm: Lkm, *words: str) -> dict[str, Any]:
    outcome = lkm("lockdown", "--json", *words)
    assert (outcome.status, outcome.err) == (0, "")
    answer: dict[str, Any] = json.loads(outcome.out)
    check_schema(answer, "lockdown")
    return answer


def test_a_kernel_that_is_installed(lkm: Lkm, own_sample: Path) -> None:
    _installed(own_sample)
    outcome = lkm("lockdown", "--root", str(own_sample))
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert lines[0] == f"kernel {RELEASE}, which does not run here"
    assert "note: under Secure Boot it will go into lockdown=integrity by itself" in lines
    here = [line for line in lines if line.startswith("> o")]
    assert [" ".join(line.split()) for line in here] == [
        "> off nothing loads E loads E loads loads E loads E loads E 129"
    ]


def test_as_json(lkm: Lkm, own_sample: Path) -> None:
    _installed(own_sample)
    answer = _json(lkm, "--root", str(own_sample))
    assert (answer["running"], answer["lockdown"]["mode"], answer["lockdown"]["set_by"]) == (False, "none", None)
    assert answer["secure_boot"]["state"] == "unknown"
    assert [row["here"] for row in answer["table"]].count(True) == 1


def test_what_the_command_line_will_do(lkm: Lkm, own_sample: Path) -> None:
    _installed(own_sample, cmdline="quiet lockdown=confidentiality module.sig_enforce nomodule")
    answer = _json(lkm, "--root", str(own_sample))
    assert (answer["lockdown"]["mode"], answer["lockdown"]["set_by"]) == ("confidentiality", "command-line")
    assert answer["lockdown"]["evidence"] == "lockdown=confidentiality"
    assert answer["sig_enforce"]["by"] == "module.sig_enforce on its command line"
    assert answer["modules_disabled"] == {"value": True, "by": "nomodule on its command line"}
    out = lkm("lockdown", "--root", str(own_sample)).out
    assert "confidentiality, by lockdown= on the kernel command line" in out
    assert "use of tracefs" in out


def test_secure_boot_by_a_copy_of_the_firmware(lkm: Lkm, own_sample: Path) -> None:
    _installed(own_sample)
    make_firmware(own_sample)
    answer = _json(lkm, "--root", str(own_sample))
    assert (answer["secure_boot"]["state"], answer["lockdown"]["mode"]) == ("on", "integrity")
    assert answer["lockdown"]["set_by"] == "secure-boot"
    assert answer["sig_enforce"]["by"].startswith("Secure Boot")
    here = next(row for row in answer["table"] if row["here"])
    assert here["outcomes"]["unsigned"]["errno_name"] == "EKEYREJECTED"
    assert here["outcomes"]["mok-key"]["loads"]


def test_an_emulated_kernel_answers_itself(
    on_sample: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _installed(own_sample)
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel/cmdline").write_text("lockdown=integrity")
    answer = _json(on_sample)
    assert (answer["running"], answer["lockdown"]["mode"], answer["lockdown"]["told_by_kernel"]) == (
        True,
        "integrity",
        True,
    )
    assert answer["lockdown"]["set_by"] == "command-line"


def test_what_was_turned_on_while_it_runs(own_sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lkm.actions.lockdown.report import lockdown_report  # noqa: PLC0415  beside its use

    _installed(own_sample)
    security = Security("integrity", sig_enforce=True, modules_disabled=True)
    line = "Kernel is locked down from securityfs; see man kernel_lockdown.7"
    monkeypatch.setattr(EmulatedKernel, "security", lambda _: security)
    monkeypatch.setattr(EmulatedKernel, "log", lambda _: ("x", line))
    with Session(Target(str(own_sample), kernel=f"emulated:{tmp_path}/kernel")) as session:
        demands = lockdown_report(session).demands
    assert demands.setter is not None
    assert (demands.setter.evidence, demands.disabler) == (line, "the sysctl kernel.modules_disabled")
    assert "a policy, or somebody who wrote to" in demands.enforcer


def test_without_configuration_there_is_no_table(lkm: Lkm, own_sample: Path) -> None:
    (own_sample / f"boot/config-{RELEASE}").unlink()
    answer = _json(lkm, "--root", str(own_sample))
    assert (answer["config"], answer["table"], answer["lockdown"]["supported"]) == ([], [], None)
    out = lkm("lockdown", "--root", str(own_sample)).out
    assert "the kernel's configuration is unknown" in out
    for what in ("lockdown        ", "signatures      "):
        assert f"{what}  not known, as the kernel's configuration is not\n" in out


def test_a_kernel_without_modules(lkm: Lkm, own_sample: Path) -> None:
    (own_sample / f"boot/config-{RELEASE}").write_text("CONFIG_X=y\n")
    answer = _json(lkm, "--root", str(own_sample))
    assert answer["table"] == []
    assert any("can't load modules at all" in note for note in answer["notes"])


def test_the_running_kernel_always_answers(lkm: Lkm) -> None:
    assert lkm("lockdown").status == 0


def test_a_release_of_which_nothing_is_there(lkm: Lkm, own_sample: Path) -> None:
    outcome = lkm("lockdown", "--root", str(own_sample), "--release", "9.9")
    assert (outcome.status, outcome.out) == (2, "")
    assert "there is no module tree for kernel 9.9\n  hint: trees here: " in outcome.err


@pytest.mark.parametrize("words", [("--root", "/nowhere"), ("--kernel", "frob"), ("x",), ("--release", "a/b")])
def test_wrong_calls(lkm: Lkm, words: tuple[str, ...]) -> None:
    assert lkm("lockdown", *words).status == 2
