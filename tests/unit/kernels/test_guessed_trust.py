"""Whose signatures count where nobody knows the kernel's keys."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.signing import Signer

from lkm.formats.module_signature import append, split
from lkm.kernels.guessed_trust import guesses_trust
from lkm.rules.loading.state import KernelState
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

BUILD = Signer("The build's key", use_rsa=True)
STRANGER = Signer("A stranger", use_rsa=True)


@pytest.fixture
def tree(own_sample: Path) -> ModuleTree:
    """A tree whose modules one key signed."""
    for path in own_sample.rglob("*.ko"):
        path.write_bytes(BUILD.signed(_plain(path.read_bytes())))
    return ModuleTree(Root(str(own_sample)))


@pytest.fixture
def profile(tree: ModuleTree) -> KernelProfile:
    """A kernel whose image could not be read."""
    return replace(gather(tree, with_modules=False), certificates=None)


def _plain(contents: bytes) -> bytes:
    return contents[: split(contents)[0]]


def _module(tree: ModuleTree) -> bytes:
    return _plain(next(iter(tree.modules())).contents)


def test_the_signer_of_the_tree_is_taken_as_trusted(tree: ModuleTree, profile: KernelProfile) -> None:
    contents = _module(tree)
    assert guesses_trust(tree, profile, KernelState(), BUILD.signed(contents))
    assert not guesses_trust(tree, profile, KernelState(), STRANGER.signed(contents))
    assert not guesses_trust(tree, profile, KernelState(), contents)
    assert not guesses_trust(tree, profile, KernelState(), append(contents, b"no message"))


def test_a_key_that_is_known_decides(tree: ModuleTree, profile: KernelProfile) -> None:
    contents = _module(tree)
    signed = BUILD.signed(contents)
    known = KernelState(certificates=(BUILD.der,))
    assert not guesses_trust(tree, profile, known, signed)
    assert not guesses_trust(tree, profile, known, append(contents + b"changed", signed[len(contents) : -40]))
    assert guesses_trust(tree, profile, KernelState(certificates=(STRANGER.der,)), signed)


def test_nothing_is_guessed_where_the_kernels_keys_are_known(tree: ModuleTree, profile: KernelProfile) -> None:
    signed = BUILD.signed(_module(tree))
    assert not guesses_trust(tree, replace(profile, certificates=()), KernelState(), signed)


def test_a_tree_that_tells_nothing(tree: ModuleTree, profile: KernelProfile, own_sample: Path) -> None:
    signed = BUILD.signed(_module(tree))
    for path in own_sample.rglob("*.ko"):
        path.write_bytes(b"")
    assert not guesses_trust(tree, profile, KernelState(), signed)
