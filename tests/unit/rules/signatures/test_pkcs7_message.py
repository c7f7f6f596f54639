"""PKCS#7 messages as the kernel reads them, line by line."""

import errno

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.signing import Signer

from lkm.rules.signatures.pkcs7_message import Message, parse

RSA = Signer(use_rsa=True)
CURVE = Signer()
PLAIN = RSA.message(b"content")
_SHA256 = bytes.fromhex("0609608648016503040201")
_SIGNED = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
LATEST = 3


def _answer(message: Message) -> tuple[int, tuple[str, ...]]:
    return message.errno, tuple(message.log)


@pytest.mark.parametrize("edition", range(4))
def test_a_plain_one_is_read_without_a_word(edition: int) -> None:
    message = parse(PLAIN, edition)
    assert _answer(message) == (0, ())
    assert [signer.digest for signer in message.signers] == ["sha256"]


def test_the_long_way_gives_the_same() -> None:
    """Bytes behind the message keep it from the short way."""
    quick, slow = parse(PLAIN, LATEST).signers[0], parse(PLAIN + b"\0", LATEST).signers[0]
    assert (quick.issuer, quick.serial, quick.signature) == (slow.issuer, slow.serial, slow.signature)
    assert (quick.digest, quick.algorithm) == (slow.digest, slow.algorithm)


def test_curves_are_known_since_5_13() -> None:
    message = CURVE.message(b"content")
    assert parse(message, 0).errno == errno.ENOPKG
    assert _answer(parse(message, 1)) == (0, ())


@pytest.mark.parametrize(
    ("edition", "number", "code"),
    [(1, 8, errno.ENOPKG), (2, 8, 0), (3, 10, 0), (2, 99, errno.ENOPKG), (0, 4, 0)],
)
def test_digests(edition: int, number: int, code: int) -> None:
    message = parse(PLAIN.replace(_SHA256, _SHA256[:-1] + bytes((number,))), edition)
    assert message.errno == code
    if code:
        *unknown, last = message.log
        assert last == f"Unsupported digest algo: {(78, 98, 103, 106)[edition]}"
        assert len(unknown) == 2
        assert all(line.startswith("PKCS7: Unknown OID: [") for line in unknown)
        assert unknown[0].endswith(f"] 2.16.840.1.101.3.4.2.{number}")


def test_content_types() -> None:
    other = PLAIN.replace(_SIGNED, _SIGNED[:-1] + b"\x06")
    code, log = _answer(parse(other, LATEST))
    assert code == errno.EINVAL
    assert log[-1] == "PKCS7: Only support pkcs7_signedData type"
    inner = PLAIN.replace(_DATA, _DATA[:-1] + b"\x09")
    code, log = _answer(parse(inner, LATEST))
    assert code == errno.EINVAL
    assert log[0] == log[1]  # the grammar names the action twice
    assert log[-1] == "PKCS7: Unsupported data type 106"


@pytest.mark.parametrize(
    ("version", "code", "line"),
    [
        (0, errno.EINVAL, "PKCS7: Unsupported SignedData version"),
        (3, errno.EBADMSG, "PKCS7: SignedData-SignerInfo version mismatch"),
    ],
)
def test_versions(version: int, code: int, line: str) -> None:
    at = PLAIN.index(b"\x02\x01\x01")
    message = PLAIN[: at + 2] + bytes((version,)) + PLAIN[at + 3 :]
    assert _answer(parse(message, LATEST)) == (code, (line,))


@pytest.mark.parametrize(
    ("der", "code", "log"),
    [
        (b"", errno.EBADMSG, ()),
        (b"\x30\x03abc", errno.EBADMSG, ()),
        (bytes.fromhex("300b") + _DATA, errno.EINVAL, ("PKCS7: Only support pkcs7_signedData type",)),
        (bytes.fromhex("300b") + _SIGNED, errno.EINVAL, ("PKCS7: Inconsistently supplied authAttrs",)),
        (bytes(70000), errno.EMSGSIZE, ()),
    ],
)
def test_odd_ones(der: bytes, code: int, log: tuple[str, ...]) -> None:
    assert _answer(parse(der, LATEST)) == (code, log)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 255), st.integers(0, 3))
def test_any_change(place: int, value: int, edition: int) -> None:
    message = parse(PLAIN[:place] + bytes((value,)) + PLAIN[place + 1 :], edition)
    assert message.errno in {0, errno.EBADMSG, errno.EINVAL, errno.ENOPKG, errno.EKEYREJECTED}
    assert message.errno or message.signers
