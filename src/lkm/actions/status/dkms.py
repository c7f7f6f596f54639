"""The overview's line on DKMS: what is not there for this kernel, and what the kernel does not trust."""

import shlex
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lkm.actions.status.parts import Attention, Fact, Level, Overview, Part
from lkm.errors import LkmError
from lkm.formats.module_name import from_path
from lkm.system import dkms_state

if TYPE_CHECKING:
    from lkm.actions.verifying.verify import VerifyReport

__all__ = ["dkms"]

_OWN_KEY = "/var/lib/dkms/mok.pub"  # of dkms 3, which signs what it builds; see dkms(8)


def dkms(overview: Overview) -> Part:
    """Say which packages of DKMS are not there for this kernel, and which of their modules it does not trust."""
    packages = dkms_state.packages(overview.session.root)
    if not packages:
        return Part(Fact("dkms", [], "no packages"))
    release = overview.kernel.release
    states: dict[str, str] = {}
    names: list[str] = []
    for package in packages:
        build = package.build_for(release)
        state = "not built" if build is None else "installed" if build.installed else "built, not installed"
        states[f"{package.name}/{package.version}"] = state
        if build is not None and build.installed:
            names += [from_path(path) for path in build.files]
    counts = Counter(states.values())
    text = ", ".join(f"{count} {state}" for state, count in counts.items())
    value = [{"package": name, "state": state} for name, state in states.items()]
    attention = (*_not_installed(overview, states), *_untrusted(overview, names))
    return Part(Fact("dkms", value, f"{text} for {release}"), attention)


def _not_installed(overview: Overview, states: dict[str, str]) -> Iterable[Attention]:
    """Tell of packages of which no version is installed for the kernel."""
    release = overview.kernel.release
    installed = {name.partition("/")[0] for name, state in states.items() if state == "installed"}
    for name, state in states.items():
        if name.partition("/")[0] not in installed:
            remedy = overview.inside(f"dkms install {shlex.quote(name)} -k {release}")
            text = f"the DKMS package {name} is {state} for {release}"
            yield Attention("dkms-not-installed", Level.PROBLEM, text, (remedy,))


def _untrusted(overview: Overview, names: list[str]) -> Iterable[Attention]:
    """Tell of modules that DKMS installed and the kernel does not take, or takes with a taint only."""
    if not names or overview.kernel.loads_modules is False:
        return
    try:
        report = _verified(overview, names)
    except LkmError as error:
        yield Attention(
            "dkms-not-verified", Level.NOTE, f"whether the kernel trusts what DKMS built is not known: {error}"
        )
        return
    for module in report.modules:
        if module.answer.is_accepted or not report.kernel.looks:
            continue
        if module.answer.is_signed and not report.kernel.verifier.knows_all:
            continue  # the key may be there all the same
        loads = report.kernel.loads(module.answer)
        name = from_path(module.path)
        what = "is signed by a key that is not trusted here" if module.answer.is_signed else "is not signed"
        text = f"{name}, which DKMS built, {what}; {report.kernel.policy(module.answer)}"
        level = Level.NOTE if loads else Level.PROBLEM
        yield Attention("dkms-untrusted", level, text, _remedy(overview, name, is_signed=module.answer.is_signed))


def _verified(overview: Overview, names: list[str]) -> "VerifyReport":
    from lkm.actions.verifying.verify import verify  # noqa: PLC0415  few systems have DKMS

    return verify(overview.session, names)


def _remedy(overview: Overview, name: str, *, is_signed: bool) -> tuple[str, ...]:
    """Have DKMS's own key enrolled where it signed; else a look at the module says more."""
    root = overview.session.root
    look = overview.lkm(f"verify {shlex.quote(name)}")
    if is_signed and root.is_file(_OWN_KEY):
        key = shlex.quote(root.display(_OWN_KEY))
        return (look, overview.lkm(f"mok enrol {key}", changes=True))
    return (look,)
