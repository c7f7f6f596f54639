"""Keeping modules out, and proving it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.fake_sysfs import make_devices
from tests.support.next_kernel import NEXT_RELEASE, add_next_kernel

from lkm.actions.blocking.block import BlockOptions, block, unblock
from lkm.actions.blocking.listing import blocked_modules
from lkm.actions.blocking.routes import routes_to, sessions_of_all_kernels
from lkm.actions.sample_tree import RELEASE
from lkm.actions.session import Session, Target
from lkm.errors import ModuleNotFound, UsageError

_OWN = "etc/modprobe.d/00-lkm-blocked.conf"


@pytest.fixture
def open_root(own_sample: Path) -> Callable[[], Session]:
    (own_sample / "etc/modprobe.d/quiet.conf").unlink()
    return lambda: Session(Target(str(own_sample), kernel=f"emulated:{own_sample}/kernel"))


def _kinds(session: Session, name: str) -> list[str]:
    return [route.kind for route in routes_to(sessions_of_all_kernels(session), [name])[name]]


def test_the_ways_to_a_module(open_root: Callable[[], Session], own_sample: Path) -> None:
    make_devices(own_sample)
    (own_sample / "etc/modprobe.d/a.conf").write_text("softdep dummy pre: pcspkr\n")
    assert _kinds(open_root(), "pcspkr") == ["name", "alias", "softdep", "device"]
    assert _kinds(open_root(), "fat") == ["name", "dependency"]
    assert _kinds(open_root(), "unix") == ["builtin"]
    assert _kinds(open_root(), "nowhere") == []


def test_blocking_closes_all_ways(open_root: Callable[[], Session], own_sample: Path) -> None:
    make_devices(own_sample)
    (own_sample / "etc/modprobe.d/a.conf").write_text("softdep dummy pre: pcspkr\n")
    done = block(open_root(), ["pcspkr"], BlockOptions(), "lkm block pcspkr")
    assert (done.names, done.routes, done.dependents, done.loaded) == (("pcspkr",), (), (), ())
    assert _kinds(open_root(), "pcspkr") == []


def test_a_dependency_takes_its_users_along(open_root: Callable[[], Session]) -> None:
    done = block(open_root(), ["fat"], BlockOptions(), "lkm block fat")
    assert (done.routes, done.dependents) == ((), ("vfat",))


def test_a_blacklist_line_alone_is_not_enough(open_root: Callable[[], Session], own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/a.conf").write_text("blacklist pcspkr\nblacklist fat\n")
    assert _kinds(open_root(), "pcspkr") == ["name"]
    assert _kinds(open_root(), "fat") == ["name", "dependency"]


def test_a_softdep_line_disables_an_install_line(open_root: Callable[[], Session], own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/a.conf").write_text(
        "install dummy /bin/false\nblacklist dummy\nsoftdep dummy pre: fat\n"
    )
    (route,) = routes_to(sessions_of_all_kernels(open_root()), ["dummy"])["dummy"]
    assert (route.kind, "modprobe of kmod" in route.text) == ("name", True)
    assert block(open_root(), ["dummy"], BlockOptions(), "lkm block dummy").routes == ()


def test_blocking_twice_changes_nothing(open_root: Callable[[], Session], own_sample: Path) -> None:
    block(open_root(), ["dummy"], BlockOptions(), "x")
    before = (own_sample / _OWN).read_bytes()
    again = block(open_root(), ["dummy"], BlockOptions(), "x")
    assert (again.outcome.changes, again.outcome.number, (own_sample / _OWN).read_bytes()) == (False, None, before)


def test_the_lines(open_root: Callable[[], Session], own_sample: Path) -> None:
    block(open_root(), ["dummy", "snd-hda"], BlockOptions(unknown=True), "x")
    assert (own_sample / _OWN).read_text().splitlines()[2:] == [
        "blacklist dummy",
        "install dummy /bin/false",
        "softdep dummy pre:",
        "blacklist snd_hda",
        "install snd_hda /bin/false",
        "softdep snd_hda pre:",
    ]


def test_until_the_next_boot(open_root: Callable[[], Session], own_sample: Path) -> None:
    done = block(open_root(), ["dummy"], BlockOptions(until_reboot=True), "x")
    assert [file.path for file in done.outcome.files] == ["/run/modprobe.d/00-lkm-blocked-until-reboot.conf"]
    assert done.routes == ()
    assert not (own_sample / _OWN).exists()


def test_dry_run(open_root: Callable[[], Session], own_sample: Path) -> None:
    done = block(open_root(), ["dummy"], BlockOptions(dry_run=True), "x")
    assert "+install dummy /bin/false\n" in done.outcome.diff
    assert not (own_sample / _OWN).exists()


def test_what_is_loaded_is_told(open_root: Callable[[], Session]) -> None:
    session = open_root()
    module = session.tree.module("dummy")
    assert module
    session.kernel.load(module, "")
    assert block(session, ["dummy"], BlockOptions(), "x").loaded == ("dummy",)


@pytest.mark.parametrize(
    ("word", "error", "hint"),
    [
        ("vfta", ModuleNotFound, "did you mean vfat"),
        ("fs-vfat", UsageError, "name the modules: vfat"),
        ("", UsageError, "lkm list"),
        ("a b", UsageError, "lkm list"),
        ("v*", UsageError, "lkm list"),
        ("x" * 60, UsageError, "lkm list"),
        ("vfat\nblacklist fat", UsageError, "lkm list"),
        ("[a", UsageError, "lkm list"),
    ],
)
def test_names_that_are_none(open_root: Callable[[], Session], word: str, error: type[Exception], hint: str) -> None:
    with pytest.raises(error) as refused:
        block(open_root(), [word], BlockOptions(), "x")
    assert hint in (getattr(refused.value, "hint", "") or "")


def test_what_the_system_needs_is_refused(open_root: Callable[[], Session], own_sample: Path) -> None:
    (own_sample / "etc/fstab").write_text("/dev/sda1 / vfat defaults 0 1\n")
    with pytest.raises(UsageError, match="this system needs fat, vfat needs it, for /") as refused:
        block(open_root(), ["fat"], BlockOptions(), "x")
    assert "--force" in (refused.value.hint or "")
    assert not (own_sample / _OWN).exists()
    done = block(open_root(), ["fat"], BlockOptions(force=True), "x")
    assert list(done.essential) == ["fat"]


def test_a_built_in_can_not_be_blocked(open_root: Callable[[], Session], own_sample: Path) -> None:
    (own_sample / "boot" / f"System.map-{RELEASE}").write_text("0 d __initcall__kmod_unix__1_2_af_unix_init5\n")
    with pytest.raises(UsageError, match="no line of") as refused:
        block(open_root(), ["unix"], BlockOptions(), "x")
    assert "initcall_blacklist=af_unix_init" in (refused.value.hint or "")
    assert not (own_sample / _OWN).exists()


def test_a_line_that_is_read_before_ours(open_root: Callable[[], Session], own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/00-a.conf").write_text("install dummy /sbin/insmod /x.ko\n")
    done = block(open_root(), ["dummy"], BlockOptions(), "x")
    assert [route.kind for route in done.routes] == ["name"]


def test_unblocking(open_root: Callable[[], Session], own_sample: Path) -> None:
    block(open_root(), ["dummy", "fat"], BlockOptions(), "x")
    block(open_root(), ["dummy"], BlockOptions(until_reboot=True), "x")
    done = unblock(open_root(), ["dummy"], "x")
    assert ([file.after is None for file in done.outcome.files], done.remaining) == ([False, True], ())
    assert "dummy" not in (own_sample / _OWN).read_text()
    assert "install fat /bin/false" in (own_sample / _OWN).read_text()
    unblock(open_root(), ["fat"], "x")
    assert not (own_sample / _OWN).exists()
    assert unblock(open_root(), ["fat"], "x").outcome.changes is False


def test_lines_of_others_stay(open_root: Callable[[], Session], own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/a.conf").write_text("blacklist dummy\ninstall dummy /bin/true\n")
    where = f"{own_sample}/etc/modprobe.d/a.conf"
    assert unblock(open_root(), ["dummy"], "x").remaining == (
        ("dummy", "blacklist dummy", f"{where}:1"),
        ("dummy", "install dummy /bin/true", f"{where}:2"),
    )


def test_the_list(open_root: Callable[[], Session], own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/a.conf").write_text("blacklist dummy\nblacklist nowhere\ninstall x /bin/echo\n")
    block(open_root(), ["fat"], BlockOptions(), "x")
    found = {module.name: module for module in blocked_modules(open_root())}
    assert {name: (module.holds, module.installed) for name, module in found.items()} == {
        "dummy": (False, True),
        "fat": (True, True),
        "nowhere": (True, False),
    }
    assert [line for line, _ in found["fat"].lines] == ["blacklist fat", "install fat /bin/false"]
    assert blocked_modules(open_root(), ["dummy"], prove=False)[0].holds is None


def test_all_kernels_count(open_root: Callable[[], Session], own_sample: Path) -> None:
    add_next_kernel(own_sample)
    session = Session(open_root().target._replace(release=RELEASE))
    routes = routes_to(sessions_of_all_kernels(session), ["dummy"])["dummy"]
    assert {route.release for route in routes} == {RELEASE, NEXT_RELEASE}
