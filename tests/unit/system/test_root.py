"""A root never lets a path out, and never lets a hostile file hang or exhaust the reader."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lkm.errors import RootError, Unreadable
from lkm.system.root import Root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory beside the root, which nothing may reach."""
    directory = tmp_path / "outside"
    directory.mkdir()
    (directory / "secret").write_text("secret")
    return directory


@pytest.fixture
def top(tmp_path: Path, outside: Path) -> Path:
    directory = tmp_path / "top"
    (directory / "usr/lib/modules").mkdir(parents=True)
    (directory / "lib").symlink_to("usr/lib")
    (directory / "usr/lib/modules/file").write_text("hello")
    return directory


def test_links_are_followed_inside(top: Path) -> None:
    root = Root(str(top))
    (top / "absolute").symlink_to("/usr/lib/modules")
    (top / "usr/relative").symlink_to("../lib/modules")
    for path in ("/lib/modules/file", "/absolute/file", "/usr/relative/file", "//lib/./modules//file"):
        assert root.read_text(path) == "hello", path
        assert root.host_path(path) == f"{top}/usr/lib/modules/file"
    assert root.display("/lib/modules/file") == f"{top}/lib/modules/file"


@pytest.mark.parametrize(
    "target", ["../outside", "/../outside", "../../../../../../../../outside", "/..", "lib/../../outside"]
)
def test_what_tries_to_leave_stays(top: Path, target: str) -> None:
    root = Root(str(top))
    (top / "way").symlink_to(target)
    (top / "outside").mkdir()
    (top / "outside/secret").write_text("inside")
    assert root.host_path("/way").startswith(f"{top}/")
    assert root.host_path("/../../outside/secret") == f"{top}/outside/secret"
    if "outside" in target:
        assert root.read_text("/way/secret") == "inside"


def test_a_link_to_an_absolute_host_path_means_the_roots_own(top: Path, outside: Path) -> None:
    (top / "way").symlink_to(outside / "secret")
    root = Root(str(top))
    assert not root.exists("/way")
    with pytest.raises(Unreadable) as caught:
        root.read_bytes("/way")
    assert caught.value.where == f"{top}/way"


@pytest.mark.parametrize("path", ["/", "//", "///", "/.", "/../.."])
def test_the_hosts_own_root_by_any_name(path: str) -> None:
    root = Root(path)
    assert root.is_host
    assert root.display("/etc") == root.host_path("/etc") == "/etc"


def test_loops_of_links(top: Path) -> None:
    (top / "a").symlink_to("b")
    (top / "b").symlink_to("/a")
    (top / "self").symlink_to("self/x")
    root = Root(str(top))
    for path in ("/a", "/self", "/a/deeper"):
        assert root.find(path) is None
        assert not root.is_dir(path)
        assert root.listdir(path) == ()
        with pytest.raises(RootError, match="too many levels of links"):
            root.read_bytes(path)
        with pytest.raises(RootError):
            root.stat(path)


def test_forty_links_are_not_too_many(top: Path) -> None:
    (top / "link0").symlink_to("lib/modules/file")
    for number in range(1, 40):
        (top / f"link{number}").symlink_to(f"link{number - 1}")
    root = Root(str(top))
    assert root.exists("/link38")  # and /lib is one more
    assert not root.exists("/link39")


@pytest.mark.parametrize("path", ["/a\0b", "/\ud800", "/" + "x" * 300, "/" + "d/" * 3000])
def test_paths_that_no_file_system_has(top: Path, path: str) -> None:
    root = Root(str(top))
    assert not root.exists(path)
    assert not root.is_file(path)
    assert root.listdir(path) == ()
    with pytest.raises(Unreadable):
        root.read_bytes(path)
    with pytest.raises(Unreadable):
        root.stat(path)


def test_bytes_that_are_no_text_survive(top: Path) -> None:
    raw = os.fsencode(top) + b"/n\xff\xe9"
    Path(os.fsdecode(raw)).write_bytes(b"\xff\n")
    root = Root(str(top))
    name = root.listdir("/")[1]
    assert os.fsencode(name) == b"n\xff\xe9"
    assert root.read_text(f"/{name}").encode("utf-8", "surrogateescape") == b"\xff\n"


def test_only_regular_files_are_opened(top: Path) -> None:
    os.mkfifo(top / "fifo")  # opening it must not wait for a writer
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(top / "socket"))
    (top / "null").symlink_to("/dev/null")
    root = Root(str(top))
    for path, words in (("/fifo", "regular"), ("/usr", "directory"), ("/socket", "no such device"), ("/no", "no such")):
        with pytest.raises(Unreadable, match=words):
            root.read_bytes(path)
        assert not root.is_file(path)
    with pytest.raises(Unreadable, match="regular"):
        Root().read_bytes("/dev/null")
    listener.close()


def test_part_of_a_path_is_a_file(top: Path) -> None:
    with pytest.raises(Unreadable, match="not a directory"):
        Root(str(top)).read_bytes("/lib/modules/file/more")


def test_permission_errors_have_a_hint(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Unreadable, match="permission denied") as caught:
        Root(str(top)).read_bytes("/lib/modules/file")
    assert caught.value.hint == "run as root, or as a user who may read it"


def test_limits(top: Path) -> None:
    root = Root(str(top))
    assert root.read_bytes("/lib/modules/file", limit=5) == b"hello"
    with pytest.raises(Unreadable, match="is larger than"):
        root.read_bytes("/lib/modules/file", limit=4)
    with (top / "huge").open("wb") as file:
        file.truncate(1 << 40)  # sparse: refused by its size, before anything is read
    with pytest.raises(Unreadable, match="is larger than"):
        root.read_bytes("/huge")


def test_files_of_unknown_size_are_read_whole_and_limited_too() -> None:
    root = Root()
    assert root.read_bytes("/proc/self/cmdline") == Path("/proc/self/cmdline").read_bytes()
    with pytest.raises(Unreadable, match="is larger than"):
        root.read_bytes("/proc/self/cmdline", limit=3)
    # A sysctl gives its value to one read and nothing to the next.
    assert root.read_text("/proc/sys/kernel/pid_max").strip().isdecimal()
    assert root.read_text("/proc/sys/kernel/pid_max") == Path("/proc/sys/kernel/pid_max").read_text()


def test_an_empty_file(top: Path) -> None:
    (top / "empty").touch()
    assert Root(str(top)).read_bytes("/empty") == b""


def test_listing_is_sorted_by_bytes(top: Path) -> None:
    for name in ("b", "a", "B", "ä", "_"):
        (top / "usr/lib/modules" / name).touch()
    assert Root(str(top)).listdir("/lib/modules") == ("B", "_", "a", "b", "file", "ä")
    assert Root(str(top)).listdir("/lib/modules/file") == ()


_NAMES = st.sampled_from(["a", "b", "c", "d"])
_PATHS = st.lists(st.sampled_from(["a", "b", "c", "d", "..", ".", ""]), max_size=6).map("/".join)
_TARGETS = st.builds(lambda slash, path: slash + path or ".", st.sampled_from(["", "/"]), _PATHS)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    links=st.dictionaries(st.tuples(_NAMES, _NAMES), _TARGETS, max_size=10),
    paths=st.lists(_PATHS.map(lambda path: f"/{path}"), min_size=1, max_size=8),
)
def test_no_forest_of_links_leads_out(
    tmp_path_factory: pytest.TempPathFactory, links: dict[tuple[str, str], str], paths: list[str]
) -> None:
    base = tmp_path_factory.mktemp("forest")
    top = base / "top"
    (base / "a").mkdir()  # what an escape would find
    for directory in "abcd":
        (top / directory).mkdir(parents=True)
    for (directory, name), target in links.items():
        (top / directory / name).symlink_to(target)
    root = Root(str(top))
    for path in paths:
        try:
            host = root.host_path(path)
        except RootError:
            continue
        assert host.startswith(f"{top}/")
        # Nothing of the answer is a link or .., so whoever opens it stays inside.
        assert os.path.realpath(host) == host.rstrip("/")


def test_a_root_that_no_file_system_can_have() -> None:
    root = Root("a\0b")
    assert (root.is_dir("/"), root.exists("/etc"), root.listdir("/"), root.find("/etc")) == (False, False, (), None)
