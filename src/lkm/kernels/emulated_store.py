"""Where an emulated kernel keeps its state: files that are always whole, under a lock while they change."""

import base64
import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lkm.errors import StateError
from lkm.formats.ksymtab import Export
from lkm.kernels.trusting import with_firmware
from lkm.rules.loading.attempt import KernelState, ModuleRecord
from lkm.rules.signatures.policy import Lockdown
from lkm.system.atomic import write_atomically
from lkm.system.kept_profile import keep, kept
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

if TYPE_CHECKING:
    from lkm.system.kernel_profile import KernelProfile
    from lkm.system.module_tree import ModuleTree

__all__ = ["DEFAULT_CMDLINE", "EmulatedStore", "Snapshot"]

_SCHEMA = "lkm.emulated/1"
DEFAULT_CMDLINE = "BOOT_IMAGE=emulated"
"""The command line of an emulated kernel that nobody has given one."""

_LONGEST_CMDLINE = 65536
_DAMAGED = (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What taking JSON of another shape apart can raise."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An emulated kernel at one moment.

    :param log: the kernel's log, oldest first
    """

    state: KernelState
    log: tuple[str, ...] = ()


class EmulatedStore:
    """The files of one emulated kernel, or none at all.

    :param directory: made when first needed; None keeps everything in memory
    :param cmdline: the kernel command line where there is no directory, whose file ``cmdline`` has it
    """

    def __init__(self, tree: "ModuleTree", directory: str | None, cmdline: str = DEFAULT_CMDLINE) -> None:
        self._tree = tree
        self._directory = os.path.abspath(directory) if directory else None  # noqa: PTH100
        self._memory = Snapshot(KernelState(command_line=cmdline))
        self._root = Root()

    # --- the state ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def changing(self) -> Iterator[Snapshot]:
        """Hold the lock and give the state to change; :meth:`write` inside keeps what comes out.

        :raises StateError: the directory can't be used, or its state is of another release or damaged
        """
        if self._directory is None:
            yield self._memory
            return
        self._make_directory()
        lock = self._locked(f"{self._directory}/lock")
        try:
            yield self.read()
        finally:
            os.close(lock)

    @staticmethod
    def _locked(path: str) -> int:
        """Open and lock a file, which to close unlocks."""
        fd = -1
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
            fcntl.flock(fd, fcntl.LOCK_EX)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            raise StateError((error.strerror or str(error)).lower(), where=path) from error
        return fd

    def read(self) -> Snapshot:
        """Give the state as it is.

        :raises StateError: as :meth:`changing`
        """
        if self._directory is None:
            return self._memory
        path = f"{self._directory}/state.json"
        if not self._root.exists(path):
            snapshot = Snapshot(self._booted())
        else:
            try:
                snapshot = _snapshot(json.loads(self._root.read_bytes(path)), self._tree.release)
            except _DAMAGED as error:
                raise StateError(
                    f"the state of the emulated kernel is damaged: {error}", where=path, hint=f"begin anew: rm {path}"
                ) from error
        return Snapshot(replace(snapshot.state, command_line=self._command_line()), snapshot.log)

    def _booted(self) -> KernelState:
        """Give the state of a kernel that has just started on a machine with the root's firmware."""
        return with_firmware(KernelState(), self._tree.root, lambda: self.profile)

    def write(self, snapshot: Snapshot) -> None:
        """Keep a state; to be called inside :meth:`changing`.

        :raises StateError: the directory can't be written
        """
        if self._directory is None:
            self._memory = snapshot
            return
        data = json.dumps(_plain(snapshot, self._tree.release), indent=1).encode()
        self._keep("state.json", data)

    def _keep(self, name: str, data: bytes) -> None:
        path = f"{self._directory}/{name}"
        try:
            write_atomically(path, data)
        except OSError as error:
            raise StateError((error.strerror or str(error)).lower(), where=path) from error

    def _make_directory(self) -> None:
        try:
            os.makedirs(self._directory or "", exist_ok=True)  # noqa: PTH103
        except OSError as error:
            raise StateError(
                f"the directory of the emulated kernel can't be made: {(error.strerror or str(error)).lower()}",
                where=self._directory,
            ) from error

    def _command_line(self) -> str:
        path = f"{self._directory}/cmdline"
        if not self._root.exists(path):
            return DEFAULT_CMDLINE
        return self._root.read_text(path, limit=_LONGEST_CMDLINE).strip()

    # --- the profile --------------------------------------------------------------------------------------------------

    @cached_property
    def profile(self) -> "KernelProfile":
        """What kernel is emulated; gathered once and kept beside the state until what it came from changes."""
        if self._directory is None:
            return gather(self._tree, with_modules=False)
        path = f"{self._directory}/profile.json"
        profile = kept(path, self._tree)
        if profile is None:
            profile = gather(self._tree, with_modules=False)
            with contextlib.suppress(StateError):  # it serves as well without being kept
                self._make_directory()
                keep(path, self._tree, profile)
        return profile


def _plain(snapshot: Snapshot, release: str) -> dict[str, Any]:
    state = snapshot.state
    return {
        "schema": _SCHEMA,
        "release": release,
        "taint": state.taint,
        "said": sorted(state.said),
        "modules_disabled": state.modules_disabled,
        "certificates": _as_texts(state.certificates),
        "platform_certificates": _as_texts(state.platform_certificates),
        "revoked_certificates": _as_texts(state.revoked_certificates),
        "revoked_hashes": sorted(state.revoked_hashes),
        "lockdown": None if state.lockdown is None else state.lockdown.value,
        "sig_enforce": state.sig_enforce,
        "modules": [_plain_module(module) for module in state.modules],
        "log": list(snapshot.log),
    }


def _plain_module(module: ModuleRecord) -> dict[str, Any]:
    return {
        "name": module.name,
        "size": module.size,
        "exports": [[e.name, e.crc, e.gpl_only, e.namespace] for e in module.exports],
        "uses": list(module.uses),
        "taints": module.taints,
        "parameters": [list(pair) for pair in module.parameters],
        "references": module.references,
        "has_init": module.has_init,
        "has_exit": module.has_exit,
    }


def _snapshot(plain: dict[str, Any], release: str) -> Snapshot:
    if plain["schema"] != _SCHEMA:
        raise ValueError(f"its schema is {plain['schema']!r}, not {_SCHEMA!r}")
    if plain["release"] != release:
        raise ValueError(f"it is of kernel {plain['release']}, not {release}")
    state = KernelState(
        modules=tuple(_module(module) for module in plain["modules"]),
        taint=int(plain["taint"]),
        said=frozenset(map(str, plain["said"])),
        modules_disabled=bool(plain["modules_disabled"]),
        certificates=_binaries(plain, "certificates"),
        platform_certificates=_binaries(plain, "platform_certificates"),
        revoked_certificates=_binaries(plain, "revoked_certificates"),
        revoked_hashes=frozenset(map(str, plain.get("revoked_hashes", ()))),
        lockdown=None if plain.get("lockdown") is None else Lockdown(plain["lockdown"]),
        sig_enforce=None if plain.get("sig_enforce") is None else bool(plain["sig_enforce"]),
    )
    return Snapshot(state, tuple(str(line) for line in plain["log"]))


def _as_texts(binaries: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(binary).decode() for binary in binaries]


def _binaries(plain: dict[str, Any], name: str) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(text) for text in plain.get(name, ()))


def _export(name: object, crc: int | None, gpl_only: object, namespace: object) -> Export:
    return Export(
        str(name), None if crc is None else int(crc), bool(gpl_only), None if namespace is None else str(namespace)
    )


def _module(plain: dict[str, Any]) -> ModuleRecord:
    return ModuleRecord(
        name=str(plain["name"]),
        size=int(plain["size"]),
        exports=tuple(_export(*fields) for fields in plain["exports"]),
        uses=tuple(map(str, plain["uses"])),
        taints=int(plain["taints"]),
        parameters=tuple((str(name), str(value)) for name, value in plain["parameters"]),
        references=int(plain["references"]),
        has_init=bool(plain["has_init"]),
        has_exit=bool(plain["has_exit"]),
    )
