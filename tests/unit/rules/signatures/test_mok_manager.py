"""What MokManager will ask."""

import pytest

from lkm.rules.signatures.mok_manager import RequestKind, steps_of


@pytest.mark.parametrize(
    ("kind", "menu", "question"),
    [
        (RequestKind.ENROL, "Enroll MOK", "Enroll the key(s)?"),
        (RequestKind.REVOKE, "Delete MOK", "Delete the key(s)?"),
    ],
)
def test_the_screens_come_in_order(kind: RequestKind, menu: str, question: str) -> None:
    steps = steps_of(kind, "ab cd")
    assert [step.screen for step in steps] == [
        "",
        "Press any key to perform MOK management",
        "Perform MOK management",
        f"[{menu}]",
        question,
        "Password:",
        "Perform MOK management",
    ]
    text = " ".join(step.action for step in steps)
    assert "10 seconds" in text
    assert menu in text
    assert "ab cd" in text
