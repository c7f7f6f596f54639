"""A distribution's own modules load into the emulated kernel without a word: signatures, versions and symbols fit."""

import pytest
from tests.support import real_tree

from lkm.kernels.emulated import EmulatedKernel
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

pytestmark = pytest.mark.peer

_EVERY = 25


def test_every_25th_module_with_what_it_needs() -> None:
    tree = ModuleTree(Root(), real_tree.tree().name)
    kernel = EmulatedKernel(tree)
    finished = [module for module in tree.modules() if "/staging/" not in module.path]  # the others taint
    for module in finished[::_EVERY]:
        for needed in (*tree.dependencies(module.name), module):
            if kernel.state(needed.name) is None:
                assert kernel.load(needed, "") == (), needed
    assert kernel.taint() == 0
    assert len(kernel.loaded()) > 100
    assert all(loaded.taints == "" for loaded in kernel.loaded())
