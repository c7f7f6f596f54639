"""Machines for tests: one boot serves many."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.require import require_path, require_tool

from lkm.kernels.vm import images
from lkm.kernels.vm.machine import Machine


@pytest.fixture(scope="session")
def image() -> images.Image:
    """The newest kernel of the distribution, with its modules."""
    require_tool("qemu-system-x86_64")
    require_tool("busybox")
    installed = images.installed()
    if not installed:
        require_path(Path("/boot/vmlinuz-RELEASE"))
    return installed[0]


@pytest.fixture(scope="session")
def machine(image: images.Image) -> Iterator[Machine]:
    """One machine for all tests that leave it as they found it."""
    with Machine(image.kernel, image.modules, boot_timeout=150.0) as running:
        yield running
