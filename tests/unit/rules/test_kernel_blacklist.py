"""module_blacklist= on the kernel command line."""

import pytest

from lkm.formats.kernel_cmdline import Cmdline
from lkm.rules.kernel_blacklist import kernel_blacklist


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("quiet", ()),
        ("module_blacklist=a,b_c", ("a", "b_c")),
        ("module_blacklist=a module_blacklist=b", ("b",)),
        ("module_blacklist=a module_blacklist", ("a",)),
        ("module-blacklist=a-b,,c", ("a-b", "c")),
        ("module_blacklist=a module_blacklist=", ()),
        ("-- module_blacklist=a", ()),
    ],
)
def test_the_last_list_counts_as_it_is_written(text: str, names: tuple[str, ...]) -> None:
    assert kernel_blacklist(Cmdline(text)) == names
