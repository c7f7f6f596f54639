"""What a system knows of a cause: the line of its configuration at fault, the file, the package, who else has it."""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lkm.errors import LkmError
from lkm.formats.kernel_cmdline import FILE, Cmdline
from lkm.formats.modprobe_conf import Options
from lkm.formats.module_name import canonical
from lkm.rules.effective_lines import text_of
from lkm.rules.kernel_blacklist import kernel_blacklist
from lkm.rules.suggestions import similar
from lkm.system.module_tree import ModuleTree, releases

if TYPE_CHECKING:
    from lkm.actions.session import Session

__all__ = ["details_of"]

_MOST = 5
_FIRMWARE = ("/lib/firmware", "/usr/lib/firmware")
_PACKED = ("", ".xz", ".zst", ".gz")

Words = Mapping[str, str]


def details_of(session: "Session", cause: str, words: Words, subjects: tuple[str, ...]) -> tuple[str, ...]:
    """Say what this system adds to a cause.

    :param cause: its id
    :param words: what stands in the line that shows it
    :param subjects: the symbols or parameters that its lines are about
    :returns: clauses; empty where it knows nothing of it
    :raises LkmError: its files can't be read
    """
    tell = _TELLERS.get(cause)
    return tuple(tell(session, {**words, "subjects": " ".join(subjects)})[:_MOST]) if tell else ()


# --- modprobe.d and the kernel command line -------------------------------------------------------------------------


def _options(session: "Session", words: Words) -> list[str]:
    """Name the lines that set a parameter, and what the module says that it takes."""
    module = words.get("module")
    if not module:
        return []
    wanted = set(filter(None, (*words["subjects"].split(), words.get("parameter", ""))))
    found = []
    for line in session.configuration.options_lines(module):
        named = {word.split("=", 1)[0].replace("-", "_") for word in line.options.split()}
        if not wanted or named & {name.replace("-", "_") for name in wanted}:
            found.append(_set_by(line))
    return [*found, *_declared(session, module, wanted)]


def _set_by(line: Options) -> str:
    if line.file == FILE:
        return f"the kernel command line sets it: {line.module}.{line.options.strip()}"
    return f"{line.file}:{line.line} sets it: {text_of(line)}"


def _declared(session: "Session", name: str, wanted: set[str]) -> list[str]:
    module = session.tree.module(name)
    if module is None or not wanted:
        return []
    with module.located():
        declared = {parameter.name: parameter for parameter in module.image.parameters}
    found = []
    for parameter in sorted(wanted):
        known = declared.get(parameter)
        if known and known.type:
            found.append(f"{parameter} of {name} takes a value of the type {known.type}")
        elif known is None and declared:
            near = similar(parameter, declared)
            found.append(f"{name} has no parameter {parameter}" + (f"; like it is {', '.join(near)}" if near else ""))
    return found


def _install(session: "Session", words: Words) -> list[str]:
    line = session.configuration.install_command(words.get("module", ""))
    return [f"{line.file}:{line.line} says so: {text_of(line)}"] if line else []


def _remove(session: "Session", words: Words) -> list[str]:
    line = session.configuration.remove_command(words.get("module", ""))
    return [f"{line.file}:{line.line} says so: {text_of(line)}"] if line else []


def _blacklisted_by_kernel(session: "Session", words: Words) -> list[str]:
    module = canonical(words.get("name") or words.get("module", ""))
    named = kernel_blacklist(Cmdline(session.kernel.command_line()))
    return [f"the kernel command line says so: module_blacklist={','.join(named)}"] if module in named else []


# --- the module tree ------------------------------------------------------------------------------------------------


def _file(session: "Session", words: Words) -> list[str]:
    """Name the file that the system would load, and the kernel that it says it is for."""
    module = session.tree.module(words.get("module", ""))
    if module is None:
        return []
    with module.located():
        vermagic = (module.image.modinfo.first("vermagic") or "").split(" ")[0]
    built = f" was built for {vermagic}" if vermagic else " does not say what it was built for"
    return [f"{module.display_path}{built}"]


def _signer(session: "Session", words: Words) -> list[str]:
    module = session.tree.module(words.get("module", ""))
    if module is None:
        return []
    from lkm.formats.module_signature import MARKER  # noqa: PLC0415  only for a cause of this kind

    with module.located():
        is_signed = module.contents.endswith(MARKER)
    return [f"{module.display_path} has {'a' if is_signed else 'no'} signature"]


def _found_elsewhere(session: "Session", words: Words) -> list[str]:
    """Say where a module that was not found is, or what it may have been meant to be."""
    name = canonical(words.get("module", ""))
    here = session.tree.release
    if not session.root.is_dir(session.tree.directory):
        return _trees(session, words)
    if session.tree.is_builtin(name):
        return [f"{name} is built into the kernel {here}"]
    found = session.tree.module(name)
    if found:
        return [f"{found.display_path} is there: it was not when the message came, or the text is from another system"]
    others = [release for release in releases(session.root) if release != here]
    having = [release for release in others if ModuleTree(session.root, release).module(name)]
    if having:
        return [f"the tree of {', '.join(having)} has it; that of {here} has not"]
    near = similar(name, (module.name for module in session.tree.modules()))
    return [f"like it is {', '.join(near)}"] if near else []


def _trees(session: "Session", _: Words) -> list[str]:
    found = releases(session.root)
    told = f"there are modules for {', '.join(found)}" if found else "there are no modules for any kernel"
    return [f"{told}; the kernel that runs is {session.kernel.release}" if session.kernel_is_of_root else told]


def _exporters(session: "Session", words: Words) -> list[str]:
    found = []
    for symbol in words["subjects"].split()[:_MOST]:
        owners = session.tree.by_symbol(symbol)
        if owners:
            found.append(f"{symbol} is offered by {', '.join(owners)} in the tree of {session.tree.release}")
    return found


def _filesystem(session: "Session", words: Words) -> list[str]:
    name = words.get("filesystem", "")
    found = session.resolver.lookup(f"fs-{name}")
    if not found:
        return [f"no module in the tree of {session.tree.release} is for {name}"]
    told = [f"the module {', '.join(candidate.name for candidate in found)} is for it"]
    return told + [text for candidate in found for text in _install(session, {"module": candidate.name})]


def _headers(session: "Session", _: Words) -> list[str]:
    found = [name for name in releases(session.root) if session.root.is_dir(f"/lib/modules/{name}/build")]
    return [f"headers are there for {', '.join(found)}" if found else "headers are there for no kernel"]


def _firmware(session: "Session", words: Words) -> list[str]:
    name = words.get("firmware", "").lstrip("/")
    places = [f"{directory}/{name}{packed}" for directory in _FIRMWARE for packed in _PACKED]
    found = next((place for place in places if name and session.root.is_file(place)), None)
    return [f"{session.root.display(found)} is there by now"] if found else []


# --- the kernel -----------------------------------------------------------------------------------------------------


def _users(session: "Session", words: Words) -> list[str]:
    if not session.kernel_is_of_root:
        return []
    name = canonical(words.get("module", ""))
    module = next((module for module in session.kernel.loaded() if module.name == name), None)
    if module is None:
        return []
    users = f", {', '.join(module.used_by)} among them" if module.used_by else ", none of them a module"
    return [f"it is in use {module.refcount} times now{users}"] if module.refcount else ["nothing uses it now"]


def _already(session: "Session", words: Words) -> list[str]:
    if not session.kernel_is_of_root:
        return []
    state = session.kernel.state(canonical(words.get("module", "")))
    return [f"it is in the kernel now ({state})" if state else "it is not in the kernel now"]


def _privilege(session: "Session", words: Words) -> list[str]:
    """Say which of the reasons for EPERM hold here."""
    del words
    if not session.kernel_is_of_root:
        return []
    security = session.kernel.security()
    found = ["you are not root now"] if session.kernel_kind == "live" and os.geteuid() != 0 else []
    if security.modules_disabled:
        found.append("kernel.modules_disabled is 1: no module can be loaded until the next boot")
    if security.lockdown not in {None, "none"}:
        found.append(f"the kernel is locked down ({security.lockdown})")
    if security.sig_enforce:
        found.append("the kernel loads only modules with a good signature (module.sig_enforce)")
    return found


def _trust(session: "Session", words: Words) -> list[str]:
    return [*_signer(session, words), *_quietly(_privilege, session, words)]


def _invalid(session: "Session", words: Words) -> list[str]:
    """Name all that configures a module that was refused as invalid, where nothing else is known."""
    return [text.replace(" sets it: ", " may be at fault: ") for text in _options(session, words)]


def _quietly(tell: Callable[["Session", Words], list[str]], session: "Session", words: Words) -> list[str]:
    try:
        return tell(session, words)
    except LkmError:
        return []


_TELLERS: Mapping[str, Callable[["Session", Words], list[str]]] = {
    **dict.fromkeys(
        (
            "bad-parameter",
            "parameter-ignored",
            "parameter-out-of-range",
            "parameter-too-large",
            "parameter-without-value",
            "too-few-values",
            "too-many-values",
            "unknown-parameter",
            "lockdown-parameter",
            "taint-dangerous-parameter",
        ),
        _options,
    ),
    **dict.fromkeys(("invalid", "init-failed"), _invalid),
    "install-command": _install,
    "remove-command": _remove,
    "kernel-blacklist": _blacklisted_by_kernel,
    **dict.fromkeys(
        ("vermagic", "vermagic-flags", "struct-module-version", "symbol-version", "not-this-kernel"), _file
    ),
    **dict.fromkeys(
        (
            "signature-refused",
            "unavailable-key",
            "unsigned-enforced",
            "lockdown",
            "bad-signature",
            "malformed-signature",
        ),
        _trust,
    ),
    "permission": _privilege,
    "not-found": _found_elsewhere,
    "tree-missing": _trees,
    **dict.fromkeys(("unknown-symbol", "symbol-undefined", "depmod-unknown-symbol"), _exporters),
    "filesystem-module-missing": _filesystem,
    "headers-missing": _headers,
    **dict.fromkeys(("firmware-missing", "firmware-possible"), _firmware),
    **dict.fromkeys(("in-use", "used-by-modules"), _users),
    "already-loaded": _already,
}
