"""Files that are taken as loaded before the check begins, whatever the kernel would say to them now."""

import os
from dataclasses import replace

from lkm.actions.checking.chain import chain_of, steps_for_file
from lkm.actions.checking.target import CheckTarget, having_said
from lkm.actions.load_names import file_for, looks_like_path
from lkm.errors import Unreadable
from lkm.rules.loading.state import KernelState, ModuleRecord
from lkm.rules.signatures.policy import Lockdown
from lkm.system.module_file import ModuleFile

__all__ = ["with_loaded"]


def with_loaded(target: CheckTarget) -> CheckTarget:
    """Load what ``target.options.loaded`` names, in order, each with what it needs unless ``raw`` is asked for.

    A file that the kernel would refuse is taken as loaded all the same, and a note says so.

    :raises Unreadable: a file can't be read, or is no module
    """
    state = target.state
    notes: list[str] = []
    for path in target.options.loaded:
        state, note = _loaded(target, state, path)
        notes += [note] if note else []
    return replace(target, state=state, notes=(*target.notes, *notes))


def _file(target: CheckTarget, path: str) -> ModuleFile:
    """Give the file of a path; or of a name, unless there is a file of that name."""
    if not looks_like_path(path) and not os.path.lexists(path):
        for candidate in target.resolver.lookup(path):
            found = target.resolver.module_file(candidate)
            if found is not None:
                return found
        raise Unreadable(f"no module of the tree is called {path!r}, and there is no such file", where="--loaded")
    return file_for(path)


def _loaded(target: CheckTarget, state: KernelState, path: str) -> tuple[KernelState, str]:
    """Have a file loaded; that signatures are enforced and the kernel is locked down may have come later."""
    file = _file(target, path)
    image = file.image
    with file.located():
        name, exports = image.name, image.exports
    before = replace(state, sig_enforce=False, lockdown=Lockdown.NONE)
    if not target.options.raw:
        steps, _ = steps_for_file(target, before, image, name)
        before = chain_of(target, before, steps).state
    verdict = target.ask(before, file.contents, "", 0)
    after = verdict.state
    note = ""
    if not verdict.loads:
        reason = os.strerror(verdict.errno).lower()
        note = f"{path} is taken as loaded, though this kernel would refuse it ({reason})"
        if after.module(name) is None:
            record = ModuleRecord(name, exports=exports, taints=after.taint & ~before.taint)
            after = replace(after, modules=(record, *after.modules))
    return having_said(replace(after, sig_enforce=state.sig_enforce, lockdown=state.lockdown)), note
