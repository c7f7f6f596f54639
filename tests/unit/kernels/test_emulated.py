"""The emulated kernel: one state for all that look at it, whole at any time, and errors instead of guesses."""

import errno
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lkm.errors import LkmError, LoadRefused, NotLoaded, StateError, TreeMissing, UnloadRefused, Unreadable
from lkm.formats.parameters import Parameter
from lkm.kernels import emulated_store
from lkm.kernels.base import LoadFlags, UnloadFlags
from lkm.kernels.emulated import EmulatedKernel
from lkm.system.module_file import ModuleFile
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root


def _tree(root: Path) -> ModuleTree:
    return ModuleTree(Root(str(root)))


@pytest.fixture
def tree(sample: Path) -> ModuleTree:
    return _tree(sample)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "kernel"


def _load(kernel: EmulatedKernel, tree: ModuleTree, *names: str, parameters: str = "") -> None:
    for name in names:
        module = tree.module(name)
        assert module is not None
        kernel.load(module, parameters)


def _names(kernel: EmulatedKernel) -> list[str]:
    return [module.name for module in kernel.loaded()]


# --- the state --------------------------------------------------------------------------------------------------------


def test_it_starts_with_nothing(tree: ModuleTree) -> None:
    kernel = EmulatedKernel(tree)
    assert (kernel.release, kernel.loaded(), kernel.taint(), kernel.log()) == ("6.1.0-sample", (), 0, ())
    assert kernel.state("vfat") is None
    assert kernel.parameters("vfat") == {}
    assert kernel.command_line() == "BOOT_IMAGE=emulated"


def test_several_objects_see_one_kernel(tree: ModuleTree, store: Path) -> None:
    _load(EmulatedKernel(tree, str(store)), tree, "fat", "vfat")
    _load(EmulatedKernel(tree, str(store)), tree, "dummy", parameters='numdummies=2 label="a b"')
    other = EmulatedKernel(tree, str(store))
    assert _names(other) == ["dummy", "vfat", "fat"]
    fat = other.loaded()[2]
    assert (fat.refcount, fat.used_by, fat.taints, fat.permanent) == (1, ("vfat",), "", False)
    assert other.state("vfat") == "live"
    assert other.parameters("dummy") == {"numdummies": "2", "label": "a b"}
    other.unload("vfat")
    assert _names(EmulatedKernel(tree, str(store))) == ["dummy", "fat"]


def test_without_a_directory_it_ends_with_the_object(tree: ModuleTree) -> None:
    kernel = EmulatedKernel(tree)
    _load(kernel, tree, "fat")
    assert _names(kernel) == ["fat"]
    assert _names(EmulatedKernel(tree)) == []


def test_a_refusal_carries_errno_log_and_file(tree: ModuleTree, store: Path, sample: Path) -> None:
    kernel = EmulatedKernel(tree, str(store))
    module = tree.module("vfat")
    assert module is not None
    with pytest.raises(LoadRefused) as caught:
        kernel.load(module, "")
    assert (caught.value.errno, caught.value.where) == (errno.ENOENT, module.display_path)
    assert caught.value.log[-1] == "vfat: Unknown symbol fat_build_inode (err -2)"
    assert kernel.log() == caught.value.log  # what is refused is in the log all the same
    with pytest.raises(UnloadRefused) as refused:
        kernel.unload("vfat")
    assert refused.value.errno == errno.ENOENT


def test_what_a_refused_module_leaves_behind_stays(tree: ModuleTree, store: Path, sample: Path) -> None:
    hello = ModuleFile(Root(str(sample)), "/home/you/hello.ko")
    kernel = EmulatedKernel(tree, str(store))
    log = kernel.load(hello, "")
    assert len(log) == 2
    with pytest.raises(LoadRefused):
        kernel.load(hello, "")
    again = EmulatedKernel(tree, str(store))
    assert again.taint() == 1 << 12 | 1 << 13
    assert again.loaded()[0].taints == "OE"
    assert again.log() == log


def test_flags(tree: ModuleTree, sample: Path) -> None:
    old = ModuleFile(Root(str(sample)), "/home/you/old.ko")
    with pytest.raises(LoadRefused):
        EmulatedKernel(tree).load(old, "")
    kernel = EmulatedKernel(tree)
    kernel.load(old, "", LoadFlags.IGNORE_VERMAGIC | LoadFlags.COMPRESSED_FILE)
    assert kernel.loaded()[0].taints == "FOE"


def test_references_and_force(tree: ModuleTree, store: Path) -> None:
    kernel = EmulatedKernel(tree, str(store))
    _load(kernel, tree, "fat")
    kernel.hold("fat", 2)
    assert EmulatedKernel(tree, str(store)).loaded()[0].refcount == 2
    with pytest.raises(UnloadRefused) as caught:
        kernel.unload("fat")
    assert caught.value.errno == errno.EAGAIN
    kernel.unload("fat", UnloadFlags.FORCE)
    assert (_names(kernel), kernel.taint()) == ([], 1 << 3)
    with pytest.raises(UnloadRefused):
        kernel.hold("fat", 1)


def test_without_privilege(tree: ModuleTree) -> None:
    kernel = EmulatedKernel(tree, privileged=False)
    with pytest.raises(LoadRefused) as caught:
        _load(kernel, tree, "fat")
    assert caught.value.errno == errno.EPERM
    with pytest.raises(UnloadRefused):
        kernel.unload("fat")


def test_the_command_line_is_a_file(tree: ModuleTree, store: Path) -> None:
    store.mkdir()
    (store / "cmdline").write_text("lockdown=integrity module.sig_enforce=1\n")
    kernel = EmulatedKernel(tree, str(store))
    assert kernel.command_line() == "lockdown=integrity module.sig_enforce=1"
    security = kernel.security()
    assert (security.lockdown, security.sig_enforce, security.modules_disabled) == ("integrity", True, False)
    _load(kernel, tree, "fat")
    (store / "cmdline").write_text("nomodule")
    with pytest.raises(LoadRefused):
        _load(kernel, tree, "dummy")
    assert EmulatedKernel(tree).security().sig_enforce is False


def test_a_permanent_module_is_shown_as_the_kernel_does(tree: ModuleTree, tmp_path: Path) -> None:
    from dataclasses import replace  # noqa: PLC0415

    from lkm.actions.sample_tree import VERMAGIC  # noqa: PLC0415
    from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write  # noqa: PLC0415

    recipe = replace(ModuleRecipe("stay", usual_modinfo("stay", VERMAGIC), layout_crc=0x2A7A0F8B), exit_offset=None)
    (tmp_path / "stay.ko").write_bytes(write(recipe))
    kernel = EmulatedKernel(tree)
    kernel.load(ModuleFile(Root(str(tmp_path)), "/stay.ko"), "")
    (shown,) = kernel.loaded()
    assert (shown.refcount, shown.permanent) == (0, True)
    with pytest.raises(UnloadRefused) as caught:
        kernel.unload("stay")
    assert caught.value.errno == errno.EBUSY


def test_the_log_has_an_end(tree: ModuleTree, store: Path) -> None:
    kernel = EmulatedKernel(tree, str(store))
    module = tree.module("vfat")
    assert module is not None
    state = store / "state.json"
    with pytest.raises(LoadRefused):
        kernel.load(module, "")
    plain = json.loads(state.read_text())
    plain["log"] = [f"line {number}" for number in range(4096)]
    state.write_text(json.dumps(plain))
    with pytest.raises(LoadRefused):
        kernel.load(module, "")
    log = kernel.log()
    assert len(log) == 4096
    assert log[-1] == "vfat: Unknown symbol fat_build_inode (err -2)"
    assert log[0] == "line 2"


# --- damage -----------------------------------------------------------------------------------------------------------


def _state(store: Path, tree: ModuleTree) -> dict[str, object]:
    _load(EmulatedKernel(tree, str(store)), tree, "fat")
    plain: dict[str, object] = json.loads((store / "state.json").read_text())
    return plain


def _in_module(plain: dict[str, object], **fields: object) -> dict[str, object]:
    modules = plain["modules"]
    assert isinstance(modules, list)
    return {**plain, "modules": [{**modules[0], **fields}]}


DAMAGE: dict[str, Callable[[dict[str, object]], object]] = {
    "another schema": lambda plain: {**plain, "schema": "lkm.emulated/0"},
    "another kernel's": lambda plain: {**plain, "release": "9.9"},
    "no object": lambda plain: [plain],
    "a number": lambda plain: 7,
    "null": lambda plain: None,
    "nothing in it": lambda plain: {},
    "no modules": lambda plain: {key: value for key, value in plain.items() if key != "modules"},
    "modules that are none": lambda plain: {**plain, "modules": ["fat"]},
    "modules that are a number": lambda plain: {**plain, "modules": 7},
    "an infinite taint": lambda plain: {**plain, "taint": float("inf")},
    "a taint that is a text": lambda plain: {**plain, "taint": "OE"},
    "a log that is a number": lambda plain: {**plain, "log": 3},
    "an export too short": lambda plain: _in_module(plain, exports=[["name"]]),
    "an export that is a text": lambda plain: _in_module(plain, exports=["name"]),
    "a CRC that is a text": lambda plain: _in_module(plain, exports=[["name", "crc", False, None]]),
    "parameters that are no pairs": lambda plain: _in_module(plain, parameters=[["a"]]),
    "a size that is null": lambda plain: _in_module(plain, size=None),
}


@pytest.mark.parametrize("name", list(DAMAGE))
def test_a_damaged_state_is_said_to_be_damaged(tree: ModuleTree, store: Path, name: str) -> None:
    damaged = DAMAGE[name](_state(store, tree))
    (store / "state.json").write_text(json.dumps(damaged))
    kernel = EmulatedKernel(tree, str(store))
    for ask in (kernel.loaded, kernel.log, lambda: kernel.unload("fat"), lambda: kernel.state("fat")):
        with pytest.raises(StateError, match="the state of the emulated kernel is damaged") as caught:
            ask()
        assert caught.value.where == f"{store}/state.json"
        assert caught.value.hint == f"begin anew: rm {store}/state.json"
    assert json.loads((store / "state.json").read_text()) == damaged  # and nothing is written over it


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"schema": "lkm.emulated/1"', b"\0" * 100])
def test_a_state_that_is_no_json(tree: ModuleTree, store: Path, data: bytes) -> None:
    store.mkdir()
    (store / "state.json").write_bytes(data)
    with pytest.raises(StateError):
        EmulatedKernel(tree, str(store)).loaded()


def test_odd_things_that_harm_nothing(tree: ModuleTree, store: Path) -> None:
    plain = _in_module({**_state(store, tree), "said": [1, "x"]}, uses=[1])
    (store / "state.json").write_text(json.dumps(plain))
    kernel = EmulatedKernel(tree, str(store))
    _load(kernel, tree, "dummy")
    assert _names(kernel) == ["dummy", "fat"]


@pytest.mark.parametrize("name", ["state.json", "cmdline", "lock"])
def test_a_directory_where_a_file_should_be(tree: ModuleTree, store: Path, name: str) -> None:
    (store / name).mkdir(parents=True)
    with pytest.raises((StateError, Unreadable)):
        _load(EmulatedKernel(tree, str(store)), tree, "fat")


def test_a_file_where_the_directory_should_be(tree: ModuleTree, tmp_path: Path) -> None:
    (tmp_path / "kernel").write_text("")
    with pytest.raises(StateError):
        _load(EmulatedKernel(tree, str(tmp_path / "kernel")), tree, "fat")


def test_a_directory_that_can_not_be_written(tree: ModuleTree, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _load(EmulatedKernel(tree, str(store)), tree, "fat")
    before = (store / "state.json").read_bytes()

    def refuse(path: str, data: bytes) -> None:
        raise PermissionError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(emulated_store, "write_atomically", refuse)
    (store / "profile.json").unlink()
    kernel = EmulatedKernel(tree, str(store))
    assert kernel.security().sig_enforce is False  # asking goes on: what can't be kept is found out each time
    with pytest.raises(StateError, match="read-only file system"):
        _load(kernel, tree, "dummy")
    assert (store / "state.json").read_bytes() == before


def test_a_tree_that_is_not_there(tmp_path: Path, store: Path) -> None:
    kernel = EmulatedKernel(ModuleTree(Root(str(tmp_path)), "1.0"), str(store))
    assert kernel.loaded() == ()
    with pytest.raises(TreeMissing):
        kernel.security()


# --- several at once --------------------------------------------------------------------------------------------------

_LOADER = """
import sys
from lkm.errors import LoadRefused, UnloadRefused
from lkm.kernels.emulated import EmulatedKernel
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

root, store, name, times = sys.argv[1:]
tree = ModuleTree(Root(root))
kernel = EmulatedKernel(tree, store)
for _ in range(int(times)):
    kernel.load(tree.module(name), "")
    kernel.unload(name)
kernel.load(tree.module(name), "")
"""


def test_several_processes_lose_nothing(sample: Path, store: Path, tree: ModuleTree) -> None:
    names = ("fat", "dummy", "pcspkr")
    running = [subprocess.Popen([sys.executable, "-c", _LOADER, str(sample), str(store), name, "15"]) for name in names]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert sorted(_names(EmulatedKernel(tree, str(store)))) == sorted(names)


def test_killed_at_any_time(sample: Path, store: Path, tree: ModuleTree) -> None:
    kernel = EmulatedKernel(tree, str(store))
    _load(kernel, tree, "dummy")
    process = subprocess.Popen([sys.executable, "-c", _LOADER, str(sample), str(store), "fat", "100000"])
    end = time.monotonic() + 20
    while "fat" not in _names(kernel) and time.monotonic() < end:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert set(_names(kernel)) in ({"dummy"}, {"dummy", "fat"})
    _load(kernel, tree, "pcspkr")  # and the lock went with its holder
    assert "pcspkr" in _names(kernel)


# --- the profile ------------------------------------------------------------------------------------------------------


def test_the_profile_is_kept_until_its_sources_change(own_sample: Path, store: Path) -> None:
    tree = _tree(own_sample)
    assert EmulatedKernel(tree, str(store)).security().sig_enforce is False
    kept = json.loads((store / "profile.json").read_text())
    kept["config"]["MODULE_SIG_FORCE"] = "y"  # so that we see whether it is read
    (store / "profile.json").write_text(json.dumps(kept))
    assert EmulatedKernel(_tree(own_sample), str(store)).security().sig_enforce is True
    (own_sample / "boot/config-6.1.0-sample").write_text("CONFIG_MODULES=y\n")
    assert EmulatedKernel(_tree(own_sample), str(store)).security().sig_enforce is False


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"stamp": null}', b"\xff", b"[" * 100_000, b"null"])
def test_a_damaged_profile_is_gathered_anew(tree: ModuleTree, store: Path, data: bytes) -> None:
    EmulatedKernel(tree, str(store)).security()
    (store / "profile.json").write_bytes(data)
    assert EmulatedKernel(tree, str(store)).security().sig_enforce is False
    assert json.loads((store / "profile.json").read_text())["release"] == "6.1.0-sample"


def test_a_profile_of_another_shape_is_gathered_anew(tree: ModuleTree, store: Path) -> None:
    EmulatedKernel(tree, str(store)).security()
    kept = json.loads((store / "profile.json").read_text())
    for damage in ({"machine": "x"}, {"exports": [[1]]}, {"certificates": ["?"]}, {"config": 7}, {"schema": "x"}):
        (store / "profile.json").write_text(json.dumps({**kept, **damage}))
        assert EmulatedKernel(tree, str(store)).security().lockdown == "none"


# --- signatures -------------------------------------------------------------------------------------------------------


def test_without_the_kernels_certificates_the_trees_own_signer_counts(
    tree: ModuleTree, store: Path, tmp_path: Path
) -> None:
    from tests.support.signing import Signer  # noqa: PLC0415

    from lkm.actions.sample_tree import VERMAGIC  # noqa: PLC0415
    from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write  # noqa: PLC0415

    store.mkdir()
    (store / "cmdline").write_text("module.sig_enforce=1")
    kernel = EmulatedKernel(tree, str(store))
    _load(kernel, tree, "fat")
    stranger = write(ModuleRecipe("mine", usual_modinfo("mine", VERMAGIC), layout_crc=0x2A7A0F8B))
    (tmp_path / "mine.ko").write_bytes(Signer().signed(stranger))
    with pytest.raises(LoadRefused) as caught:
        kernel.load(ModuleFile(Root(str(tmp_path)), "/mine.ko"), "")
    assert caught.value.log == ("Loading of module with unavailable key is rejected",)


def test_a_file_that_can_not_be_unpacked_is_no_refusal(tree: ModuleTree, tmp_path: Path) -> None:
    (tmp_path / "bad.ko").write_bytes(b"\xfd7zXZ\0 and no more")
    with pytest.raises(LkmError) as caught:
        EmulatedKernel(tree).load(ModuleFile(Root(str(tmp_path)), "/bad.ko"), "")
    assert not isinstance(caught.value, LoadRefused)
    assert caught.value.where == f"{tmp_path}/bad.ko"


# --- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_parameter_is_set_while_the_module_is_loaded(tree: ModuleTree, store: Path, *, is_kept: bool) -> None:
    kernel = EmulatedKernel(tree, str(store) if is_kept else None)
    with pytest.raises(NotLoaded):
        kernel.set_parameter("dummy", Parameter("numdummies"), "3")
    _load(kernel, tree, "dummy", parameters="numdummies=1 label=x")
    log = kernel.log()
    kernel.set_parameter("dummy", Parameter("numdummies"), "3")
    assert kernel.parameters("dummy") == {"numdummies": "3", "label": "x"}
    assert (kernel.taint(), kernel.log()) == (0, log)
    kernel.set_parameter("dummy", Parameter("label", unsafe=True), "y")
    assert (kernel.parameters("dummy")["label"], kernel.taint()) == ("y", 1 << 6)
    assert kernel.log()[-1] == "Setting dangerous option label - tainting kernel"
