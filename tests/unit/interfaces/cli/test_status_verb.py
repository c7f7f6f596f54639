"""status: what needs attention, and how everything stands."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.efi_files import make_firmware
from tests.support.fake_sysfs import make_devices
from tests.support.next_kernel import NEXT_RELEASE, add_next_kernel
from tests.support.schema import check_schema
from tests.support.signed_sample import make_signed_sample
from tests.support.signing import Signer

from lkm.actions.sample_tree import RELEASE
from lkm.formats.proc_modules import LoadedModule
from lkm.kernels.base import Security
from lkm.kernels.live import LiveKernel

Lkm = Callable[..., Any]


def _json(lkm: Lkm, *words: str) -> tuple[int, dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """Give the exit status, what needs attention by its id, and the facts by their names."""
    outcome = lkm("status", "--json", *words)
    assert outcome.err == ""
    answer = json.loads(outcome.out)
    check_schema(answer, "status")
    attention: dict[str, list[dict[str, Any]]] = {}
    for found in answer["attention"]:
        attention.setdefault(found["id"], []).append(found)
    return outcome.status, attention, {fact["name"]: fact for fact in answer["facts"]}


def test_an_image_in_order(lkm: Lkm, sample: Path) -> None:
    outcome = lkm("status", "--root", str(sample))
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("nothing needs attention\n\nWHAT ")
    assert f"kernel            {RELEASE}, installed\n" in outcome.out


def test_lines_of_configuration(lkm: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modules-load.d").mkdir()
    (own_sample / "etc/modules-load.d/a.conf").write_text("dummy\nnosuch\n")
    more = "blacklist dummy\ninstall pcspkr /bin/false\nfrobnicate\n"
    (own_sample / "etc/modprobe.d/more.conf").write_text(more)
    status, attention, facts = _json(lkm, "--root", str(own_sample))
    assert status == 1
    assert attention.keys() == {"wanted-unknown", "bad-line"}
    assert attention["wanted-unknown"][0]["where"].endswith("etc/modules-load.d/a.conf:2")
    assert attention["wanted-unknown"][0]["remedy"] == [f"lkm find nosuch --root {own_sample}"]
    assert attention["bad-line"][0]["where"].endswith("more.conf:3")
    assert "dummy" in facts["block_list"]["value"]["blacklist"]
    assert facts["block_list"]["value"]["install"] == ["pcspkr"]


def test_files_and_words_that_are_ignored(lkm: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/folder.conf").mkdir()
    (own_sample / "etc/kernel").mkdir()
    (own_sample / "etc/kernel/cmdline").write_text("a].b=c quiet")
    _, attention, _ = _json(lkm, "--root", str(own_sample))
    texts = [found["text"] for found in attention["bad-line"]]
    assert [text.partition(" is ignored")[0] for text in texts] == [
        "a file of modprobe.d",
        "a word of the kernel command line",
    ]


def test_an_emulated_kernel(on_sample: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LKM_ROOT", str(own_sample))
    (own_sample / "etc/modules-load.d").mkdir()
    (own_sample / "etc/modules-load.d/a.conf").write_text("dummy\nvfat\nunix\n")
    (own_sample / "etc/modprobe.d/more.conf").write_text("blacklist vfat\n")
    status, attention, facts = _json(on_sample)
    assert status == 1
    assert attention["wanted-not-loaded"][0]["text"].startswith("dummy is to be loaded at boot")
    assert attention["wanted-blacklisted"][0]["text"].startswith("vfat is to be loaded")
    assert on_sample("load", "dummy").status == 0
    status, attention, facts = _json(on_sample)
    assert attention.keys() == {"wanted-blacklisted"}
    assert facts["modules"]["value"]["loaded"] == 1


def test_dkms(lkm: Lkm, own_sample: Path) -> None:
    home = own_sample / "var/lib/dkms"
    (home / "zfs/2.1/source").mkdir(parents=True)
    (home / "old/1/source").mkdir(parents=True)
    (home / "old/2/source").mkdir(parents=True)
    (home / f"old/2/{RELEASE}/x86_64/module").mkdir(parents=True)
    (home / f"old/kernel-{RELEASE}-x86_64").symlink_to(f"2/{RELEASE}/x86_64")
    status, attention, facts = _json(lkm, "--root", str(own_sample))
    assert status == 1
    assert [found["text"] for found in attention["dkms-not-installed"]] == [
        f"the DKMS package zfs/2.1 is not built for {RELEASE}"
    ]
    assert attention["dkms-not-installed"][0]["remedy"] == [
        f"sudo chroot {own_sample} dkms install zfs/2.1 -k {RELEASE}"
    ]
    assert {found["package"]: found["state"] for found in facts["dkms"]["value"]} == {
        "old/1": "not built",
        "old/2": "installed",
        "zfs/2.1": "not built",
    }


@pytest.mark.parametrize("has_key", [True, False])
def test_dkms_modules_that_the_kernel_does_not_trust(lkm: Lkm, own_sample: Path, *, has_key: bool) -> None:
    make_signed_sample(own_sample)
    home = own_sample / "var/lib/dkms"
    (home / "net/1/source").mkdir(parents=True)
    build = home / f"net/1/{RELEASE}/x86_64/module"
    build.mkdir(parents=True)
    (home / f"net/kernel-{RELEASE}-x86_64").symlink_to(f"1/{RELEASE}/x86_64")
    for name in ("dummy.ko", "vfat.ko"):
        (build / name).write_bytes(b"")
    if has_key:
        (home / "mok.pub").write_bytes(b"DER")
    _, attention, _ = _json(lkm, "--root", str(own_sample))
    (told,) = attention["dkms-untrusted"]
    assert told["text"].startswith(
        "dummy, which DKMS built, is signed by a key that is not trusted here; kernel 6.1.0-"
    )
    assert told["remedy"][0] == f"lkm verify dummy --root {own_sample}"
    enrol = f"sudo lkm mok enrol {own_sample}/var/lib/dkms/mok.pub --root {own_sample}"
    assert told["remedy"][1:] == ([enrol] if has_key else [])


def test_what_can_not_be_read_is_told_of(lkm: Lkm, own_sample: Path) -> None:
    loop = own_sample / "etc/modprobe.d/loop.conf"
    loop.symlink_to("loop.conf")
    status, attention, _ = _json(lkm, "--root", str(own_sample))
    assert status == 0
    assert attention.keys() == {"unreadable"}
    assert attention["unreadable"][0]["text"] == (f"what {loop} says of modules is not known: too many levels of links")


def test_of_many_bad_lines_some_are_shown_and_none_at_length(lkm: Lkm, own_sample: Path) -> None:
    lines = ["x" * 5000, *(f"frob{number}" for number in range(7))]
    (own_sample / "etc/modprobe.d/garbage.conf").write_text("\n".join(lines) + "\n")
    _, attention, _ = _json(lkm, "--root", str(own_sample))
    texts = [found["text"] for found in attention["bad-line"]]
    assert len(texts[0]) < 250
    assert texts[1] == "a line of modprobe.d is ignored: bad line starting with 'frob0'"
    assert texts[5:] == ["3 more are ignored, of modprobe.d or the kernel command line"]


def test_a_command_that_does_more_than_refuse_is_no_block(lkm: Lkm, own_sample: Path) -> None:
    (own_sample / "etc/modprobe.d/quiet.conf").write_text("install vfat /bin/true; modprobe fat\ninstall fat false\n")
    _, _, facts = _json(lkm, "--root", str(own_sample))
    assert facts["block_list"]["value"]["install"] == ["fat"]


def test_secure_boot_and_a_waiting_request(lkm: Lkm, own_sample: Path) -> None:
    make_firmware(own_sample, validates=False, mok_new=[Signer().der])
    status, attention, facts = _json(lkm, "--root", str(own_sample))
    assert status == 0
    assert attention.keys() == {"secure-boot", "mok-pending"}
    assert facts["secure_boot"]["value"] == "unvalidated"


def test_a_stale_initramfs(lkm: Lkm, own_sample: Path) -> None:
    image = own_sample / f"boot/initrd.img-{RELEASE}"
    image.write_bytes(b"no image at all")
    os.utime(image, (1, 1))
    _, attention, facts = _json(lkm, "--root", str(own_sample))
    assert attention["stale-initramfs"][0]["level"] == "note"
    assert attention["stale-initramfs"][0]["remedy"] == []
    assert "the tool that made it" in attention["stale-initramfs"][0]["text"]
    assert facts["initramfs"]["text"].endswith(", 1 file differs")
    assert facts["initramfs"]["value"]["compared"] is False
    os.utime(image, (1 << 40, 1 << 40))
    _, attention, facts = _json(lkm, "--root", str(own_sample))
    assert attention == {}
    assert facts["initramfs"]["text"].endswith("newer than the configuration")


def test_of_several_kernels_the_newest_is_meant(lkm: Lkm, own_sample: Path) -> None:
    add_next_kernel(own_sample)
    _, _, facts = _json(lkm, "--root", str(own_sample))
    assert facts["kernel"]["value"] == max(RELEASE, NEXT_RELEASE)
    _, _, facts = _json(lkm, "--root", str(own_sample), "--release", RELEASE)
    assert facts["kernel"]["value"] == RELEASE


def test_a_root_without_indexes(lkm: Lkm, own_sample: Path) -> None:
    for name in ("modules.dep", "modules.dep.bin"):
        (own_sample / f"lib/modules/{RELEASE}/{name}").unlink()
    status, attention, _ = _json(lkm, "--root", str(own_sample))
    assert status == 1
    assert attention["no-indexes"][0]["remedy"] == [f"sudo lkm index --root {own_sample}"]


# --- a kernel that runs -----------------------------------------------------------------------------------------------


@pytest.fixture
def running(lkm: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Lkm:
    """Run on a made-up machine: the sample tree is its root, and its kernel says what a test has it say."""
    make_devices(own_sample)
    monkeypatch.setattr("lkm.system.root.Root.__init__", _root_at(str(own_sample)))
    release = type("Uname", (), {"release": RELEASE})
    monkeypatch.setattr("os.uname", lambda: release)
    loaded = (LoadedModule("vendor", 1, taints="POE"), LoadedModule("vfat", 1), LoadedModule("pcspkr", 1, taints="O"))
    monkeypatch.setattr(LiveKernel, "loaded", lambda _: loaded)
    monkeypatch.setattr(LiveKernel, "taint", lambda _: 1 | 1 << 7 | 1 << 12 | 1 << 13)
    monkeypatch.setattr(LiveKernel, "security", lambda _: Security("none", sig_enforce=False, modules_disabled=True))
    monkeypatch.setattr(LiveKernel, "log", lambda _: ())
    monkeypatch.setattr(LiveKernel, "command_line", lambda _: "module_blacklist=floppy,a-b")
    return lkm


def _root_at(directory: str) -> Callable[..., None]:
    def init(self: Any, path: str = "/") -> None:
        self.path, self.is_host, self.prefix = (path, path == "/", directory if path == "/" else path)

    return init


def test_a_kernel_that_runs(running: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkm.system.root.Root.host_path", lambda self, inside: self.prefix + inside)
    (own_sample / "etc/modprobe.d/more.conf").write_text("install pcspkr /bin/false\n")
    status, attention, facts = _json(running)
    assert status == 0
    assert facts["modules"]["value"]["tainting"] == {"E": ["vendor"], "O": ["vendor", "pcspkr"], "P": ["vendor"]}
    assert attention["unsigned-loaded"][0]["remedy"] == ["lkm verify vendor"]
    assert "2 modules are loaded from outside" in attention["out-of-tree-loaded"][0]["text"]
    assert "crashed in part" in attention["tainted"][0]["text"]
    assert attention["blocked-but-loaded"][0]["text"].startswith("pcspkr is loaded")
    assert "modules-disabled" in attention
    assert facts["taint"]["text"].startswith("PDOE (12417): P: ")
    assert facts["block_list"]["value"]["module_blacklist"] == ["a-b", "floppy"]


def test_a_newer_kernel_waits(running: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkm.system.root.Root.host_path", lambda self, inside: self.prefix + inside)
    (own_sample / "lib/modules/6.10.0-sample").mkdir()
    _, attention, _ = _json(running)
    assert attention["newer-kernel"][0]["remedy"][0] == "lkm preflight 6.10.0-sample"


def test_a_kernel_whose_tree_is_gone(running: Lkm, own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkm.system.root.Root.host_path", lambda self, inside: self.prefix + inside)
    (own_sample / f"lib/modules/{RELEASE}").rename(own_sample / "lib/modules/6.1.1-sample")
    status, attention, _ = _json(running)
    assert status == 1
    assert attention["no-module-tree"][0]["remedy"] == ["sudo reboot"]


def test_this_machine_has_an_overview(lkm: Lkm) -> None:
    outcome = lkm("status")
    assert outcome.status in {0, 1}
    assert outcome.err == ""
    assert "HOW IT STANDS" in outcome.out


@pytest.mark.parametrize("words", [("--root", "/nowhere"), ("x",), ("--kernel", "frob"), ("--release", "..")])
def test_wrong_calls(lkm: Lkm, words: tuple[str, ...]) -> None:
    assert lkm("status", *words).status == 2
