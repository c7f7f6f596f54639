"""Which keyring holds which key."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from tests.support.efi_files import make_firmware
from tests.support.signing import Signer

from lkm.formats.certificate import describe
from lkm.formats.efi_signature_lists import SignatureEntry, SignatureType
from lkm.formats.efi_variables import Attributes
from lkm.system.firmware import FirmwareState
from lkm.system.kernel_profile import KernelProfile
from lkm.system.root import Root
from lkm.system.trust_store import Keyring, TrustStore, read_trust_store, trust_store_of

DEBIANS = dict.fromkeys(
    (
        *("LOAD_UEFI_KEYS", "INTEGRITY_PLATFORM_KEYRING", "INTEGRITY_MACHINE_KEYRING", "SECONDARY_TRUSTED_KEYRING"),
        *("SYSTEM_BLACKLIST_KEYRING", "IMA_SECURE_AND_OR_TRUSTED_BOOT"),
    ),
    "y",
)
UPSTREAM = "Linux version 6.12.1 (me@home) (gcc) #1 SMP"


@cache
def signer(name: str) -> Signer:
    return Signer(name)


def der(name: str) -> bytes:
    return signer(name).der


@cache
def authority(*, signs_files: bool) -> bytes:
    """A certificate that may certify others."""
    own = signer("authority")
    usage = x509.KeyUsage(
        signs_files, *(False,) * 4, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False
    )
    certificate = own.certificate
    return (
        x509.CertificateBuilder(certificate.issuer, certificate.subject, own.key.public_key(), 77)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(own.key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def kernel(release: str = "6.1.0-56-amd64", version: str = "", **options: str | None) -> KernelProfile:
    """Debian's kernel, with other options."""
    config = {name: value for name, value in {**DEBIANS, **options}.items() if value is not None}
    return KernelProfile(
        release=release,
        machine=62,
        vermagic="",
        struct_module_size=None,
        exports={},
        config=config,
        certificates=(der("built in"),),
        version=version,
        sources={"certificates": "/boot/vmlinuz", "config": "/boot/config"},
    )


def entries(*certificates: bytes, kind: SignatureType = SignatureType.X509) -> tuple[SignatureEntry, ...]:
    return tuple(SignatureEntry(kind.value, "", certificate) for certificate in certificates)


FIRMWARE = FirmwareState(
    is_efi=True,
    secure_boot=True,
    setup_mode=False,
    db=entries(der("db")),
    mok_list=entries(der("mok")),
    sources={"db": "efivars/db", "MokListRT": "mok-variables/MokListRT"},
)


def held(store: TrustStore) -> dict[str, list[str]]:
    """Name the keys of each keyring."""
    found: dict[str, list[str]] = {}
    for key in store.keys:
        facts = describe(key.certificate)
        found.setdefault(key.keyring.value, []).append(facts.name if facts else "?")
    return found


def test_debians_under_secure_boot() -> None:
    store = trust_store_of(kernel(), FIRMWARE)
    assert held(store) == {".builtin_trusted_keys": ["built in"], ".platform": ["db"], ".machine": ["mok"]}
    assert [key.source for key in store.keys] == ["/boot/vmlinuz", "efivars/db", "mok-variables/MokListRT"]
    assert [key.keyring for key in store.of(Keyring.PLATFORM)] == [Keyring.PLATFORM]
    assert store.problems == ()


@pytest.mark.parametrize(
    ("profile", "trusts", "keyring"),
    [
        (kernel(), False, ".machine"),
        (kernel("6.12.107+deb13-amd64"), False, ".machine"),
        (kernel("5.10.0-32-amd64", INTEGRITY_MACHINE_KEYRING=None), False, ".platform"),
        (kernel("7.2.13-1-amd64"), False, ".platform"),
        (kernel("7.2.13-1-amd64"), True, ".machine"),
        (kernel("6.12.1", UPSTREAM), False, ".platform"),
        (kernel("6.12.1", UPSTREAM), True, ".machine"),
        (kernel("6.12.1", UPSTREAM, INTEGRITY_MACHINE_KEYRING=None), True, ".platform"),
    ],
)
def test_where_the_owners_keys_go(
    profile: KernelProfile,
    trusts: bool,  # noqa: FBT001  a parameter of the test
    keyring: str,
) -> None:
    store = trust_store_of(profile, replace(FIRMWARE, trusts_owner_keys=trusts))
    assert "mok" in held(store)[keyring]


@pytest.mark.parametrize(
    ("certificate", "options", "keyring"),
    [
        (der("mok"), {}, ".platform"),
        (authority(signs_files=True), {}, ".machine"),
        (authority(signs_files=True), {"INTEGRITY_CA_MACHINE_KEYRING_MAX": "y"}, ".platform"),
        (authority(signs_files=False), {"INTEGRITY_CA_MACHINE_KEYRING_MAX": "y"}, ".machine"),
    ],
)
def test_only_authorities_are_taken(certificate: bytes, options: dict[str, str], keyring: str) -> None:
    profile = kernel("6.12.107+deb13-amd64", INTEGRITY_CA_MACHINE_KEYRING="y", **options)
    store = trust_store_of(profile, replace(FIRMWARE, db=(), mok_list=entries(certificate)))
    assert [key.keyring.value for key in store.keys if key.certificate == certificate] == [keyring]


@pytest.mark.parametrize(
    ("profile", "firmware"),
    [
        (kernel(), replace(FIRMWARE, secure_boot=False)),
        (kernel(), replace(FIRMWARE, setup_mode=True)),
        (kernel(), replace(FIRMWARE, mok_validation_disabled=True)),
        (kernel(IMA_SECURE_AND_OR_TRUSTED_BOOT=None), FIRMWARE),
    ],
)
def test_without_secure_boot_the_owners_keys_count_for_nothing(profile: KernelProfile, firmware: FirmwareState) -> None:
    store = trust_store_of(profile, replace(firmware, mok_denied=entries(b"\0" * 32, kind=SignatureType.SHA256)))
    assert held(store) == {".builtin_trusted_keys": ["built in"], ".platform": ["db"]}
    assert store.revoked_hashes == frozenset()
    assert "count for nothing" in store.problems[0]


def test_a_kernel_that_does_not_ask_ima() -> None:
    store = trust_store_of(kernel("7.2.13-1-amd64", IMA_SECURE_AND_OR_TRUSTED_BOOT=None), FIRMWARE)
    assert "mok" in held(store)[".platform"]


def test_a_kernel_that_loads_none() -> None:
    assert held(trust_store_of(kernel(LOAD_UEFI_KEYS=None), FIRMWARE)) == {".builtin_trusted_keys": ["built in"]}


def test_an_apple_and_an_owner_who_wants_no_db() -> None:
    store = trust_store_of(kernel(), replace(FIRMWARE, is_apple_t2=True))
    assert held(store) == {".builtin_trusted_keys": ["built in"]}
    assert "T2" in store.problems[0]
    assert ".platform" not in held(trust_store_of(kernel(), replace(FIRMWARE, ignores_db=True)))


def test_revoked_certificates_need_a_list() -> None:
    firmware = replace(FIRMWARE, dbx=entries(der("revoked")), mok_denied=entries(der("denied")))
    store = trust_store_of(kernel(SYSTEM_REVOCATION_LIST="y"), firmware)
    assert held(store)[".blacklist"] == ["revoked", "denied"]
    without = trust_store_of(kernel(), firmware)
    assert ".blacklist" not in held(without)
    assert all("to no effect" in problem for problem in without.problems)
    assert len(without.problems) == 2


def test_hashes_as_the_kernel_writes_them() -> None:
    firmware = replace(
        FIRMWARE,
        dbx=(
            *entries(b"\x01" * 32, kind=SignatureType.SHA256),
            *entries(b"\x02" * 48, kind=SignatureType.X509_SHA256),
            *entries(b"\x03" * 20, kind=SignatureType.SHA1),
        ),
    )
    store = trust_store_of(kernel(), firmware)
    assert store.revoked_hashes == {f"bin:{'01' * 32}", f"tbs:{'02' * 48}"}
    assert store.problems[0].startswith("dbx revokes certificates by a hash with a time, to no effect")
    assert not trust_store_of(kernel(SYSTEM_BLACKLIST_KEYRING=None), firmware).revoked_hashes


@pytest.mark.parametrize(("place", "taken"), [("mok", False), ("db", True), ("built in", True)])
def test_a_revoked_certificate_is_not_taken_any_more(place: str, taken: bool) -> None:  # noqa: FBT001  of the test
    facts = describe(der(place))
    assert facts is not None
    dbx = entries(bytes.fromhex(facts.tbs_sha256), kind=SignatureType.X509_SHA256)
    store = trust_store_of(kernel(), replace(FIRMWARE, dbx=dbx))
    assert any(place in names for names in held(store).values()) is taken


def test_a_hash_of_another_kind_than_the_signatures() -> None:
    own = signer("sha512")
    certificate = (
        x509.CertificateBuilder(own.certificate.issuer, own.certificate.subject, own.key.public_key(), 5)
        .not_valid_before(own.certificate.not_valid_before_utc)
        .not_valid_after(own.certificate.not_valid_after_utc)
        .sign(own.key, hashes.SHA512())
        .public_bytes(serialization.Encoding.DER)
    )
    facts = describe(certificate)
    assert facts is not None
    dbx = entries(bytes.fromhex(facts.tbs_sha256), kind=SignatureType.X509_SHA256)
    firmware = replace(FIRMWARE, dbx=dbx, mok_list=entries(certificate))
    assert held(trust_store_of(kernel(), firmware)).get(".machine") == ["sha512"]
    assert "sha512" not in held(trust_store_of(kernel("7.2.13-1-amd64"), firmware)).get(".platform", [])


def test_a_kernel_that_looks_at_attributes() -> None:
    profile = kernel("5.10.0-32-amd64", INTEGRITY_MACHINE_KEYRING=None)
    good = {"db": Attributes(0x27), "MokListRT": Attributes(6)}
    bad = {"db": Attributes(7), "MokListRT": Attributes(7)}
    firmware = replace(FIRMWARE, sources={"db": "db", "MokListRT": "MokListRT"}, attributes=good)
    assert held(trust_store_of(profile, firmware))[".platform"] == ["db", "mok"]
    store = trust_store_of(profile, replace(firmware, attributes=bad))
    assert held(store) == {".builtin_trusted_keys": ["built in"]}
    assert [problem.split(":")[0] for problem in store.problems] == ["db", "MokListRT"]
    from_table = replace(firmware, attributes=bad, sources={"MokListRT": "/sys/firmware/efi/mok-variables/MokListRT"})
    assert held(trust_store_of(profile, from_table))[".platform"] == ["mok"]


def test_what_is_not_known() -> None:
    sources = {"config": "guessed from a module", "certificates": "unknown: no kernel image was found"}
    profile = replace(kernel(), certificates=None, config={}, sources=sources)
    store = trust_store_of(profile, FIRMWARE)
    assert store.problems[0] == "the keys in the kernel image are not known: no kernel image was found"
    assert held(store) == {".platform": ["db"], ".machine": ["mok"]}
    assert [problem.partition(":")[0] for problem in store.problems] == [
        "the keys in the kernel image are not known",
        "the kernel's configuration is not known, so where the firmware's keys go is a guess",
    ]


def test_what_is_no_certificate() -> None:
    store = trust_store_of(kernel(), replace(FIRMWARE, mok_list=entries(b"wibble")))
    assert store.problems == ("mok-variables/MokListRT: 6 bytes where a certificate should be",)


def test_what_stands_behind_a_certificate_is_left_alone() -> None:
    store = trust_store_of(kernel(), replace(FIRMWARE, mok_list=entries(der("mok") + b"\0\0\0")))
    assert [key.certificate for key in store.of(Keyring.MACHINE)] == [der("mok")]


def test_hashes_of_the_kernels_build() -> None:
    store = trust_store_of(kernel(SYSTEM_BLACKLIST_HASH_LIST="hashes"), FIRMWARE)
    assert store.problems == ("the hashes that the kernel's build lists as revoked are not known",)


def test_of_a_root(tmp_path: Path) -> None:
    make_firmware(tmp_path, mok=[der("mok")])
    store = read_trust_store(Root(str(tmp_path)), kernel())
    assert held(store)[".machine"] == ["mok"]
    assert store.firmware.enforces
