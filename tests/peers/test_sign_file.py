"""sign-file beside that of the kernel's build tools: the same bytes, and each verifies what the other signed."""

import datetime as dt
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from tests.support.front_ends import Outcome, Run, run_front_end
from tests.support.require import missing, require_tool
from tests.support.signing_keys import certified, der_of, encoded, write_pair

from lkm.formats.cms import parse
from lkm.formats.cms_writer import DIGESTS
from lkm.formats.module_signature import split
from lkm.rules.signatures.check import check
from lkm.rules.signatures.policy import SignatureState

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("sign-file")]

KEYS = ("rsa-2048", "rsa-4096", "p-256", "p-384")
CONTENT = b"\x7fELF" + bytes(range(256)) * 20
PASS_PHRASE = b"a pass phrase"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and its certificate, in files."""

    key: str
    certificate: str
    der: bytes
    is_rsa: bool


Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _signer(directory: Path, key: Key, certificate: x509.Certificate | None = None) -> Signer:
    directory.mkdir()
    found = certificate or certified(key)
    return Signer(*write_pair(directory, key, found), der_of(found), isinstance(key, rsa.RSAPrivateKey))


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signer]:
    directory = tmp_path_factory.mktemp("signers")
    keys: tuple[Key, ...] = (
        *(rsa.generate_private_key(65537, size) for size in (2048, 4096)),
        *(ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1())),
    )
    return {name: _signer(directory / name, key) for name, key in zip(KEYS, keys, strict=True)}


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "some.ko"
    path.write_bytes(CONTENT)
    return path


def real(*words: str) -> Outcome:
    """Run the real one; OpenSSL's own lines are left out, as they differ from version to version."""
    found = sorted(Path("/usr/lib").glob("linux-kbuild-*/scripts/sign-file"))
    if not found:
        missing("no sign-file: no linux-kbuild package is installed")
    done = subprocess.run(
        ["sign-file", *words],
        executable=found[-1],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("At main.c:", "- SSL error:"))]
    return Outcome(done.returncode, done.stdout, lines, [])


def ours(*words: str) -> Outcome:
    return run_front_end("sign_file", *words)


def _signature(path: Path) -> bytes:
    data = path.read_bytes()
    size, trailer = split(data)
    assert trailer is not None
    assert data[:size] == CONTENT
    return trailer.signature(data)


def _openssl_verifies(signature: Path, signer: Signer, module: Path) -> bool:
    words = ["cms", "-verify", "-binary", "-inform", "DER", "-in", str(signature), "-content", str(module)]
    words += ["-certfile", signer.certificate, "-nointern", "-noverify", "-out", "/dev/null"]
    return subprocess.run([require_tool("openssl"), *words], capture_output=True, check=False).returncode == 0


# --- what it writes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_key_id", [(), ("-k",)], ids=["by-serial", "by-key-id"])
@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("key", KEYS)
def test_bytes(
    key: str, digest: str, by_key_id: Sequence[str], signers: dict[str, Signer], module: Path, tmp_path: Path
) -> None:
    signer = signers[key]
    words = digest, signer.key, signer.certificate, str(module)
    their_file, our_file, detached = tmp_path / "theirs.ko", tmp_path / "ours.ko", Path(f"{module}.p7s")

    assert ours("-p", *by_key_id, *words, str(our_file)).compared == (0, "", [])
    our_signature = detached.read_bytes()
    assert our_signature == _signature(our_file)
    assert check(our_file.read_bytes(), [signer.der], edition=2).state is SignatureState.TRUSTED
    theirs = real("-p", *by_key_id, *words, str(their_file))
    if theirs.status and digest.startswith("sha3-") and not signer.is_rsa:
        assert theirs.errors == ["sign-file: CMS_add1_signer"]  # OpenSSL before 3.2 has no ECDSA over SHA-3
        return
    assert theirs.compared == (0, "", [])
    their_signature = detached.read_bytes()
    assert check(their_file.read_bytes(), [signer.der], edition=2).state is SignatureState.TRUSTED
    assert _openssl_verifies(_written(tmp_path / "ours.p7s", our_signature), signer, module)

    _assert_same(our_signature, their_signature, (*by_key_id, *words), detached, signer)
    if signer.is_rsa:
        assert our_file.read_bytes() == their_file.read_bytes()


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _assert_same(ours_: bytes, theirs: bytes, words: Sequence[str], detached: Path, signer: Signer) -> None:
    """Hold two messages against each other: with ECDSA up to the signature's value, of which two of a size are made."""
    if not signer.is_rsa:
        for attempt in range(200):
            if len(ours_) == len(theirs) and _value_size(ours_) == _value_size(theirs):
                break
            # Few values are some bytes short: now and then another of theirs, too.
            assert (real if attempt % 8 == 7 else ours)("-d", *words).status == 0
            if attempt % 8 == 7:
                theirs = detached.read_bytes()
            else:
                ours_ = detached.read_bytes()
        size = _value_size(theirs)
        ours_, theirs = ours_[:-size], theirs[:-size]
    assert ours_ == theirs


def _value_size(message: bytes) -> int:
    return len(parse(message).signers[0].signature)


@pytest.mark.parametrize("key", KEYS)
def test_detached_and_raw_in_both_directions(
    key: str, signers: dict[str, Signer], module: Path, tmp_path: Path
) -> None:
    signer = signers[key]
    detached = Path(f"{module}.p7s")
    for make, attach in ((ours, real), (real, ours)):
        assert make("-d", "sha512", signer.key, signer.certificate, str(module)).compared == (0, "", [])
        signature = _written(tmp_path / "apart.p7s", detached.read_bytes())
        assert sorted(path.name for path in tmp_path.iterdir()) == ["apart.p7s", "some.ko", "some.ko.p7s"]
        signed = [tmp_path / "a.ko", tmp_path / "b.ko"]
        for run, path in zip((attach, make), signed, strict=True):
            assert run("-s", str(signature), "sha512", signer.certificate, str(module), str(path)).status == 0
        assert signed[0].read_bytes() == signed[1].read_bytes()
        assert check(signed[0].read_bytes(), [signer.der]).state is SignatureState.TRUSTED
        for path in (signature, *signed):
            path.unlink()


@pytest.mark.parametrize("run", [ours, real])
def test_in_place(run: Run, signers: dict[str, Signer], module: Path, tmp_path: Path) -> None:
    signer = signers["rsa-2048"]
    apart = tmp_path / "apart.ko"
    assert real("sha256", signer.key, signer.certificate, str(module), str(apart)).status == 0
    for destination in ([], [str(module)]):
        module.write_bytes(CONTENT)
        assert run("sha256", signer.key, signer.certificate, str(module), *destination).status == 0
        assert module.read_bytes() == apart.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["apart.ko", "some.ko"]


# --- certificates of all kinds ----------------------------------------------------------------------------------------


def _name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


_OID = x509.NameOID
NAMES = {
    "none": x509.Name([]),
    "long": _name(
        *((_OID.ORGANIZATIONAL_UNIT_NAME, f"{number} " * 12) for number in range(9)), (_OID.COMMON_NAME, "Zoë · 鍵")
    ),
    "mail": _name((_OID.COUNTRY_NAME, "DE"), (_OID.COMMON_NAME, "Modules"), (_OID.EMAIL_ADDRESS, "a@example.org")),
    "sets": x509.Name(
        [
            x509.RelativeDistinguishedName(
                [x509.NameAttribute(_OID.COMMON_NAME, "b"), x509.NameAttribute(_OID.ORGANIZATION_NAME, "a")]
            )
        ]
    ),
}


@pytest.mark.parametrize("serial", [1, 0x7F, 0x80, (1 << 159) - 1, 1 << 158])
def test_serial_numbers(serial: int, module: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    _assert_frame(_signer(tmp_path / "s", key, certified(key, serial=serial)), module, ())


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str, module: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    _assert_frame(_signer(tmp_path / "s", key, certified(key, name=NAMES[name])), module, ())


@pytest.mark.parametrize("size", [1, 20, 100, 127])
def test_key_identifiers(size: int, module: Path, tmp_path: Path) -> None:
    identifier = x509.SubjectKeyIdentifier(bytes(range(size)))
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = certified(key, extensions=[identifier], with_key_id=False)
    _assert_frame(_signer(tmp_path / "s", key, certificate), module, ("-k",))


@pytest.mark.parametrize("options", [["-set_serial", "-5"], ["-set_serial", "0"], ["-config", "CONFIG"]], ids=" ".join)
def test_certificates_that_only_openssl_makes(options: list[str], module: Path, tmp_path: Path) -> None:
    """Serial numbers that should not be, and X.509 version 1."""
    key = _written(tmp_path / "key", encoded(ec.generate_private_key(ec.SECP256R1())))
    config = _written(tmp_path / "config", b"[req]\ndistinguished_name=n\n[n]\n")
    certificate = tmp_path / "certificate"
    words = ["req", "-x509", "-key", str(key), "-out", str(certificate), "-subj", "/CN=x"]
    options = [str(config) if word == "CONFIG" else word for word in options]
    subprocess.run([require_tool("openssl"), *words, *options], check=True, capture_output=True)
    _assert_frame(Signer(str(key), str(certificate), b"", is_rsa=False), module, ())


def test_an_expired_certificate(module: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    begin, end = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2020, 2021))
    _assert_frame(_signer(tmp_path / "s", key, certified(key, begin=begin, end=end)), module, ())


def _assert_frame(signer: Signer, module: Path, options: Sequence[str]) -> None:
    """Hold both messages of a P-256 key against each other."""
    words = (*options, "sha256", signer.key, signer.certificate, str(module))
    detached = Path(f"{module}.p7s")
    assert ours("-d", *words).compared == (0, "", [])
    our_signature = detached.read_bytes()
    assert real("-d", *words).compared == (0, "", [])
    _assert_same(our_signature, detached.read_bytes(), words, detached, signer)


def test_a_certificate_in_der_and_one_with_its_key(signers: dict[str, Signer], module: Path, tmp_path: Path) -> None:
    signer = signers["rsa-2048"]
    der = _written(tmp_path / "c.der", signer.der)
    both = _written(tmp_path / "both.pem", Path(signer.key).read_bytes() + Path(signer.certificate).read_bytes())
    signatures = set()
    for key, certificate in ((signer.key, der), (both, both)):
        for run in (ours, real):
            assert run("-d", "sha256", str(key), str(certificate), str(module)).status == 0
            signatures.add(Path(f"{module}.p7s").read_bytes())
    assert len(signatures) == 1


def test_an_encrypted_key(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    crypt = _written(tmp_path / "crypt", encoded(key, pass_phrase=PASS_PHRASE))
    certificate = _written(tmp_path / "crt", certified(key).public_bytes(Encoding.PEM))
    words = "sha256", str(crypt), str(certificate), str(module), str(tmp_path / "out.ko")
    for phrase, status in ((None, 1), ("another", 1), (PASS_PHRASE.decode(), 0)):
        if phrase is not None:
            monkeypatch.setenv("KBUILD_SIGN_PIN", phrase)
        their, our = real(*words), ours(*words)
        assert (our.status, our.errors) == (their.status, their.errors)
        assert our.status == status


# --- wrong calls ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        *[
            "",
            "-x",
            "-h",
            "--help",
            "-dx",
            "sha256",
            "sha256 KEY CERT",
            "sha256 KEY CERT MODULE a b",
            "-s x sha256 CERT",
        ],
        *["sha256 KEY CERT nope", "sha256 nope CERT MODULE", "sha256 KEY nope MODULE", "sha256 KEY EMPTY MODULE"],
        *["sha256 KEY KEY MODULE", "sha256 CERT CERT MODULE", "sha256 KEY OTHER MODULE", "nope KEY CERT MODULE"],
        *["sha256 EMPTY CERT MODULE", "-s nope sha256 CERT MODULE", "sha256 KEY CERT MODULE /nope/x", "-k sha256 KEY"],
        *["sha256 KEY CERT .", "-k sha256 BARE-KEY BARE MODULE", "sha256 . CERT MODULE", "sha256 KEY . MODULE"],
        *["sha256 nope nope nope", "sha256 KEY CERT MODULE .", "-d -s nope sha256 nope nope"],
    ],
)
def test_wrong_calls(
    words: str, signers: dict[str, Signer], module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1())
    bare = _signer(tmp_path / "bare", key, certified(key, with_key_id=False))
    _written(tmp_path / "EMPTY", b"")
    stand_for = {"KEY": signers["rsa-2048"].key, "CERT": signers["rsa-2048"].certificate, "MODULE": str(module)}
    stand_for |= {"OTHER": signers["p-256"].certificate, "BARE-KEY": bare.key, "BARE": bare.certificate}
    arguments = [stand_for.get(word, word) for word in words.split()]
    their, our = real(*arguments), ours(*arguments)
    assert (our.status, our.errors) == (their.status, their.errors)
    assert their.status
    assert module.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "words",
    [
        *["-k sha256 KEY CERT MODULE OUT", "sha256 KEY CERT MODULE OUT -k", "-- SHA256 KEY CERT MODULE OUT"],
        *["RSA-SHA512 KEY CERT MODULE OUT", "sha2-384 KEY CERT MODULE OUT", "-pk sha-256 KEY CERT MODULE OUT"],
        *["-dp SHA3-256 KEY CERT MODULE", "-dpk sha1 KEY CERT MODULE OUT", "-s -d CERT nope nope MODULE OUT"],
    ],
)
def test_right_calls(words: str, signers: dict[str, Signer], module: Path, tmp_path: Path) -> None:
    signer = signers["rsa-2048"]
    left = []
    for run in (ours, real):
        stand_for = {"KEY": signer.key, "CERT": signer.certificate, "MODULE": str(module), "OUT": str(tmp_path / "out")}
        assert run(*[stand_for.get(word, word) for word in words.split()]).compared == (0, "", [])
        written = {path.name: path for path in tmp_path.iterdir() if path != module}
        left.append({name: path.read_bytes() for name, path in written.items()})
        for path in written.values():
            path.unlink()
    assert left[0] == left[1]
    assert left[0]
