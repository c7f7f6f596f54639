"""What DKMS keeps of its packages."""

from pathlib import Path

from lkm.system.dkms_state import DkmsBuild, DkmsPackage, packages
from lkm.system.root import Root


def _build(home: Path, place: str, *, installed: bool = False) -> None:
    _version, release, arch = place.split("/")
    (home / place / "module").mkdir(parents=True)
    (home / place / "module/foo.ko.xz").touch()
    (home / place / "module/readme").touch()
    (home / place / "log").mkdir()
    if installed:
        (home / f"kernel-{release}-{arch}").symlink_to(place)


def test_versions_builds_and_what_is_installed(tmp_path: Path) -> None:
    home = tmp_path / "var/lib/dkms/foo"
    for version in ("1.0", "1.1"):
        (home / version).mkdir(parents=True)
        (home / version / "source").symlink_to(f"/usr/src/foo-{version}")  # leads nowhere
    _build(home, "1.0/6.1.0-1/x86_64")
    _build(home, "1.1/6.1.0-1/x86_64", installed=True)
    _build(home, "1.1/6.2.0-1/x86_64")
    (home / "1.1/build").mkdir()
    (home / "original_module/6.1.0-1").mkdir(parents=True)
    (tmp_path / "var/lib/dkms/mok.key").touch()
    found = packages(Root(str(tmp_path)))

    def build(version: str, release: str, *, installed: bool) -> DkmsBuild:
        return DkmsBuild(
            release, "x86_64", (f"/var/lib/dkms/foo/{version}/{release}/x86_64/module/foo.ko.xz",), installed
        )

    assert found == (
        DkmsPackage("foo", "1.0", (build("1.0", "6.1.0-1", installed=False),)),
        DkmsPackage("foo", "1.1", (build("1.1", "6.1.0-1", installed=True), build("1.1", "6.2.0-1", installed=False))),
    )
    assert found[1].build_for("6.2.0-1") == found[1].builds[1]
    assert found[1].build_for("6.3.0-1") is None


def test_no_dkms(tmp_path: Path) -> None:
    assert packages(Root(str(tmp_path))) == ()
