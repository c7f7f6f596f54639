"""Names that are like one that was not found."""

import time

from lkm.rules.suggestions import similar

KNOWN = ("vfat", "fat", "snd_hda_intel", "e1000", "e1000e")


def test_the_closest_first() -> None:
    assert similar("vfatt", KNOWN)[0] == "vfat"
    assert similar("snd-hda-intle", KNOWN) == ("snd_hda_intel",)
    assert similar("nothing_like_it", KNOWN) == ()
    assert similar("", KNOWN) == ()
    assert similar("x", ()) == ()


def test_long_names_cost_little() -> None:
    start = time.process_time()
    assert similar("a" * 1_000_000, [f"module_{number}" for number in range(5000)]) == ()
    assert time.process_time() - start < 2
