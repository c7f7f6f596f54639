"""/proc/keys."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.errors import FormatError
from lkm.formats import proc_keys
from lkm.formats.proc_keys import AsymmetricKey

LISTING = """\
02143d32 I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 2
1074186e I------     1 perm 0f0b0000     0     0 keyring   .blacklist: empty
1ebdc8a7 I--Q---     1 perm 1f3f0000     0 65534 keyring   _uid_ses.0: 1
2a11b0c3 I------     1 perm 1f030000     0     0 asymmetri Debian Secure Boot CA: 6ccece7e4c6c0d1f: X509.rsa 4c6c0d1f []
2a11b0c4 I------     1 perm 1f010000     0     0 asymmetri : 66f54e: X509.ecdsa-nist-p256 []
2b000001 I------     1 perm 09090000     0     0 blacklist bin:80b4d96931bf0d02
2b000002 IR-----     1   3d 3f010000  1000  1000 user      my:secret: 12
2b000003 I------     1 expd 3f010000  1000    -1 big_key   [anon]
"""


def test_a_listing() -> None:
    builtin, blacklist, session, authority, nameless, revoked, own, large = proc_keys.parse(LISTING)
    assert (builtin.serial, builtin.keyring, builtin.links) == (0x02143D32, ".builtin_trusted_keys", 2)
    assert (blacklist.keyring, blacklist.links) == (".blacklist", 0)
    assert (session.flags, session.group, session.uses, session.permissions) == ("I--Q---", 65534, 1, 0x1F3F0000)
    assert authority.asymmetric == AsymmetricKey("Debian Secure Boot CA", "6ccece7e4c6c0d1f", "X509.rsa")
    assert authority.is_alive
    assert (authority.keyring, authority.links, authority.revoked_hash) == (None, None, None)
    assert nameless.asymmetric == AsymmetricKey("", "66f54e", "X509.ecdsa-nist-p256")
    assert (revoked.revoked_hash, revoked.asymmetric) == ("bin:80b4d96931bf0d02", None)
    assert (own.is_alive, own.timeout, own.type) == (False, "3d", "user")
    assert (large.is_alive, large.type, large.description) == (False, "big_key", "[anon]")


def test_names_with_colons_and_line_feeds() -> None:
    line = "2a11b0c3 I------     1 perm 1f030000     0     0 asymmetri "
    name = "Acme: 12: Drivers\n02143d32 is no line\n"
    (key,) = proc_keys.parse(f"{line}{name}: abcd: X509.rsa abcd []\n")
    assert key.asymmetric == AsymmetricKey(name, "abcd", "X509.rsa")


def test_nothing() -> None:
    assert proc_keys.parse("") == ()


@pytest.mark.parametrize("text", ["\n", "wibble\n", "02143d32 I------ 1 perm 1f0b0000 0 0 keyring\n", "\0"])
def test_no_listing(text: str) -> None:
    with pytest.raises(FormatError, match="no line of /proc/keys"):
        proc_keys.parse(text)


def test_a_keyring_without_a_number() -> None:
    (ring,) = proc_keys.parse("02143d32 I------     1 perm 1f0b0000     0     0 keyring   .new\n")
    assert (ring.keyring, ring.links) == (".new", None)


@settings(max_examples=60)
@given(st.text(max_size=120))
def test_any_text_behind_a_line(text: str) -> None:
    first = LISTING.splitlines()[3]
    keys = proc_keys.parse(f"{first}{text}")
    assert keys[0].serial == 0x2A11B0C3
    assert all(key.asymmetric is None or key.asymmetric.algorithm for key in keys)


@settings(max_examples=60)
@given(st.text(max_size=120))
def test_any_text(text: str) -> None:
    try:
        found = len(proc_keys.parse(text))
    except FormatError:
        found = 0
    assert found <= text.count("\n") + 1
