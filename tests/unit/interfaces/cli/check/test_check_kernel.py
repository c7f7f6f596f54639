"""``lkm check``: the options that say what is true of the kernel."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from tests.support.checked_modules import (
    LOCKDEP_LINE,
    MAGIC_LINE,
    OOT_LINE,
    UNSIGNED_LINE,
    needing,
    offering,
    own_module,
)
from tests.support.signing import Signer

from lkm.formats.module_signature import append
from lkm.formats.symbol_versions import Import

Lkm = Callable[..., Any]
Make = Callable[..., str]


def test_a_file_that_loads(ask: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module(intree=False))
    assert ask(path) == {
        "file": path,
        "module": "mod",
        "loads": True,
        "errno": 0,
        "stage": "",
        "log": [OOT_LINE, UNSIGNED_LINE],
        "taints": ["O", "E"],
        "kernel_taint": 0x3000,
        "undecidable": ["what the module's init function returns"],
        "causes": [],
        "ids": [],
    }


def test_a_file_of_another_kernel(ask: Lkm, make: Make) -> None:
    result = ask(make("mod.ko", own_module(vermagic="6.6.0 ")))
    assert (result["errno"], result["stage"], result["log"]) == (8, "vermagic", [MAGIC_LINE])
    assert (result["taints"], result["kernel_taint"], result["ids"][0]) == ([], 0, "vermagic")


def test_force_vermagic(ask: Lkm, make: Make) -> None:
    result = ask(make("mod.ko", own_module(vermagic="6.6.0 ")), "--force-vermagic")
    assert (result["loads"], result["taints"]) == (True, ["F", "E"])
    assert ask(make("mod.ko", own_module(vermagic="6.6.0 ")), "--finit-flags", "0x2")["taints"] == ["F", "E"]


def test_force_modversion(ask: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module(imports=(Import("_printk", weak=False, crc=1),)))
    assert ask(path)["log"] == [
        UNSIGNED_LINE,
        "mod: disagrees about version of symbol _printk",
        "mod: Unknown symbol _printk (err -22)",
    ]
    assert ask(path, "--force-modversion")["loads"]


def test_force_goes_with_dependencies_too(ask: Lkm) -> None:
    assert ask("vfat")["kernel_taint"] == 0
    result = ask("vfat", "--force-vermagic")
    assert (result["taints"], result["kernel_taint"]) == (["F", "E"], 0x2002)
    assert result["log"] == []  # what forcing fat, which comes first, has printed


def test_flags_that_no_kernel_knows(ask: Lkm, make: Make) -> None:
    assert ask(make("mod.ko", own_module()), "--finit-flags", "64")["errno"] == 22


def test_sig_enforce(ask: Lkm, make: Make) -> None:
    result = ask(make("mod.ko", own_module()), "--sig-enforce")
    assert (result["errno"], result["stage"]) == (129, "signature")
    assert result["log"] == ["Loading of unsigned module is rejected"]
    assert ask("vfat", "--sig-enforce")["loads"]


@pytest.mark.parametrize("mode", ["integrity", "confidentiality"])
def test_lockdown(ask: Lkm, make: Make, mode: str) -> None:
    path = make("mod.ko", own_module())
    line = "unsigned module loading is restricted; see man kernel_lockdown.7"
    result = ask(path, "--lockdown", mode)
    assert (result["errno"], result["log"], result["ids"][0]) == (1, [f"Lockdown: modprobe: {line}"], "lockdown")
    assert ask(path, "--lockdown", mode, "--raw")["log"] == [f"Lockdown: insmod: {line}"]
    assert ask(path, "--lockdown", mode, "--comm", "my-loader-of-modules")["log"] == [
        f"Lockdown: my-loader-of-mo: {line}"
    ]
    assert ask(path, "--lockdown", "none")["loads"]


def test_command_line(ask: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module())
    assert ask(path, "--cmdline", "quiet module_blacklist=mod")["log"] == ["Module mod is blacklisted"]
    assert ask(path, "--cmdline", "module.sig_enforce=1")["errno"] == 129
    assert ask(path, "--cmdline", "lockdown=integrity")["errno"] == 1
    assert ask(path, "--cmdline", "lockdown=integrity", "--lockdown", "none")["loads"]
    assert ask("dummy", "--cmdline", "dummy.numdummies=x")["stage"] == "parameters"


def test_loaded_before(ask: Lkm, make: Make) -> None:
    first = make("first.ko", own_module("first", licence="Proprietary", exports=offering("one")))
    path = make("mod.ko", own_module(licence="Proprietary", imports=needing("one")))
    alone = ask(path)
    assert (alone["errno"], alone["log"][-1]) == (2, "mod: Unknown symbol one (err -2)")
    assert alone["log"][1] == LOCKDEP_LINE
    result = ask(path, "--loaded", first)
    assert (result["loads"], result["taints"], result["kernel_taint"]) == (True, ["P", "E"], 0x2001)
    assert result["log"] == []
    assert ask(first, "--loaded", first)["errno"] == 17


def test_a_name_as_loaded_before(say: Lkm) -> None:
    assert say("--raw", "vfat").status == 1
    assert say("--raw", "--loaded", "fat", "vfat").status == 0
    assert "no such file" in say("--loaded", "nosuch", "vfat").err


def test_loaded_before_signatures_counted(ask: Lkm, make: Make) -> None:
    """Signatures can be enforced, and a kernel locked down, after something has been loaded."""
    first = make("first.ko", own_module("first", exports=offering("one")))
    path = make("mod.ko", own_module(imports=needing("one")))
    result = ask(path, "--loaded", first, "--sig-enforce", "--lockdown", "integrity")
    assert (result["errno"], result["kernel_taint"]) == (129, 0x2000)


@pytest.mark.parametrize("mask", ["12288", "0x3000", "OE", "G O E", "EO"])
def test_tainted(ask: Lkm, make: Make, mask: str) -> None:
    result = ask(make("mod.ko", own_module(intree=False)), "--tainted", mask)
    assert (result["log"], result["taints"], result["kernel_taint"]) == ([], ["O", "E"], 0x3000)


def test_lines_that_come_once_per_boot(ask: Lkm, make: Make) -> None:
    path = make("mod.ko", own_module(licence="Proprietary"))
    licence = "mod: module license 'Proprietary' taints kernel."
    assert ask(path)["log"] == [licence, LOCKDEP_LINE, UNSIGNED_LINE]
    assert ask(path, "--tainted", "E")["log"] == [licence, LOCKDEP_LINE]
    assert ask(path, "--tainted", "F")["log"] == [licence, UNSIGNED_LINE]
    assert ask(path, "--tainted", "0")["log"] == [licence, LOCKDEP_LINE, UNSIGNED_LINE]


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_trust(ask: Lkm, make: Make, encoding: serialization.Encoding) -> None:
    signer = Signer()
    path = make("mod.ko", signer.signed(own_module()))
    certificate = make("key.crt", signer.certificate.public_bytes(encoding))
    assert ask(path)["taints"] == ["E"]
    assert ask(path, "--trust", certificate)["taints"] == []
    assert ask(path, "--trust", make("other", Signer("other").der), "--trust", certificate)["taints"] == []


def test_only_a_guess_is_told_as_unknown(ask: Lkm, make: Make) -> None:
    signer, other = Signer(), Signer("other")
    path = make("mod.ko", signer.signed(own_module()))
    of_image = "which keys the kernel trusts: its image could not be read"
    trusted = ask(path, "--trust", make("key.crt", signer.der))
    assert trusted["undecidable"] == ["what the module's init function returns"]
    assert of_image in ask(path, "--trust", make("other.crt", other.der))["undecidable"]
    assert "which keys it holds is not known" in ask("fat")["undecidable"][-1]


def test_a_signature_that_is_longer_than_the_kernel_reads(ask: Lkm, make: Make) -> None:
    result = ask(make("mod.ko", append(own_module(), bytes(70000))))
    assert (result["errno"], result["ids"][0]) == (90, "long-signature")
