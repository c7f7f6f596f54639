"""The files of modules-load.d."""

from hypothesis import given
from hypothesis import strategies as st

from lkm.formats.modules_load_conf import Entry, parse

TEXT = b"""\
# a comment
; another
loop

  br_netfilter \t
nf-conntrack
not one name
#not-this
\xff odd
last"""


def test_every_line_is_a_name() -> None:
    assert parse(TEXT, "/etc/modules-load.d/x.conf") == (
        Entry("loop", "/etc/modules-load.d/x.conf", 3),
        Entry("br_netfilter", "/etc/modules-load.d/x.conf", 5),
        Entry("nf-conntrack", "/etc/modules-load.d/x.conf", 6),
        Entry("not one name", "/etc/modules-load.d/x.conf", 7),
        Entry("\udcff odd", "/etc/modules-load.d/x.conf", 9),
        Entry("last", "/etc/modules-load.d/x.conf", 10),
    )


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    entries = parse(data, "f")
    assert all(entry.name.strip(" \t\r") == entry.name and entry.name[0] not in "#;" for entry in entries)
    assert len(entries) <= data.count(b"\n") + 1
