"""Init functions of built-ins, out of lists of symbols."""

from pathlib import Path

import pytest

from lkm.system.initcalls import init_functions
from lkm.system.root import Root

_SYMBOLS = """\
ffffffff82a01234 d __initcall__kmod_loop__389_2231_loop_init6
ffffffff82a01238 d __initcall__kmod_loop__390_99_max_loop_setupearly
ffffffff82a0123c d __initcall__kmod_af_unix__620_3500_af_unix_init5s
ffffffff82a01240 t loop_init
"""


@pytest.mark.parametrize(
    ("module", "functions"),
    [("loop", ("loop_init", "max_loop_setup")), ("af_unix", ("af_unix_init",)), ("nothing", ())],
)
def test_functions(tmp_path: Path, module: str, functions: tuple[str, ...]) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/System.map-6.1").write_text(_SYMBOLS)
    assert init_functions(Root(str(tmp_path)), "6.1", module) == functions


def test_without_a_list(tmp_path: Path) -> None:
    assert init_functions(Root(str(tmp_path)), "6.1", "loop") == ()
