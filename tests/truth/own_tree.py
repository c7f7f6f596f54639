"""Judging all modules of a kernel's own tree: each with what it needs loaded before it, and on other kernels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lkm.rules.loading.attempt import KernelState, ModuleRecord, Request, Verdict
from lkm.rules.loading.stages import judge
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_file import ModuleFile
from lkm.system.module_tree import ModuleTree

__all__ = ["Judged", "judged"]


@dataclass(frozen=True)
class Judged:
    """A module and what becomes of it.

    :param own: on its own kernel, which has loaded what it needs
    :param others: on other kernels, by their names
    """

    name: str
    own: Verdict
    others: Mapping[str, Verdict]


def judged(tree: ModuleTree, profile: KernelProfile, others: Mapping[str, KernelProfile]) -> Iterator[Judged]:
    """Judge each module of a tree once, dependencies first."""
    records: dict[str, ModuleRecord] = {}
    for module in _dependencies_first(tree):
        needed = (records.get(other.name) for other in reversed(tree.dependencies(module.name)))
        request = Request(module.contents)
        own = judge(profile, KernelState(tuple(record for record in needed if record)), request)
        if own.record:
            records[module.name] = own.record
        yield Judged(module.name, own, {name: judge(other, KernelState(), request) for name, other in others.items()})


def _dependencies_first(tree: ModuleTree) -> Iterator[ModuleFile]:
    seen: set[str] = set()
    for module in tree.modules():
        for each in (*tree.dependencies(module.name), module):
            if each.name not in seen:
                seen.add(each.name)
                yield each
