"""Where a kernel's configuration is found."""

from pathlib import Path

from lkm.system.kernel_config import config_places, read_config
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root


def test_the_first_place_counts(own_sample: Path) -> None:
    tree = ModuleTree(Root(str(own_sample)))
    for place in config_places(tree)[1:]:
        path = Path(tree.root.host_path(place))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'CONFIG_WHERE="{place}"\n')
    options, source = read_config(tree) or ({}, "")
    assert (options["MODVERSIONS"], source) == ("y", f"{own_sample}/boot/config-6.1.0-sample")
    assert "MODULE_SIG_FORCE" not in options
    for place in config_places(tree)[:2]:
        Path(tree.root.host_path(place)).unlink()
    options, source = read_config(tree) or ({}, "")
    assert options == {"WHERE": config_places(tree)[2]}


def test_nowhere(tmp_path: Path) -> None:
    assert read_config(ModuleTree(Root(str(tmp_path)), "1.0")) is None
