"""Made-up firmware as mokutil and efitools read it, and what efitools writes as it is read here."""

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.support.efi_files import lists_of, make_firmware, write_variable
from tests.support.require import require_tool
from tests.support.signing import Signer

from lkm.formats import efi_signature_lists
from lkm.formats.certificate import describe
from lkm.formats.efi_signature_lists import SignatureType
from lkm.formats.efi_variables import SHIM_LOCK
from lkm.system.firmware import read_firmware
from lkm.system.root import Root

pytestmark = pytest.mark.peer


@cache
def signer(name: str) -> Signer:
    return Signer(name, use_rsa=True)


def run(*command: str, efivars: Path | None = None) -> str:
    environment = dict(os.environ)
    if efivars is not None:
        environment["EFIVARFS_PATH"] = f"{efivars}/"  # libefivar's own, for tests
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return done.stdout + done.stderr


def serials(text: str) -> list[str]:
    """Take the serial numbers out of what OpenSSL prints of certificates."""
    lines = text.split("\n")
    return [lines[at + 1].strip().replace(":", "") for at, line in enumerate(lines) if line.strip() == "Serial Number:"]


def test_lists_as_mokutil_reads_them(tmp_path: Path) -> None:
    mokutil = require_tool("mokutil")
    names = {"mok": ("one", "two"), "mok_new": ("new",), "db": ("db",), "dbx": ("no",), "mok_denied": ("denied",)}
    ders = {place: [signer(name).der for name in those] for place, those in names.items()}
    make_firmware(
        tmp_path,
        mok=ders["mok"],
        mok_new=ders["mok_new"],
        db=ders["db"],
        dbx=ders["dbx"],
        mok_denied=ders["mok_denied"],
    )
    efivars = tmp_path / "sys/firmware/efi/efivars"
    state = read_firmware(Root(str(tmp_path)))
    for words, entries in (
        (("--list-enrolled",), state.mok_list),
        (("--list-enrolled", "--mokx"), state.mok_denied),
        (("--list-new",), state.enrolling),
        (("--db",), state.db),
        (("--dbx",), state.dbx),
    ):
        facts = [describe(entry.data) for entry in entries]
        ours = [f"{found.serial:x}" for found in facts if found is not None]
        assert ours
        assert serials(run(mokutil, *words, efivars=efivars)) == ours


@pytest.mark.parametrize(
    ("variables", "told", "enforces"),
    [
        ({"SecureBoot": b"\x01", "SetupMode": b"\0"}, "SecureBoot enabled", True),
        ({"SecureBoot": b"\0", "SetupMode": b"\0"}, "SecureBoot disabled", False),
        ({"SecureBoot": b"\0", "SetupMode": b"\x01"}, "Platform is in Setup Mode", False),
        (
            {"SecureBoot": b"\x01", "SetupMode": b"\0", "MokSBStateRT": b"\x01"},
            "SecureBoot validation is disabled in shim",
            False,
        ),
    ],
)
def test_the_state_as_mokutil_tells_it(
    tmp_path: Path,
    variables: dict[str, bytes],
    told: str,
    enforces: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    mokutil = require_tool("mokutil")
    efivars = tmp_path / "sys/firmware/efi/efivars"
    for name, data in variables.items():
        write_variable(efivars, name, data)
    assert told in run(mokutil, "--sb-state", efivars=efivars)
    assert read_firmware(Root(str(tmp_path))).enforces is enforces


def test_lists_that_efitools_writes(tmp_path: Path) -> None:
    tool = require_tool("cert-to-efi-sig-list")
    certificate = signer("one").certificate
    (tmp_path / "one.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    run(tool, "-g", SHIM_LOCK, str(tmp_path / "one.pem"), str(tmp_path / "one.esl"))
    written = (tmp_path / "one.esl").read_bytes()
    (entry,) = efi_signature_lists.parse(written)
    assert (entry.certificate, entry.owner) == (signer("one").der, SHIM_LOCK)
    assert efi_signature_lists.render(SignatureType.X509, [entry.data], owner=SHIM_LOCK) == written


def test_lists_that_efitools_reads(tmp_path: Path) -> None:
    tool = require_tool("sig-list-to-certs")
    hashes = [b"\x01" * 32, b"\x02" * 32]
    data = lists_of([signer("one").der, signer("two").der], {SignatureType.SHA256: hashes})
    (tmp_path / "db.esl").write_bytes(data)
    run(tool, str(tmp_path / "db.esl"), str(tmp_path / "out"))
    taken = [path.read_bytes() for path in sorted(tmp_path.glob("out-*"))]
    assert taken == [entry.data for entry in efi_signature_lists.parse(data)]
