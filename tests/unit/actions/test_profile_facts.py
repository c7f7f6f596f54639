"""A profile as facts."""

import datetime as dt
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.unit.formats.test_certificate_bundle import ODD

from lkm.actions.profile_facts import Fact, facts_of
from lkm.formats.ksymtab import Export
from lkm.system.kernel_profile import KernelProfile

PROFILE = KernelProfile(
    release="6.1.0-x",
    machine=62,
    vermagic="6.1.0-x SMP ",
    struct_module_size=0x380,
    exports={
        "a": Export("a", 1, gpl_only=True, namespace=None),
        "b": Export("b", 2, gpl_only=False, namespace=None),
    },
    config={"MODULE_SIG": "y", "SECURITY_LOCKDOWN_LSM": "y"},
    module_exports={"m": (Export("c", 3, gpl_only=False, namespace=None),)},
    builtin_parameters={"printk": ("time", "cpu")},
    version="Linux version 6.1.0-x (a@b) (cc #1) #7 SMP 2026",
    sources={"release": "here", "config": "the config", "command_line": "the loader"},
)


def _facts(profile: KernelProfile) -> dict[str, Fact]:
    return {fact.name: fact for fact in facts_of(profile)}


def test_values_texts_and_sources() -> None:
    facts = _facts(PROFILE)
    assert facts["release"] == Fact("release", "6.1.0-x", "6.1.0-x", "here")
    assert facts["version"] == Fact("version", PROFILE.version, "#7 SMP 2026", "unknown")
    assert facts["machine"].text == "x86_64, 64 bits, little-endian"
    assert (facts["struct_module_size"].value, facts["struct_module_size"].text) == (896, "896 bytes")
    assert facts["exports"].text == "2 symbols, 1 of them GPL-only, with CRCs"
    assert facts["module_exports"].text == "1 modules export symbols"
    assert facts["builtin_parameters"].value == 2
    assert facts["command_line"] == Fact("command_line", "", "-", "the loader")
    assert facts["certificates"] == Fact("certificates", None, "-", "unknown")
    assert "revoked_certificates" not in facts


def test_what_is_unknown_or_odd() -> None:
    facts = _facts(replace(PROFILE, machine=65000, struct_module_size=None, version="odd", exports={}))
    assert facts["machine"].text.startswith("ELF machine 65000, ")
    assert (facts["struct_module_size"].value, facts["struct_module_size"].text) == (None, "-")
    assert facts["version"].text == "odd"
    assert facts["exports"].text == "0 symbols, 0 of them GPL-only, without CRCs"


def test_certificates_that_the_library_has_errors_of_its_own_for() -> None:
    facts = _facts(replace(PROFILE, certificates=tuple(ODD.values())))
    assert facts["certificates"].value == [f"{len(der)} bytes that are no certificate" for der in ODD.values()]


@pytest.mark.parametrize(
    ("options", "command_line", "enforced", "signatures", "lockdown"),
    [
        ("MODULE_SIG SECURITY_LOCKDOWN_LSM", "", False, "unsigned modules load, too", "none"),
        ("MODULE_SIG", "module.sig_enforce=1", True, "only signed modules load", "not supported"),
        ("MODULE_SIG MODULE_SIG_FORCE SECURITY_LOCKDOWN_LSM", "lockdown=integrity", True, "only signed", "integrity"),
        ("SECURITY_LOCKDOWN_LSM LOCK_DOWN_IN_EFI_SECURE_BOOT", "", False, "not checked", "integrity under Secure"),
    ],
)
def test_policies(options: str, command_line: str, enforced: bool, signatures: str, lockdown: str) -> None:  # noqa: FBT001
    config = dict.fromkeys(options.split(), "y")
    facts = _facts(replace(PROFILE, config=config, command_line=command_line))
    assert facts["sig_enforce"].value is enforced
    assert signatures in facts["sig_enforce"].text
    assert lockdown in facts["lockdown"].text
    assert facts["lockdown"].source == ("the config, the loader" if command_line else "the config")


def test_certificates_are_named() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The key")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(1))
    der = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    facts = _facts(replace(PROFILE, certificates=(der, b"\x30\x00"), revoked_certificates=(der,)))
    assert facts["certificates"].text == "CN=The key; 2 bytes that are no certificate"
    assert facts["revoked_certificates"].value == ["CN=The key"]
    assert _facts(replace(PROFILE, certificates=()))["certificates"].text == "none"
