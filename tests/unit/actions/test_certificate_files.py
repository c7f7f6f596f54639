"""Files of certificates that a user names."""

import os
from pathlib import Path

import pytest
from tests.support.signing import Signer

from lkm.actions.certificate_files import read_certificates, read_certificates_as_der
from lkm.errors import FormatError, Unreadable

ONE = Signer("one")


def test_a_file_and_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "one.der"
    path.write_bytes(ONE.der)
    assert read_certificates(str(path)) == (ONE.certificate,)
    assert read_certificates_as_der(str(path)) == (ONE.der,)
    read, write = os.pipe()
    os.write(write, ONE.der)
    os.close(write)
    assert read_certificates_as_der(f"/dev/fd/{read}") == (ONE.der,)
    os.close(read)


def test_what_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none"
    with pytest.raises(Unreadable, match="no such file") as missing:
        read_certificates(str(path))
    path.write_bytes(b"none")
    with pytest.raises(FormatError, match="holds no certificate") as damaged:
        read_certificates(str(path))
    assert (missing.value.where, damaged.value.where) == (str(path), str(path))
    path.write_bytes(bytes((1 << 20) + 1))
    for odd in (str(path), str(tmp_path), "a\0b", ""):
        with pytest.raises(Unreadable):
            read_certificates(odd)
