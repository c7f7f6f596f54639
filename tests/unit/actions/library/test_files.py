"""Files that a program hands over."""

from pathlib import Path

import pytest
from tests.support.mok import write_certificate

import lkm


@pytest.mark.parametrize("name", ["mine.der", "mine.pem"])
def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    der = write_certificate(tmp_path, name)
    monkeypatch.chdir(tmp_path)
    assert lkm.read_certificates(name) == (der,)


def test_what_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "odd.pem").write_text("odd")
    with pytest.raises(lkm.FormatError) as wrong:
        lkm.read_certificates(f"{tmp_path}/odd.pem")
    assert wrong.value.where == f"{tmp_path}/odd.pem"
    for path in (f"{tmp_path}/none.pem", "", "a\0b"):
        with pytest.raises(lkm.Unreadable):
            lkm.read_certificates(path)
