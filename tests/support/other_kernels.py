"""Kernels of other releases of Debian: fetched and unpacked once into a cache, never installed.

The cache is ``$LKM_TEST_CACHE``, by default ``~/.cache/lkm-tests``. Packages come from where /etc/apt says.
"""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.require import missing, require_tool

from lkm.actions.indexing.index import write_indexes
from lkm.kernels.vm.images import Image, installed
from lkm.system.module_tree import ModuleTree
from lkm.system.root import Root

__all__ = ["debian_kernel"]

_PACKAGE = "linux-image-amd64"
_PART = re.compile(r"Depends: (linux-(?:base|binary|image|modules)-[0-9]\S*)$", re.MULTILINE)
_CODENAME = re.compile(r'^VERSION_CODENAME="?(\w+)"?$', re.MULTILINE)
_ONE_LINE = re.compile(r"^deb\s+(\[[^]]*\]\s+)?(\S+)\s+(\S+)\s")
_FINISHED = "finished"
_SECONDS = 600.0  # for one command


def debian_kernel(suite: str) -> Image:
    """Give the kernel of a release of Debian, with an indexed module tree. It is kept as long as the cache is.

    :param suite: the release's code name, such as ``trixie``
    """
    cache = Path(os.environ.get("LKM_TEST_CACHE") or Path.home() / ".cache/lkm-tests")
    place = cache / f"kernel-{suite}"
    with _alone(cache):
        if not (place / _FINISHED).exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            _fetch(suite, place)
            (place / _FINISHED).touch()
    return installed(place)[0]


def _packages(options: list[str], state: Path) -> list[str]:
    """Name what belongs to the kernel: one package, or from 7.2 those of its image, modules and configuration."""
    found = [_PACKAGE]
    for name in found:
        depends = _run(["apt-cache", *options, "depends", "--important", name], state)
        found += [wanted for wanted in _PART.findall(depends) if wanted not in found]
    return found[1:]


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Keep other runs out: they wait, and find what was fetched."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(suite: str, place: Path) -> None:
    for tool in ("apt-get", "apt-cache", "dpkg-deb"):
        require_tool(tool)
    state = place / "apt"
    options = _private_state(state, suite)
    _run(["apt-get", *options, "--quiet=2", "update"], state)
    _run(["apt-get", *options, "--quiet=2", "download", *_packages(options, state)], state)
    for package in state.glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(package), str(place)], state)
    shutil.rmtree(state)
    if not (place / "lib").exists():
        (place / "lib").symlink_to("usr/lib")  # packages of a merged /usr leave that to the system
    write_indexes(ModuleTree(Root(str(place)), installed(place)[0].release))


def _private_state(state: Path, suite: str) -> list[str]:
    """Make a state for apt that knows one suite and touches nothing of the machine's own.

    :returns: the options that make apt use it
    """
    for directory in ("lists/partial", "archives/partial", "parts"):
        (state / directory).mkdir(parents=True)
    (state / "status").touch()
    (state / "deb.sources").write_text(_sources(suite))
    settings = {
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "Dir::Etc::sourcelist": state / "deb.sources",
        "Dir::Etc::sourceparts": state / "parts",
        "Dir::Etc::preferences": state / "status",
        "Dir::Etc::preferencesparts": state / "parts",
    }
    return [f"--option={name}={value}" for name, value in settings.items()]


def _sources(suite: str) -> str:
    """Write the machine's own source of Debian down anew, with another suite."""
    release = _CODENAME.search(Path("/etc/os-release").read_text())
    found = [entry for entry in _entries() if release and release[1] in entry.get("Suites", "").split()]
    if not found:
        missing("/etc/apt names no source of the Debian release that is installed here")
    kept = {name: value for name, value in found[0].items() if name in {"Types", "URIs", "Signed-By"}}
    return "".join(f"{name}: {value}\n" for name, value in {**kept, "Suites": suite, "Components": "main"}.items())


def _entries() -> Iterator[dict[str, str]]:
    """Give the sources in deb822 style, those of the old one-line style too."""
    home = Path("/etc/apt")
    for path in sorted(home.glob("sources.list.d/*.sources")):
        for stanza in path.read_text().split("\n\n"):
            lines = [line.partition(":") for line in stanza.splitlines() if not line.startswith("#")]
            yield {name: value.strip() for name, _, value in lines if value}
    for path in (home / "sources.list", *sorted(home.glob("sources.list.d/*.list"))):
        for line in path.read_text().splitlines() if path.is_file() else ():
            if found := _ONE_LINE.match(line):
                signer = re.search(r"signed-by=([^]\s]+)", found[1] or "")
                entry = {"Types": "deb", "URIs": found[2], "Suites": found[3]}
                yield {**entry, "Signed-By": signer[1]} if signer else entry


def _run(command: list[str], directory: Path) -> str:
    """Run a command; that it fails means that the kernel can't be had."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, cwd=directory, env=environment, timeout=_SECONDS, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        missing(f"`{command[0]}` does not end")
    if done.returncode:
        missing(f"`{command[0]} … {command[-1]}` fails: {done.stderr.strip()}")
    return done.stdout
