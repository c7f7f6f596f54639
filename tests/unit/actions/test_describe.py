"""All that is known of one module."""

from pathlib import Path

import pytest

from lkm.actions.describe import describe
from lkm.actions.session import Session, Target
from lkm.errors import ElfError, ModuleNotFound, Unreadable, UsageError

CONF = """\
blacklist dummy
options dummy numdummies=3
options rtnl_link_dummy label=x
install dummy /bin/echo $CMDLINE_OPTS
remove dummy /bin/rm x
softdep dummy pre: fat post: vfat
softdep d* pre: pcspkr
"""


def _session(root: Path) -> Session:
    return Session(Target(root=str(root), kernel="emulated"))


def test_a_module_of_the_tree(own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/more.conf").write_text(CONF)
    session = _session(own_sample)
    (found,) = describe(session, "rtnl-link-dummy")
    assert (found.name, found.alias, found.builtin) == ("dummy", "rtnl_link_dummy", False)
    assert found.file is not None
    assert found.file.display_path == f"{own_sample}/lib/modules/6.1.0-sample/kernel/drivers/net/dummy.ko"
    assert found.modinfo.first("description") == "Network devices that drop everything"
    assert [parameter.name for parameter in found.parameters] == ["numdummies", "label"]
    assert (found.depends, found.loaded, found.values) == ((), None, {})
    where = f"{own_sample}/etc/modprobe.d/more.conf"
    assert [(line.text, line.where) for line in found.configured] == [
        ("blacklist dummy", f"{where}:1"),
        ("options dummy numdummies=3", f"{where}:2"),
        ("options rtnl_link_dummy label=x", f"{where}:3"),
        ("install dummy /bin/echo $CMDLINE_OPTS", f"{where}:4"),
        ("remove dummy /bin/rm x", f"{where}:5"),
        ("softdep dummy pre: fat post: vfat", f"{where}:6"),
        ("softdep d* pre: pcspkr", f"{where}:7"),
    ]


def test_a_loaded_module(sample: Path) -> None:
    session = _session(sample)
    for name in ("fat", "vfat", "dummy"):
        module = session.tree.module(name)
        assert module is not None
        session.kernel.load(module, "numdummies=2" if name == "dummy" else "")
    (fat,) = describe(session, "fat")
    assert fat.loaded is not None
    assert fat.loaded.used_by == ("vfat",)
    (dummy,) = describe(session, "dummy")
    assert dummy.values == {"numdummies": "2", "label": ""}


def test_a_built_in(sample: Path) -> None:
    (found,) = describe(_session(sample), "unix")
    assert (found.builtin, found.file, found.parameters) == (True, None, ())
    assert found.modinfo.first("license") == "GPL"


def test_a_file(sample: Path) -> None:
    (found,) = describe(_session(sample), f"{sample}/home/you/hello.ko")
    assert (found.name, found.alias) == ("hello", None)
    assert found.modinfo.first("intree") is None


def test_a_kernel_that_can_not_be_asked_is_no_obstacle(sample: Path) -> None:
    session = Session(Target(root=str(sample), kernel="live"))
    (found,) = describe(session, "vfat")
    assert found.depends == ("fat",)


def test_nothing(sample: Path, tmp_path: Path) -> None:
    session = _session(sample)
    with pytest.raises(ModuleNotFound):
        describe(session, "nobody")
    with pytest.raises(Unreadable):
        describe(session, f"{tmp_path}/none.ko")
    with pytest.raises(UsageError):
        describe(session, "/" + "x" * 5000)
    (tmp_path / "text.ko").write_text("text")
    with pytest.raises(ElfError) as caught:
        describe(session, f"{tmp_path}/text.ko")
    assert caught.value.where == f"{tmp_path}/text.ko"
