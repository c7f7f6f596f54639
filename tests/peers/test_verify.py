"""Verifying, compared with modinfo's signers and openssl's answers over the newest module tree."""

import json
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests.support.front_ends import run_real
from tests.support.real_tree import modules, tree
from tests.support.require import missing, require_tool
from tests.support.schema import check_schema

from lkm.actions.profile import profile_for
from lkm.actions.session import Session, Target
from lkm.actions.verifying.options import VerifyOptions
from lkm.actions.verifying.verify import VerifyReport, verify
from lkm.formats.module_signature import append, split
from lkm.interfaces.cli.main import main
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root

pytestmark = pytest.mark.peer

EVERY = 400
"""Of the tree's modules openssl verifies every four-hundredth."""


@pytest.fixture(scope="module")
def report() -> VerifyReport:
    with Session(Target(release=tree().name)) as session:
        return verify(session, [], VerifyOptions(tree=""))


@pytest.fixture(scope="module")
def certificate() -> x509.Certificate:
    """The key that the kernel's build made for its modules."""
    with Session(Target(release=tree().name)) as session:
        certificates = profile_for(session).certificates
    if not certificates:
        missing("the kernel's image, which has the certificates")
    return x509.load_der_x509_certificate(certificates[0])


def test_every_module_of_the_tree_is_accepted(report: VerifyReport, certificate: x509.Certificate) -> None:
    assert not report.errors
    assert len(report.modules) >= len(modules())
    answers = [module.answer for module in report.modules]
    assert {answer.keyring for answer in answers} == {".builtin_trusted_keys"}
    assert {answer.is_untouched for answer in answers} == {True}
    assert {int(answer.serial, 16) for answer in answers} == {certificate.serial_number}
    (common,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert {answer.signer for answer in answers} == {common.value}


def test_the_signers_are_those_that_modinfo_shows(report: VerifyReport) -> None:
    by_path = {Path(module.path).resolve(): module.answer for module in report.modules}
    chosen = modules()[::EVERY]
    for field, own in (("signer", "signer"), ("sig_hashalgo", "digest")):
        shown = run_real("modinfo", "-F", field, *map(str, chosen)).output.split("\n")[: len(chosen)]
        assert shown == [getattr(by_path[path.resolve()], own) for path in chosen]


@pytest.mark.parametrize("change", ["none", "first byte", "signature", "other signature"])
def test_openssl_says_the_same(change: str, certificate: x509.Certificate, tmp_path: Path) -> None:
    require_tool("openssl")
    pem = tmp_path / "certificate.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    chosen = modules()[::EVERY]
    contents = [ModuleFile(Root(), str(path)).contents for path in chosen]
    parts = [(whole[: split(whole)[0]], whole[split(whole)[0] : -40]) for whole in contents]
    theirs, files = [], []
    for number, (content, signature) in enumerate(parts):
        data, message = _changed(change, content, signature, parts[number - 1][1])
        theirs.append(_openssl(tmp_path, pem, data, message))
        files.append(tmp_path / f"{number}.ko")
        files[-1].write_bytes(append(data, message))
    given = ((certificate.public_bytes(serialization.Encoding.DER), str(pem)),)
    with Session(Target(release=tree().name)) as session:
        found = verify(session, [str(file) for file in files], VerifyOptions(certificates=given))
    assert [module.answer.is_accepted for module in found.modules] == theirs
    assert theirs == [change == "none"] * len(chosen)


def _changed(change: str, content: bytes, signature: bytes, other: bytes) -> tuple[bytes, bytes]:
    match change:
        case "first byte":
            return content[:64] + bytes((content[64] ^ 1,)) + content[65:], signature
        case "signature":
            return content, signature[:-1] + bytes((signature[-1] ^ 1,))
        case "other signature":
            return content, other
    return content, signature


def _openssl(place: Path, pem: Path, data: bytes, message: bytes) -> bool:
    (place / "data").write_bytes(data)
    (place / "message").write_bytes(message)
    usual = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-nointern", "-out", "/dev/null"]
    given = ["-certfile", str(pem), "-content", str(place / "data"), "-in", str(place / "message")]
    return subprocess.run([*usual, *given], capture_output=True, check=False).returncode == 0


def test_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--release", tree().name, "verify", "--json", "--tree"]) == 0
    answer = json.loads(capsys.readouterr().out)
    check_schema(answer, "verify")
    assert all(module["accepted"] and module["loads"] for module in answer["modules"])
