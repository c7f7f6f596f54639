"""What MokManager will ask at the next start: its screens in order, with its own words (shim 16, MokManager.c).

It takes a request out of the firmware's variables before it asks: one that is not answered at once is gone.
"""

from enum import Enum
from typing import NamedTuple

__all__ = ["SECONDS", "RequestKind", "Step", "steps_of"]

SECONDS = 10
"""How long its first screen waits for a key."""


class RequestKind(Enum):
    """What is asked of it; the value is for programs."""

    ENROL = "enrol"
    REVOKE = "revoke"


class Step(NamedTuple):
    """One thing to do.

    :param screen: the words on the screen; empty where there is none of MokManager's
    :param action: what to do
    """

    screen: str
    action: str


_MENUS = {RequestKind.ENROL: "Enroll MOK", RequestKind.REVOKE: "Delete MOK"}
_QUESTIONS = {RequestKind.ENROL: "Enroll the key(s)?", RequestKind.REVOKE: "Delete the key(s)?"}


def steps_of(kind: RequestKind, fingerprint: str) -> tuple[Step, ...]:
    """List what to do, from the restart to the next.

    :param fingerprint: SHA-1 of the certificate, as MokManager shows it
    """
    menu = _MENUS[kind]
    return (
        Step(
            "",
            "start the machine anew, with its own screen and keyboard (or serial console) at hand: MokManager comes"
            " before any system, and no network",
        ),
        Step(
            "Press any key to perform MOK management",
            f"press a key within {SECONDS} seconds; otherwise the request is gone, and has to be made again",
        ),
        Step("Perform MOK management", f"go down to {menu}, and press Enter"),
        Step(
            f"[{menu}]",
            f"View key 0 shows the certificate: its fingerprint must be {fingerprint}; then choose Continue",
        ),
        Step(_QUESTIONS[kind], "choose Yes"),
        Step("Password:", "type the one-time password and press Enter; nothing is shown, and the keyboard is a US one"),
        Step("Perform MOK management", "choose Reboot"),
    )
