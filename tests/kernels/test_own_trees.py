"""All modules of each distribution's kernel are judged to load there, and to be refused by the other kernels."""

import errno

import pytest
from tests.truth.kernels import KERNELS, gathered, tree_of
from tests.truth.own_tree import judged

from lkm.rules.taint import letters

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

_FOREIGN = (
    "disagrees about version of symbol module_layout",
    "version magic '",
    ".gnu.linkonce.this_module section size must match the kernel's built struct module size at run time",
)
"""How a kernel says that a module was built for another."""


@pytest.mark.parametrize("kernel", KERNELS)
def test_each_module_loads_on_its_own_kernel_and_on_no_other(kernel: str) -> None:
    others = {other: gathered(other).profile for other in KERNELS if other != kernel}
    refused, tainting, accepted = [], {}, []
    count = 0
    for module in judged(tree_of(kernel), gathered(kernel).profile, others):
        count += 1
        if not module.own.loads:
            refused.append((module.name, module.own.errno, module.own.log))
        elif module.own.record and module.own.record.taints:
            tainting[module.name] = letters(module.own.record.taints)
        accepted += [
            (module.name, name, verdict.errno, verdict.log)
            for name, verdict in module.others.items()
            if verdict.errno != errno.ENOEXEC or not any(reason in line for line in verdict.log for reason in _FOREIGN)
        ]
    assert count > 3000
    assert refused == []
    assert set(tainting.values()) <= {"C", "N"}  # the staging directory's, and KUnit's
    assert accepted == []
