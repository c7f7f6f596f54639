"""``depmod``: write the indexes of a module tree.

Facts: kmod 30, tools/depmod.c; ``-m`` and ``-o`` as in kmod 34.
"""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from lkm.actions.indexing.index import IndexRequest, IndexResult, index
from lkm.actions.indexing.inputs import is_up_to_date
from lkm.errors import LkmError, TreeMissing
from lkm.formats.depmod_conf import DepmodConf
from lkm.formats.module_name import from_path
from lkm.interfaces.compat.depmod_settings import Refused, Settings, read
from lkm.interfaces.compat.messages import Messages, Priority, put, version
from lkm.interfaces.messages import printable
from lkm.interfaces.target import target_from_environment
from lkm.rules.indexing.tree import KernelSymbols
from lkm.rules.indexing.unresolved import read_symvers, read_system_map
from lkm.system.depmod_configuration import read_depmod_d
from lkm.system.module_walk import FoundFile
from lkm.system.notices import Notice
from lkm.system.root import Root

__all__ = ["main"]

_MODULES = "/lib/modules"
_HELP = """\
Usage:
\tdepmod [options] [VERSION]
\tdepmod [options] VERSION FILE ...
What to do:
\t-a, --all                 index all modules; so does no FILE
\t-A, --quick               do nothing if no module is new, newer, or gone
\t-n, --dry-run             print the text files and write nothing (also --show)
\t-e, --errsyms             report symbols that nothing offers; needs -E or -F
\t-w, --warn                report what comes twice
\t-v, --verbose             report who needs whom
Where:
\t-b, --basedir DIR         the module tree is in DIR/lib/modules
\t-m, --moduledir DIR       the trees are in DIR, not in /lib/modules
\t-o, --outdir DIR          write below DIR, not into the tree
\t-C, --config PATH         read this file or directory instead of depmod.d
\t-E, --symvers FILE        a Module.symvers: the kernel's symbols, with versions
\t-F, --filesyms FILE       a System.map: the kernel's symbols
\t-P, --symbol-prefix CHAR  what the architecture puts before symbols
\t    --no-cache            neither use nor keep facts between runs
General:
\t-V, --version             print the version
\t-h, --help                print this text
"""


def main(argv: Sequence[str]) -> int:
    """Run ``depmod``.

    :param argv: the arguments
    :returns: the exit status
    """
    messages = Messages("depmod")
    try:
        settings = read(messages, argv, in_order="POSIXLY_CORRECT" in os.environ)
        if settings.prints:
            put(version() if settings.prints == "version" else _HELP)
            return 0
        return _Depmod(settings, messages).run()
    except Refused:
        return 1
    except LkmError as error:
        messages.say(Priority.FATAL, error.what)
        if error.hint:
            messages.hint(error.hint)
        return 1
    except OSError as error:
        return _say_unwritten(messages, error)


def _say_unwritten(messages: Messages, error: OSError) -> int:
    """Say why nothing was written; where no file can be made in the directory kmod says so and ends well.

    Scripts of packages count on that where the file system is read-only (tools/depmod.c ``depmod_output``).
    """
    directory, _, name = str(error.filename).rpartition("/")
    if error.filename2 is not None:
        places = f"{directory}, {name}, {directory}, {error.filename2.rpartition('/')[2]}"
        messages.say(Priority.FATAL, f"renameat({places}): {error.strerror}")
        return 1
    if name.startswith("modules."):
        messages.error(f"openat({directory}, {name}, 301, 644): {error.strerror}")
        messages.hint("no index was written; all are as they were")
        return 0
    messages.error(f"Could not write the indexes: {error.strerror}: {error.filename}")
    return 1


class _Depmod:
    """One run of the tool."""

    def __init__(self, settings: Settings, messages: Messages) -> None:
        target = target_from_environment()
        self.settings, self.messages = settings, messages
        self.release = settings.release or target.release or os.uname().release
        if "/" in self.release or self.release in {".", ".."}:
            raise TreeMissing(f"{self.release!r} is no kernel release", hint="name it as `uname -r` prints it")
        below = f"/{(settings.module_directory or _MODULES).strip('/')}/{self.release}"
        self.output = f"{os.path.abspath(settings.output)}{below}" if settings.output else None  # noqa: PTH100
        self.machine = Root(target.root)
        self.root, self.cache_root = self.machine, self.machine
        self.directory, self.shown = below, f"{self.machine.prefix}{below}"
        if settings.base is not None:
            # kmod takes only the tree from -b, depmod.d from the machine, and follows links on the machine.
            self.root = self.machine = Root()
            self.cache_root = Root(settings.base or ".")
            self.directory = self.shown = os.path.join(os.getcwd(), settings.base) + below  # noqa: PTH109, PTH118

    def run(self) -> int:
        """Do what the settings say."""
        settings = self.settings
        if settings.quick and settings.texts_only:
            return 0
        if settings.quick:
            self._say_if_missing()
        request = self._request()
        if settings.quick and is_up_to_date(self.root, self.directory, request.target, self._configuration(quiet=True)):
            return 0
        if self.output and not settings.texts_only:
            os.makedirs(self.output, exist_ok=True)  # noqa: PTH103  pathlib is dear at start-up
        try:
            return self._finish(index(request))
        except TreeMissing as error:
            self.messages.error(error.what)
            self._refuse(f"could not search modules: {error.what.rpartition(': ')[2]}")

    def _say_if_missing(self) -> None:
        """Say that there is no index or no tree (tools/depmod.c ``depfile_up_to_date``)."""
        host = self.output or self.root.host_path(self.directory)
        for path, what in ((host, "open directory {}"), (f"{host}/modules.dep", "fstatat({}, modules.dep)")):
            try:
                os.stat(path)  # noqa: PTH116  pathlib is dear at start-up
            except OSError as error:
                self.messages.error(f"could not {what.format(self.output or self.shown)}: {error.strerror}")
                return

    def _request(self) -> IndexRequest:
        settings = self.settings
        kernel = self._kernel()
        if settings.reports_unknown and kernel is None:
            self.messages.say(Priority.WARNING, "-e needs -E or -F")
        index_all = settings.all or settings.quick
        return IndexRequest(
            self.root,
            self.directory,
            self.shown,
            configuration=self._configuration() if index_all else DepmodConf(),
            output=self.output,
            files=None if index_all else self._files(),
            kernel=kernel,
            reports_unknown=settings.reports_unknown and kernel is not None,
            prefix=settings.prefix,
            warns_of_duplicates=settings.warns_of_duplicates,
            texts_only=settings.texts_only,
            use_cache=settings.use_cache and kernel is None,
            cache_root=self.cache_root,
            say=self._say,
            show=put if settings.is_verbose else None,
        )

    def _configuration(self, *, quiet: bool = False) -> DepmodConf:
        paths = [os.path.abspath(path) for path in self.settings.config_paths] or None  # noqa: PTH100
        machine = Root() if paths else self.machine
        say = (lambda _: None) if quiet else self._say
        return read_depmod_d(machine, paths, say).for_kernel(self.release)

    def _kernel(self) -> KernelSymbols | None:
        path = self.settings.symvers or self.settings.system_map
        if path is None:
            return None
        try:
            with open(path, "rb") as file:  # noqa: PTH123  pathlib is dear at start-up
                data = file.read()
        except OSError as error:
            self.messages.say(Priority.FATAL, f"could not load {path}: {error.strerror}")
            raise Refused from None
        reader = read_symvers if self.settings.symvers else read_system_map
        return reader(data, path, self.settings.prefix, self._say)

    def _files(self) -> list[FoundFile]:
        """Take the operands as module files (libkmod-module.c ``kmod_module_new_from_path``)."""
        found: dict[str, FoundFile] = {}
        for path in self.settings.files:
            if not path.startswith("/"):
                self._refuse(f"{path}: not absolute path.")
            try:
                os.stat(path)  # noqa: PTH116  (as above)
            except OSError as error:
                self._refuse(f"could not create module {path}: {error.strerror}")
            directory, _, file = path.rpartition("/")
            name = from_path(file)
            if name in found:
                same = found[name].path == path
                if same:
                    self.messages.error(f"hash_add_unique {name}: File exists")
                else:
                    places = f"new-path='{path}' old-path='{found[name].path}'"
                    text = f"kmod_module '{name}' already exists with different path: {places}"
                    self.messages.library("libkmod-module.c:428 kmod_module_new_from_path", text)
                self._refuse(f"could not {'add' if same else 'create'} module {path}: File exists")
            found[name] = FoundFile(directory, file, name, path)
        return list(found.values())

    def _refuse(self, text: str) -> NoReturn:
        self.messages.say(Priority.FATAL, text)
        raise Refused

    def _finish(self, result: IndexResult) -> int:
        if result.tree is not None and not result.tree.is_sound:
            for shown, _ in result.tree.cycles():
                self.messages.error(f"Cycle detected: {shown}")
            self.messages.error(f"Found {result.tree.cyclic_count()} modules in dependency cycles!")
            for _, links in result.tree.cycles():
                for link in links:
                    self.messages.hint(f"{link.user} needs {', '.join(link.symbols)} of {link.needed}")
            return 1
        if self.settings.texts_only:
            for data in result.files.values():
                put(data.decode("utf-8", "surrogateescape"))
        return 0

    def _say(self, notice: Notice) -> None:
        first, *more = notice.text.split("\n")
        self.messages.say(Priority(notice.level), first)
        for line in more:
            sys.stderr.write(f"{printable(line)}\n")
