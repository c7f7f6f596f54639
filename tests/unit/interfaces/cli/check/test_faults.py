"""``lkm check`` on modules with the faults that people meet: the first line that it prints names the true cause."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.faults import FAULTS, Fault
from tests.support.loader import recipe

from lkm.actions.profile import save
from lkm.formats.module_writer import write

Lkm = Callable[..., Any]

PHRASES = {
    "built for another release": "built for another kernel (5.10.0-9-amd64",
    "unsigned under enforcement": "carries no signature (never signed, or lost to strip",
    "signed by an unknown key under enforcement": "signed by a key that this kernel does not trust",
    "changed after signing": "changed after it was signed",
    "stripped of its symbols": "has no symbol table: strip removed it",
    "strip took the signature away": "CONFIG_MODULE_SIG_FORCE",
    "its dependency is not loaded": "helper_do, which the module helper exports, and that is not loaded",
    "a symbol that no kernel module here has": "removed_in_6, which neither this kernel nor a module of its tree",
    "a GPL-only symbol in a proprietary module": "gpl_symbol is exported to GPL modules only",
    "GPL-only symbols and a proprietary module's": "closed_do of closed, which is proprietary",
    "another CRC": "_printk has another type",
    "built without the exporter's Module.symvers": "carries no version for _printk",
    "a namespace not imported": "spaced, which is exported in the namespace SPACE",
    "a wrong value": "can't take the value 'yes' for its parameter debug",
    "a value out of range": "out of the range of its type",
    "no value": "parameter debug was given no value",
    "the double of a built-in": "mod is part of this kernel (built in)",
    "loaded already": "a module of the name mod is loaded already",
    "blacklisted on the command line": "the kernel command line forbids mod",
    "lockdown": "this kernel is locked down",
    "another processor": "built for another processor (arm64)",
    "a download that broke off": "ends too early",
    "a compressed file as it is": "mod.ko.xz is compressed, and was handed to the kernel as it is",
    "a web page": "no kernel module at all (no ELF file): perhaps a web page",
    "an empty file": "mod.ko is empty",
    "an object file that modpost has not seen": "lacks what modpost and the last link add",
    "built with another configuration": "its struct module has another layout",
    "another size of struct module": "struct module has another size",
    "other flags in the version magic": "it says 'SMP preempt_rt mod_unload modversions' where this kernel says",
    "two modules that export the same": "exports closed_do, which closed exports already",
    "what the kernel exports itself": "exports _printk, which this kernel exports itself",
    "no version magic": "does not say which kernel it was built for (it has no vermagic",
    "an unknown relocation": "a relocation (type 42) that kernels of this processor do not know",
}
RAW = {"its dependency is not loaded", "a compressed file as it is"}  # without --raw neither is a fault
NOT_ASKED = {"modules disabled by the sysctl", "no privilege"}  # of a kernel that runs, and of who asks


def _options(fault: Fault, directory: Path) -> list[str]:
    """Put the kernel and what has happened to it into files and options."""
    profile = directory / "profile"
    save(fault.kernel(), str(profile))
    options = ["--root", str(directory), "--profile", str(profile), "--cmdline", fault.state.command_line]
    for module in fault.state.modules:
        path = directory / "before" / f"{module.name}.ko"
        path.parent.mkdir(exist_ok=True)
        licence = "Proprietary" if module.taints else "GPL"
        path.write_bytes(write(recipe(module.name, licence=licence, exports=module.exports)))
        options += ["--loaded", str(path)]
    if fault.state.lockdown is not None:
        options += ["--lockdown", fault.state.lockdown.value]
    return [*options, "--raw"] if fault.title in RAW else options


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.title not in NOT_ASKED], ids=lambda f: f.title)
def test_the_first_line_names_the_cause(fault: Fault, lkm: Lkm, tmp_path: Path) -> None:
    file = tmp_path / fault.file
    file.write_bytes(fault.request().contents)
    told = lkm("check", *_options(fault, tmp_path), str(file), *(["--", fault.parameters] if fault.parameters else []))
    first = told.out.splitlines()[0]
    assert first.startswith(f"{file}: ")
    assert PHRASES[fault.title] in first
    assert (told.status, told.err) == (1, "")


@pytest.mark.parametrize("demand", [["--sig-enforce"], ["--lockdown", "integrity"]])
def test_what_is_forced_counts_as_unsigned(demand: list[str], lkm: Lkm, tmp_path: Path) -> None:
    fault = next(fault for fault in FAULTS if fault.title == "built for another release")
    file = tmp_path / fault.file
    file.write_bytes(fault.request().contents)
    told = lkm("check", *_options(fault, tmp_path), *demand, "--force-vermagic", str(file))
    assert "mod is loaded by force, and so its signature does not count" in told.out.splitlines()[0]


def test_every_fault_has_its_phrase() -> None:
    assert {fault.title for fault in FAULTS} == PHRASES.keys() | NOT_ASKED
    assert len(set(PHRASES.values())) == len(PHRASES) >= 25
