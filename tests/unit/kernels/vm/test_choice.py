"""From what a user calls a kernel to one that can be booted."""

import shutil
from pathlib import Path

import pytest

from lkm.errors import LkmError, MachineError
from lkm.kernels.vm.choice import choose

_SETUP = 0x200


def _image(release: str) -> bytes:
    """Make the first sectors of a bzImage that says its release (Documentation/arch/x86/boot.rst)."""
    data = bytearray(0x1000)
    data[0x202:0x206] = b"HdrS"
    data[0x1FE:0x200] = b"\x55\xaa"
    data[0x206:0x208] = (0x20F).to_bytes(2, "little")
    data[0x20E:0x210] = (0x400 - _SETUP).to_bytes(2, "little")
    data[0x1F1] = 4
    data[0x400 : 0x400 + len(release) + 3] = f"{release} #1".encode()
    return bytes(data)


def _kernel(root: Path, release: str, home: str = "lib/modules") -> Path:
    (root / home / release).mkdir(parents=True)
    (root / "boot").mkdir(exist_ok=True)
    path = root / f"boot/vmlinuz-{release}"
    path.write_bytes(_image(release))
    return path


def test_a_release_of_the_root(tmp_path: Path) -> None:
    path = _kernel(tmp_path, "6.1.0-1")
    image, root = choose("6.1.0-1", str(tmp_path))
    assert (image.release, image.kernel, root) == ("6.1.0-1", path, tmp_path)
    with pytest.raises(MachineError, match=r"no kernel 6\.9"):
        choose("6.9", str(tmp_path))


def test_a_directory_of_unpacked_packages(tmp_path: Path) -> None:
    _kernel(tmp_path, "6.1.0-1", "usr/lib/modules")
    newest = _kernel(tmp_path, "6.12.0-1", "usr/lib/modules")
    image, root = choose(str(tmp_path))
    assert (image.kernel, root) == (newest, tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MachineError, match="no kernel with its modules"):
        choose(str(tmp_path / "empty"))


def test_a_vmlinuz(tmp_path: Path) -> None:
    path = _kernel(tmp_path / "unpacked", "7.2.1")
    image, root = choose(str(path))
    assert (image.release, image.modules, root) == (
        "7.2.1",
        tmp_path / "unpacked/lib/modules/7.2.1",
        tmp_path / "unpacked",
    )


def test_a_vmlinuz_whose_modules_are_elsewhere(tmp_path: Path) -> None:
    path = _kernel(tmp_path / "build", "7.2.1")
    shutil.move(tmp_path / "build/lib", tmp_path / "lib")
    image, root = choose(str(path), str(tmp_path))
    assert (image.modules, root) == (tmp_path / "lib/modules/7.2.1", tmp_path)
    shutil.rmtree(tmp_path / "lib")
    with pytest.raises(MachineError, match=r"the modules of 7\.2\.1 are missing"):
        choose(str(path), str(tmp_path))


def test_what_is_no_kernel(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    with pytest.raises(LkmError):
        choose(f"{tmp_path}/text")
    with pytest.raises(LkmError):
        choose(f"{tmp_path}/none")
