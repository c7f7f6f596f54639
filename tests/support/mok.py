"""A firmware's variables in a directory, certificates, and a mokutil that a test makes up."""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from tests.support.efi_files import make_firmware
from tests.support.signing import Signer

__all__ = ["copied_variables", "fake_mokutil", "write_certificate"]

_MOKUTIL = """\
#!/bin/sh
# Notes how it was called, and does what the test says.
printf '%s\\n' "$@" > "{log}/arguments"
cat > "{log}/input"
env > "{log}/environment"
{script}
"""


def write_certificate(directory: Path, name: str = "mine.der", *, signer: Signer | None = None) -> bytes:
    """Write a certificate, PEM if its name says so; give it in DER."""
    signer = signer or Signer(name)
    encoding = Encoding.PEM if name.endswith(".pem") else Encoding.DER
    (directory / name).write_bytes(signer.certificate.public_bytes(encoding))
    return signer.der


def copied_variables(root: Path, **lists: object) -> Path:
    """Make a firmware's variables as :func:`tests.support.efi_files.make_firmware` does; give their directory."""
    make_firmware(root, **lists)  # type: ignore[arg-type]  # each caller knows them
    return root / "sys/firmware/efi"


def fake_mokutil(directory: Path, script: str = "exit 0") -> Path:
    """Put a mokutil into a directory, which is to be on the PATH; what it was given is kept beside it."""
    directory.mkdir(exist_ok=True)
    program = directory / "mokutil"
    program.write_text(_MOKUTIL.format(log=directory, script=script))
    program.chmod(0o755)
    return directory
