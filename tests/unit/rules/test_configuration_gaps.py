"""What of the configuration could not be read, in words."""

import pytest

from lkm.formats.modprobe_conf import Problem, ProblemKind
from lkm.rules.configuration_gaps import gaps
from lkm.system.configuration import Configuration


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (ProblemKind.UNREADABLE_DIRECTORY, "opendir(/etc/modprobe.d): Permission denied", "permission denied"),
        (ProblemKind.UNREADABLE, "/etc/modprobe.d: is larger than 16 MiB", "it is larger than 16 MiB"),
        (ProblemKind.UNREADABLE, "/etc/modprobe.d: too many levels of links", "too many levels of links"),
    ],
)
def test_what_is_there_and_could_not_be_read(kind: ProblemKind, text: str, reason: str) -> None:
    found = gaps(Configuration((), [Problem(kind, text, "/etc/modprobe.d")]))
    assert found == (f"what /etc/modprobe.d says of modules is not known: {reason}",)


@pytest.mark.parametrize("kind", [ProblemKind.BAD_LINE, ProblemKind.DEPRECATED, ProblemKind.NESTED_DIRECTORY])
def test_what_is_ignored_is_no_gap(kind: ProblemKind) -> None:
    assert gaps(Configuration((), [Problem(kind, "a line", "/etc/modprobe.d/a.conf", 1)])) == ()
