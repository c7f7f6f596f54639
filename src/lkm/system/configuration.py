"""modprobe's configuration: which directives apply, in which order, and where each stands.

Facts: kmod 30, libkmod/libkmod-config.c ``kmod_config_new`` and libkmod/libkmod-module.c ``kmod_module_get_*``.
"""

import os
import stat
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TypeVar

from lkm.errors import Unreadable
from lkm.formats.glob import Glob
from lkm.formats.kernel_cmdline import Cmdline
from lkm.formats.modprobe_conf import (
    Alias,
    Blacklist,
    Directive,
    Install,
    Options,
    Problem,
    ProblemKind,
    Remove,
    Softdep,
    Weakdep,
    parse,
)
from lkm.formats.module_name import canonical
from lkm.system.configuration_directories import directories as default_directories
from lkm.system.configuration_directories import is_mask
from lkm.system.root import Root

__all__ = ["LARGEST_FILE", "Configuration", "read"]

LARGEST_FILE = 16 * 1024 * 1024
"""The largest file that is read, in bytes."""

_FROM_TREE = ("modules.softdep", "modules.weakdep")
_EXTENSIONS = (".conf", ".alias")  # kmod 33 and later read only the first

_Command = TypeVar("_Command", Install, Remove)


class Configuration:
    """The directives that apply, in kmod's order, and kmod's answers to questions about them.

    Names of modules may be given with ``-`` or ``_``. Every answer is the directive itself, which knows its file and
    line.

    :param directives: in the order in which kmod reads them
    :param problems: what was ignored meanwhile
    """

    def __init__(self, directives: Iterable[Directive] = (), problems: Iterable[Problem] = ()) -> None:
        self.directives = tuple(directives)
        self.problems = tuple(problems)
        self.aliases = tuple(found for found in self.directives if isinstance(found, Alias))
        self.blacklist = tuple(found for found in self.directives if isinstance(found, Blacklist))
        self.options = tuple(found for found in self.directives if isinstance(found, Options))
        self.installs = tuple(found for found in self.directives if isinstance(found, Install))
        self.removes = tuple(found for found in self.directives if isinstance(found, Remove))
        self.softdeps = tuple(found for found in self.directives if isinstance(found, Softdep))
        self.weakdeps = tuple(found for found in self.directives if isinstance(found, Weakdep))

    def __repr__(self) -> str:
        return f"Configuration({len(self.directives)} directives, {len(self.problems)} problems)"

    # --- names --------------------------------------------------------------------------------------------------------

    def matching_aliases(self, alias: str) -> tuple[Alias, ...]:
        """Give all alias directives whose pattern matches, in order.

        :param alias: as :func:`lkm.formats.module_name.normalise_alias` leaves it
        """
        return tuple(self.aliases[place] for place in self._alias_patterns.all(alias))

    def blacklisted(self, name: str) -> Blacklist | None:
        """Give the first directive that blacklists a module."""
        return self._blacklist.get(canonical(name))

    # --- what goes with a module --------------------------------------------------------------------------------------

    def options_lines(self, name: str, alias: str | None = None) -> tuple[Options, ...]:
        """Give the options directives for a module and for the alias by which it was found, in order."""
        places = self._options.get(canonical(name), [])
        if alias is not None and alias != canonical(name):
            places = sorted(places + self._options.get(alias, []))
        return tuple(self.options[place] for place in places)

    def options_for(self, name: str, alias: str | None = None) -> str:
        """Give the parameters for a module, joined as kmod joins them; empty where there are none."""
        return " ".join(line.options for line in self.options_lines(name, alias) if line.options)

    def install_command(self, name: str) -> Install | None:
        """Give the install command that takes the place of loading: of several the first that matches."""
        place = self._install_patterns.first(canonical(name))
        return None if place is None else self.installs[place]

    def installs_named(self, name: str) -> Sequence[Install]:
        """Give the install commands that are written for exactly this name."""
        return self._installs_by_name.get(name, ())

    def removes_named(self, name: str) -> Sequence[Remove]:
        """Give the remove commands that are written for exactly this name."""
        return self._removes_by_name.get(name, ())

    def remove_command(self, name: str) -> Remove | None:
        """Give the remove command that takes the place of removing: of several the first that matches."""
        place = self._remove_patterns.first(canonical(name))
        return None if place is None else self.removes[place]

    def softdep(self, name: str) -> Softdep | None:
        """Give the softdep line that kmod heeds: the first that matches."""
        place = self._softdep_patterns.first(canonical(name))
        return None if place is None else self.softdeps[place]

    def all_softdeps(self, name: str) -> tuple[Softdep, ...]:
        """Give every softdep line that matches; kmod heeds only the first."""
        return tuple(self.softdeps[place] for place in self._softdep_patterns.all(canonical(name)))

    def weakdep(self, name: str) -> Weakdep | None:
        """Give the weakdep line that kmod heeds: the first that matches."""
        place = self._weakdep_patterns.first(canonical(name))
        return None if place is None else self.weakdeps[place]

    # --- found quickly ------------------------------------------------------------------------------------------------

    @cached_property
    def _blacklist(self) -> dict[str, Blacklist]:
        return {found.module: found for found in reversed(self.blacklist)}

    @cached_property
    def _options(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for place, found in enumerate(self.options):
            places.setdefault(found.module, []).append(place)
        return places

    @cached_property
    def _installs_by_name(self) -> dict[str, list[Install]]:
        return _by_name(self.installs)

    @cached_property
    def _removes_by_name(self) -> dict[str, list[Remove]]:
        return _by_name(self.removes)

    @cached_property
    def _alias_patterns(self) -> "_Patterns":
        return _Patterns(found.alias for found in self.aliases)

    @cached_property
    def _install_patterns(self) -> "_Patterns":
        return _Patterns(found.module for found in self.installs)

    @cached_property
    def _remove_patterns(self) -> "_Patterns":
        return _Patterns(found.module for found in self.removes)

    @cached_property
    def _softdep_patterns(self) -> "_Patterns":
        return _Patterns(found.module for found in self.softdeps)

    @cached_property
    def _weakdep_patterns(self) -> "_Patterns":
        return _Patterns(found.module for found in self.weakdeps)


def _by_name(commands: Iterable[_Command]) -> dict[str, list[_Command]]:
    found: dict[str, list[_Command]] = {}
    for command in commands:
        found.setdefault(command.module, []).append(command)
    return found


class _Patterns:
    """Many patterns, to be asked which match a text; the answers are places in their order."""

    __slots__ = ("_literal", "_wild")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._literal: dict[str, list[int]] = {}
        self._wild: list[tuple[int, Glob]] = []
        for place, glob in enumerate(map(Glob, patterns)):
            if glob.is_literal:
                self._literal.setdefault(glob.pattern, []).append(place)
            else:
                self._wild.append((place, glob))

    def all(self, text: str) -> list[int]:
        wild = [place for place, glob in self._wild if glob.matches(text)]
        return sorted(self._literal.get(text, []) + wild)

    def first(self, text: str) -> int | None:
        literal = self._literal.get(text)
        for place, glob in self._wild:
            if literal and literal[0] < place:
                break
            if glob.matches(text):
                return place
        return literal[0] if literal else None


# --- reading ----------------------------------------------------------------------------------------------------------


def read(
    root: Root, *, directories: Iterable[str] | None = None, cmdline: str = "", tree_directory: str | None = None
) -> Configuration:
    """Read the configuration of a system.

    Files are read in the order of their base names, whatever directory they are in, and the kernel command line comes
    last. What can't be read is a problem of the result, not an error.

    :param root: the system
    :param directories: directories and files to read in place of the usual ones (``modprobe -C``), absolute inside the
        root
    :param cmdline: the kernel command line
    :param tree_directory: the module tree, whose modules.softdep and modules.weakdep belong to the configuration
    """
    problems: list[Problem] = []
    directives: list[Directive] = []
    for path in _files(root, directories, tree_directory, problems):
        found, bad = parse(_contents(root, path, problems), root.display(path))
        directives.extend(found)
        problems.extend(bad)
    if cmdline:
        line = Cmdline(cmdline)
        directives.extend((*line.options, *line.blacklist))
        problems.extend(line.problems)
    return Configuration(directives, problems)


def _files(
    root: Root, paths: Iterable[str] | None, tree_directory: str | None, problems: list[Problem]
) -> Iterable[str]:
    """List the files to read: by base name the first that is met."""
    files: dict[str, str] = {}
    if tree_directory is not None:
        files.update((name, f"{tree_directory}/{name}") for name in _FROM_TREE)
    for path in default_directories(root, "modprobe.d") if paths is None else paths:
        try:
            is_directory = stat.S_ISDIR(root.stat(path).st_mode)
        except Unreadable as error:
            # That a default directory is not there is as it should be.
            if paths is not None or not isinstance(error.__cause__, FileNotFoundError):
                problems.append(Problem(ProblemKind.MISSING, str(error), root.display(path)))
            continue
        if is_directory:
            for name in _names(root, path, problems):
                files.setdefault(name, f"{path}/{name}")
        else:
            files.setdefault(path.rsplit("/", 1)[-1], path)
    found = [files[name] for name in sorted(files, key=os.fsencode)]
    return [path for path in found if not path.endswith(_FROM_TREE) or root.exists(path)]


def _names(root: Root, directory: str, problems: list[Problem]) -> Iterable[str]:
    where = root.display(directory)
    try:
        names = os.listdir(root.host_path(directory))  # noqa: PTH208  pathlib is dear at start-up
    except OSError as error:
        text = f"opendir({where}): {error.strerror}"
        problems.append(Problem(ProblemKind.UNREADABLE_DIRECTORY, text, where))
        return
    for name in names:
        if name.startswith(".") or not name.endswith(_EXTENSIONS):
            continue
        if root.is_dir(f"{directory}/{name}"):
            text = f"Directories inside directories are not supported: {where}/{name}"
            problems.append(Problem(ProblemKind.NESTED_DIRECTORY, text, f"{where}/{name}"))
            continue
        yield name


def _contents(root: Root, path: str, problems: list[Problem]) -> bytes:
    try:
        return root.read_bytes(path, limit=LARGEST_FILE)
    except Unreadable as error:
        if not is_mask(root, path):
            where = root.display(path)
            problems.append(Problem(ProblemKind.UNREADABLE, str(error), where))
        return b""
