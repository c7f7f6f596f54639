"""A certificate that looks like a wrong choice is refused, and the module is left as it was."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.signing_keys import certified, der_of, encoded, key_usage

from lkm.actions.session import Session, Target
from lkm.actions.signing.sign import SignRequest, carry_out, prepare
from lkm.errors import UsageError

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
CASES = {
    "the certificate expired on": {"begin": NOW - 3 * DAY, "end": NOW - DAY},
    "the certificate is valid only from": {"begin": NOW + DAY, "end": NOW + 3 * DAY},
    "lacks digitalSignature": {"extensions": (key_usage("key_cert_sign"),)},
}


def _request(place: Path, module: Path, case: str, *, any_certificate: bool) -> SignRequest:
    key = ec.generate_private_key(ec.SECP256R1())
    (place / "own.key").write_bytes(encoded(key))
    (place / "own.der").write_bytes(der_of(certified(key, **CASES[case])))  # type: ignore[arg-type]  # by name
    words, paths = (str(module),), (str(place / "own.key"), str(place / "own.der"))
    return SignRequest(words, key=paths[0], certificate=paths[1], any_certificate=any_certificate)


@pytest.mark.parametrize("case", CASES)
def test_refused_and_taken_when_told(own_sample: Path, tmp_path: Path, case: str) -> None:
    session = Session(Target(str(own_sample), kernel="emulated"))
    module = own_sample / "home/you/hello.ko"
    before = module.read_bytes()
    with pytest.raises(UsageError, match=case) as refused:
        prepare(session, _request(tmp_path, module, case, any_certificate=False))
    assert "--any-certificate" in (refused.value.hint or "")
    assert refused.value.where == str(tmp_path / "own.der")
    assert module.read_bytes() == before
    report = carry_out(session, prepare(session, _request(tmp_path, module, case, any_certificate=True)))
    assert report.errors == ()
    assert any(case in note for note in report.notes)
    assert module.read_bytes().startswith(before)
    assert len(module.read_bytes()) > len(before)
