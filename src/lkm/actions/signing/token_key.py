"""Private keys that stay in a token: PKCS#11 URIs (RFC 7512), through the program ``openssl``.

OpenSSL reaches tokens by a provider (pkcs11-provider) or, before OpenSSL 4, by an engine (libengine-pkcs11-openssl).
The PIN reaches it by a pipe: arguments can be read by everybody, and an environment by the same user's programs.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lkm.errors import LkmError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from subprocess import CompletedProcess

__all__ = ["SCHEME", "TokenKey", "check_uri", "open_token_key", "wants_pin"]

SCHEME = "pkcs11:"
_BY_PROVIDER = ("-provider", "pkcs11", "-provider", "default")
_BY_ENGINE = ("-engine", "pkcs11")
_LONGEST_PIN = 255  # bytes: more than tokens take, and less than openssl reads (apps/lib/apps.c)
_PATIENCE = 120  # seconds: some tokens want a finger on them
_INSTALL = "install a way to tokens: apt install libengine-pkcs11-openssl, or pkcs11-provider"
_MODULE = "name the token's PKCS#11 library, in PKCS11_MODULE_PATH too: for SoftHSM /usr/lib/softhsm/libsofthsm2.so"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key in a token.

    :param uri: which, as in ``pkcs11:token=work;object=modules``
    :param pin: of the token; None where the URI names a source of it, or none is needed
    :param module: the PKCS#11 library of the host, or None for p11-kit's choice
    :param reach: the arguments by which openssl reaches tokens
    """

    uri: str
    pin: bytes | None = field(repr=False)
    module: str | None
    reach: tuple[str, ...]

    def public_key(self) -> bytes:
        """Give the public half, to be held against a certificate.

        :returns: SubjectPublicKeyInfo in DER
        :raises UsageError: no such key or token, a wrong PIN
        :raises LkmError: openssl is not installed, or failed
        """
        form = ("-inform", "engine") if self.reach == _BY_ENGINE else ()
        return self._run(("pkey", *self.reach, *form, "-in", self.uri, "-pubout", "-outform", "DER"))

    def sign_hash(self, digest: str, value: bytes) -> bytes:
        """Sign a hash: PKCS#1 v1.5 with an RSA key, ECDSA in DER with another.

        :param digest: as in ``sha256`` or ``sha3-256``
        :param value: the hash
        :raises UsageError: as :meth:`public_key`
        :raises LkmError: likewise
        """
        form = ("-keyform", "engine") if self.reach == _BY_ENGINE else ()
        options = ("-pkeyopt", f"digest:{digest}")
        return self._run(("pkeyutl", "-sign", *self.reach, *form, "-inkey", self.uri, *options), value)

    def _run(self, arguments: Sequence[str], data: bytes = b"") -> bytes:
        with _pipe_with(self.pin) as pipe:
            words = (*arguments, *(() if pipe is None else ("-passin", f"fd:{pipe}")))
            done = _openssl(words, self.module, data, pipe)
        if done.returncode or not done.stdout:
            raise _failure(self.uri, done.stderr.decode("utf-8", "replace"), has_pin=self.pin is not None)
        return done.stdout


def _openssl(
    words: Sequence[str], module: str | None, data: bytes = b"", pipe: int | None = None
) -> CompletedProcess[bytes]:
    """Run openssl.

    :param module: as for :class:`TokenKey`
    :param data: its standard input
    :param pipe: a descriptor that it shall have, too
    :raises LkmError: it can't be run, or takes too long
    """
    import subprocess  # noqa: PLC0415  dear, and few keys are in tokens

    try:
        with _no_core_dumps():
            return subprocess.run(
                ["openssl", *words],  # noqa: S607  the one that the user's other programs use
                input=data,
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
                pass_fds=() if pipe is None else (pipe,),
                env=_environment(module),
                start_new_session=True,  # without a terminal nothing but this program asks for a PIN
            )
    except FileNotFoundError:
        raise LkmError("openssl is not installed", hint="keys in tokens need it: apt install openssl") from None
    except OSError as error:
        raise LkmError(f"openssl can't be run: {(error.strerror or str(error)).lower()}") from error
    except subprocess.TimeoutExpired:
        hint = "is the token plugged in, and idle?"
        raise LkmError(f"openssl did not answer within {_PATIENCE} s", hint=hint) from None


@contextlib.contextmanager
def _no_core_dumps() -> Iterator[None]:
    """Keep programs that are started from leaving their memory, with the PIN, behind: the engine crashes on errors."""
    import resource  # noqa: PLC0415  as above

    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@contextlib.contextmanager
def _pipe_with(pin: bytes | None) -> Iterator[int | None]:
    """Give the end of a pipe that a PIN is read from; None without a PIN."""
    if pin is None:
        yield None
        return
    end, write = os.pipe()
    try:
        os.write(write, pin + b"\n")
        os.close(write)
        yield end
    finally:
        os.close(end)


def check_uri(uri: str) -> None:
    """Make sure that a URI holds no PIN: arguments can be read by everybody on the machine.

    :raises UsageError: it does
    """
    if "pin-value=" in uri.lower():
        raise UsageError(
            "a PIN in the URI of a key is seen by everybody on this machine",
            where=_without_pin(uri),
            hint="leave it out, and it is asked for; or let the URI name a file: pin-source=file:/PATH",
        )


def _without_pin(uri: str) -> str:
    place = uri.lower().index("pin-value=")
    return f"{uri[:place]}pin-value=…"


def wants_pin(uri: str) -> bool:
    """Tell whether a PIN has to be given, as the URI names no source of it."""
    return "pin-source=" not in uri.lower()


def open_token_key(uri: str, pin: bytes | None, module: str | None) -> tuple[TokenKey, bytes]:
    """Find a key in a token.

    :param pin: of the token, or None
    :param module: the PKCS#11 library of the host; None for PKCS11_MODULE_PATH, else p11-kit's choice
    :returns: the key, and its public half as SubjectPublicKeyInfo in DER
    :raises UsageError: no such key or token, a wrong PIN, a PIN in the URI
    :raises LkmError: openssl can't reach tokens here
    """
    check_uri(uri)
    if pin is not None and (len(pin) > _LONGEST_PIN or b"\n" in pin):
        raise UsageError("this is no PIN", where=uri, hint="a PIN is a line of a few characters")
    key = TokenKey(uri, pin, module, _reach(module))
    return key, key.public_key()


def _reach(module: str | None) -> tuple[str, ...]:
    """Choose the provider where there is one, else the engine, as newer kernels' sign-file and older ones' do."""
    for words, reach in ((("list", "-providers", *_BY_PROVIDER), _BY_PROVIDER), (("engine", "pkcs11"), _BY_ENGINE)):
        if _openssl(words, module).returncode == 0:
            return reach
    raise LkmError("openssl has no way to tokens here", hint=_INSTALL)


def _environment(module: str | None) -> dict[str, str]:
    environment = dict(os.environ)
    if module is not None:
        environment["PKCS11_MODULE_PATH"] = environment["PKCS11_PROVIDER_MODULE"] = module
    return environment


def _failure(uri: str, errors: str, *, has_pin: bool) -> LkmError:
    """Tell from what openssl, the engine and the token wrote why they failed."""
    for sign, what, hint in _FAILURES:
        if sign in errors:
            return UsageError(what, where=uri, hint=hint)
    if not has_pin:
        return UsageError(
            "the token wants a PIN", where=uri, hint="it is asked for on a terminal; or set KBUILD_SIGN_PIN"
        )
    last = next((line for line in reversed(errors.splitlines()) if "error:" in line), errors.strip()[-200:])
    return LkmError(f"openssl could not use the key: {last}", where=uri, hint=_MODULE)


_URI = "write it as in pkcs11:token=NAME;object=NAME;pin-source=file:/PATH"
_FAILURES = (
    ("PIN incorrect", "the PIN is wrong", "try again with care: a token locks itself after some wrong ones"),
    ("CKR_PIN_INCORRECT", "the PIN is wrong", "try again with care: a token locks itself after some wrong ones"),
    ("PIN locked", "the token has locked itself after wrong PINs", "unlock it with its SO PIN"),
    ("Unable to load", "the token's PKCS#11 library can't be loaded", _MODULE),
    ("not a valid PKCS#11 URI", "this is no PKCS#11 URI, or its pin-source can't be read", _URI),
    ("No matching initialized token", "there is no such token", _MODULE),
    ("object not found", "there is no such private key in the token", "list them: pkcs11-tool --list-objects --login"),
)
