"""Taint in the kernel's reports, as its versions write them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.rules.taint import letters
from lkm.rules.taint_reading import read_taint

OOPS = """\
[  101.4] BUG: kernel NULL pointer dereference, address: 0000000000000000
[  101.5] Oops: 0002 [#1] PREEMPT SMP PTI
[  101.5] CPU: 1 PID: 4424 Comm: insmod Tainted: P           OE      6.1.0-18-amd64 #1  Debian 6.1.76-1
[  101.6] Modules linked in: faulty(POE+) vboxdrv(OE) fat vfat(-) ext4 [last unloaded: old_one(O)]
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("CPU: 1 PID: 1 Comm: a Tainted: G           OE      6.1.0-18-amd64 #1  Debian", "OE"),
        ("CPU: 1 PID: 1 Comm: a Tainted: P        W  O      5.10.0 #1", "PWO"),
        ("CPU: 0 UID: 0 PID: 1 Comm: a Tainted: G        W  OE      6.12.9 #1", "WOE"),
        ("Tainted: [W]=WARN, [O]=OOT_MODULE, [E]=UNSIGNED_MODULE", "WOE"),
        ("      Tainted: G S   U  D    C O       T  4.19.0", "SUDCOT"),
        ("CPU: 1 PID: 1 Comm: a Not tainted 6.1.0 #1", ""),
        ("kernel.tainted = 4097", "PO"),
        ("kernel.tainted=12288", "OE"),
        ("Tainted: 6.1.0", None),
        ("Tainted: ", None),
        ("untainted: PO", None),
        ("see kernel.tainted = 1", None),
        ("kernel.tainted = ²", None),
        ("Tainted: [W", ""),
    ],
)
def test_reports_of_many_versions(line: str, found: str | None) -> None:
    mask = read_taint(f"[    1.0] {line}" if line.startswith("CPU") else line).mask
    assert (None if mask is None else letters(mask)) == found


def test_an_oops_names_the_modules() -> None:
    found = read_taint(OOPS)
    assert letters(found.mask or 0) == "POE"
    assert found.modules == {"faulty": "POE", "vboxdrv": "OE", "old_one": "O"}
    assert found.unloaded == {"old_one"}
    assert [(event.letter, event.module) for event in found.events] == [("D", None)]


def test_modules_that_were_removed() -> None:
    found = read_taint("Modules linked in: a\nUnloaded tainted modules: b(O):1 c(POE):2 [last unloaded: d(E)]\n")
    assert found.modules == {"b": "O", "c": "POE", "d": "E"}
    assert found.unloaded == {"b", "c", "d"}


@pytest.mark.parametrize(
    ("line", "letter", "module"),
    [
        ("[ 1.2] hello: loading out-of-tree module taints kernel.", "O", "hello"),
        ("hello: module verification failed: signature and/or required key missing - tainting kernel", "E", "hello"),
        ("nvidia: module license 'NVIDIA' taints kernel.", "P", "nvidia"),
        (
            "r8188eu: module is from the staging directory, the quality is unknown, you have been warned.",
            "C",
            "r8188eu",
        ),
        ('hello: no version for "f" found: kernel tainted.', "F", "hello"),
        ("patch: tainting kernel with TAINT_LIVEPATCH", "K", "patch"),
        ("kunit: loading test module taints kernel.", "N", "kunit"),
        ("Setting dangerous option enable_fbc - tainting kernel", "U", None),
        ("watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [a:1]", "L", None),
        ("WARNING: CPU: 0 PID: 1 at a.c:12 f+0x1/0x2", "W", None),
        ("WARNING: a.c:12 at f+0x1/0x2, CPU#0: swapper/1", "W", None),
        ("BUG: Bad page state in process a  pfn:1", "B", None),
        ("mce: [Hardware Error]: CPU 0: Machine Check Exception: 5 Bank 0: b2", "M", None),
        ("ACPI: Override [DSDT-    INTL], this is unsafe: tainting kernel", "A", None),
        ("msr: Write to unrecognized MSR 0x1b0 by x86_energy_perf", "S", None),
    ],
)
def test_lines_that_tell_when_it_began(line: str, letter: str, module: str | None) -> None:
    (event,) = read_taint(line).events
    assert (event.letter, event.module, event.line) == (letter, module, line.strip())


@pytest.mark.parametrize(
    "line", ["Tainted: P " * 90, "Modules linked in:" + " a(O)" * 3000, OOPS, "(" * 90, "W" * 1000]
)
def test_a_megabyte_is_read_in_a_moment(line: str) -> None:
    text = (line + "\n") * (1_000_000 // len(line))
    before = time.process_time()
    read_taint(text)
    assert time.process_time() - before < 3


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=60), st.sampled_from(OOPS.splitlines())), max_size=8), st.sampled_from("\n ")
)
def test_any_text_is_read(parts: list[str], glue: str) -> None:
    found = read_taint(glue.join(parts))
    assert found.mask is None or 0 <= found.mask < 1 << 64
