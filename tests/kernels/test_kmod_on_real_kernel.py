"""kmod's tools and ours do the same to a real kernel, step by step: output, status, and what is loaded after it."""

import errno
import json
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.support import guest_steps
from tests.support.require import require_tool

from lkm.actions.indexing.index import write_indexes
from lkm.formats.ksymtab import Export
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.formats.parameters import Parameter
from lkm.formats.symbol_versions import Import
from lkm.kernels.vm.images import Image
from lkm.kernels.vm.machine import Machine
from lkm.system.kernel_profile import KernelProfile
from lkm.system.module_tree import ModuleTree
from lkm.system.profile_gathering import gather
from lkm.system.root import Root

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

_LINKS = 12
_PLACE = re.compile(r"\.\./libkmod/\S+ \w+\(\) ")
_OTHER_VERMAGIC = "5.10.0-1-amd64 SMP mod_unload modversions "
_ERRNOS = (
    *(errno.EPERM, errno.ENOENT, errno.ESRCH, errno.EIO, errno.ENXIO, errno.E2BIG, errno.ENOEXEC, errno.EAGAIN),
    *(errno.ENOMEM, errno.EACCES, errno.EBUSY, errno.EEXIST, errno.ENODEV, errno.EINVAL, errno.ENOSPC, errno.ENOSYS),
    *(errno.EOPNOTSUPP, errno.ETIMEDOUT, errno.ENOKEY, errno.EKEYREJECTED),
)
_CONFIGURATION = """\
alias nickname link01
options link01 number=41
options link02 number=42 text="a b"
softdep link02 pre: link05 post: good
install wrapped echo "[$MODPROBE_MODULE]" "$CMDLINE_OPTS" >&2; MODPROBE_OPTIONS= modprobe -d @ -i good
remove wrapped echo gone >&2; rmmod good
install failing exit 3
blacklist link03
alias badly link03
"""


@dataclass(frozen=True)
class _Maker:
    """Makes modules for one kernel: out of tree and unsigned, and thereby marked in /proc/modules."""

    profile: KernelProfile

    def recipe(self, name: str, *, vermagic: str | None = None, depends: tuple[str, ...] = ()) -> ModuleRecipe:
        info = usual_modinfo(name, vermagic or self.profile.vermagic or "", depends=depends, intree=False)
        return ModuleRecipe(name, info, layout_crc=self.profile.exports["module_layout"].crc)

    def with_parameters(self, recipe: ModuleRecipe) -> ModuleRecipe:
        parameters = (
            Parameter("number", "int", "", permissions=0o444),
            Parameter("text", "charp", "", permissions=0o444),
        )
        return replace(self.needing(recipe, "param_ops_int", "param_ops_charp"), parameters=parameters)

    def needing(self, recipe: ModuleRecipe, *symbols: str) -> ModuleRecipe:
        exports = (self.profile.exports[symbol] for symbol in symbols)
        needed = tuple(Import(export.name, weak=False, crc=export.crc) for export in exports)
        return replace(recipe, imports=(*recipe.imports, *needed))

    def link(self, number: int) -> ModuleRecipe:
        """Make one of a chain: each uses the one before it."""
        depends = (f"link{number - 1:02}",) if number else ()
        recipe = replace(
            self.recipe(f"link{number:02}", depends=depends),
            exports=(Export(f"link{number:02}_call", 0x77, gpl_only=False, namespace=None),),
            imports=tuple(Import(f"{name}_call", weak=False, crc=0x77) for name in depends),
        )
        return self.with_parameters(recipe)

    def recipes(self) -> Iterator[ModuleRecipe]:
        yield from (self.link(number) for number in range(_LINKS))
        yield self.with_parameters(self.recipe("good"))
        yield self.recipe("wrapped")
        yield self.recipe("failing")
        yield self.recipe("stranger", vermagic=_OTHER_VERMAGIC)
        yield replace(self.recipe("unversioned"), with_versions=False)
        yield replace(self.recipe("wrongcrc"), imports=(Import("_printk", weak=False, crc=0x1234),))
        yield replace(self.recipe("unknown"), imports=(Import("nobody_has_this", weak=False, crc=1),))
        yield replace(self.recipe("permanent"), exit_offset=None)
        yield from (replace(self.recipe(f"fails{number}"), init_result=-number) for number in _ERRNOS)


@pytest.fixture(scope="module")
def home(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module tree of our own for the kernel, and files and modprobe.d beside it."""
    home = tmp_path_factory.mktemp("home")
    maker = _Maker(gather(ModuleTree(Root(), image.release)))
    directory = home / "lib/modules" / image.release
    directory.mkdir(parents=True)
    for recipe in maker.recipes():
        (directory / f"{recipe.name}.ko").write_bytes(write(recipe))
    write_indexes(ModuleTree(Root(str(home)), image.release))
    (home / "conf").write_text(_CONFIGURATION.replace("@", str(home)))
    (home / "text.ko").write_text("this is no module\n" * 9)
    (home / "cut.ko").write_bytes(write(maker.link(0))[:1500])
    (home / "empty.ko").touch()
    return home


@pytest.fixture(scope="module")
def own_machine(image: Image) -> Iterator[Machine]:
    """A machine that may be tainted, and in which nothing is loaded yet."""
    require_tool("modprobe")
    with Machine(image.kernel, image.modules, boot_timeout=150.0) as running:
        yield running


@dataclass(frozen=True)
class _Step:
    """One command.

    :param status: how it ends for both; None where that is not what is looked at
    :param ours: how it ends for us, where we differ on purpose; then only what is loaded must agree in the end
    """

    status: int | None
    command: str
    ours: int | None = None


def _with_parameters(command: str, *parameters: str) -> tuple[_Step, ...]:
    return tuple(
        step for words in parameters for step in (_Step(None, f"{command} {words}"), _Step(None, "rmmod -v good"))
    )


# What stays of Debian's chain: kmod removes only what the last one that went needed.
_LEFT_OVER = (
    "nf_conncount nf_nat nf_conntrack nf_defrag_ipv6 nf_defrag_ipv4 nsh geneve ip6_udp_tunnel udp_tunnel libcrc32c"
    " crc32c_generic crc32c_intel"
)
_MODULES = "@/lib/modules/+"
_RMMOD_ALL = _Step(
    0, "sh -c 'for number in 11 10 09 08 07 06 05 04 03 02 01 00; do rmmod link$number; done 2> /dev/null; true'"
)

_SCENARIOS = {
    "a chain of Debian's": (
        _Step(0, "modprobe -v vport-geneve"),
        _Step(0, "modprobe -v vport-geneve"),
        _Step(1, "modprobe --first-time vport-geneve"),
        _Step(1, "modprobe -r nf_conntrack"),
        _Step(1, "modprobe -r -v openvswitch"),
        _Step(1, "rmmod nf_nat"),
        _Step(0, "modprobe -r -v vport-geneve"),
        _Step(0, "modprobe -r -v openvswitch"),
        _Step(1, "modprobe -r --first-time vport-geneve"),
        _Step(
            0,
            f"sh -c 'rmmod {_LEFT_OVER}; true'",
        ),
    ),
    "a chain of our own": (
        _Step(0, "modprobe -d @ -n -v link11"),
        _Step(0, "modprobe -d @ -v --first-time link11"),
        _Step(0, "modprobe -d @ link05"),
        _Step(1, "modprobe -d @ --first-time link05"),
        _Step(1, "modprobe -d @ -r link04"),
        _Step(1, "modprobe -d @ -r -q link04"),
        _Step(1, "modprobe -d @ -r --remove-holders link04"),
        _Step(0, "modprobe -d @ -r -v link11"),
        _Step(0, "modprobe -d @ -r -v link09 link07"),
        _Step(0, "modprobe -d @ -r -v link05 link03"),
        _RMMOD_ALL,
        _Step(1, "modprobe -d @ -r --first-time link00"),
        _Step(0, "modprobe -d @ -a -v link01 link00 link03"),
        _Step(0, "modprobe -d @ -r -n -v link03"),
        _Step(0, "modprobe -d @ -r -a -v link03 link01"),
        _Step(0, "env 'MODPROBE_OPTIONS=-d @ -v' modprobe link00"),
        _Step(0, "env 'MODPROBE_OPTIONS=-d @ -v' modprobe -r link00"),
    ),
    "holders": (
        _Step(0, "modprobe -d @ link05"),
        # kmod 30 removes link04 as what link05 leaves over, and then fails to remove it once more.
        _Step(1, "modprobe -d @ -r --remove-holders link04", ours=0),
        _RMMOD_ALL,
    ),
    "modprobe.d": (
        _Step(0, "modprobe -d @ -C @/conf -v nickname number=7"),
        _Step(0, "modprobe -d @ -C @/conf -v link02"),
        _Step(1, "modprobe -d @ -C @/conf -r -v link02"),
        _RMMOD_ALL,
        _Step(0, "modprobe -d @ -C @/conf -v badly"),
        _Step(0, "modprobe -d @ -C @/conf -b -v link03"),
        _Step(0, "modprobe -d @ -C @/conf -v wrapped text=x"),
        _Step(0, "modprobe -d @ -C @/conf -r -v wrapped"),
        _Step(1, "modprobe -d @ -C @/conf failing"),
        _Step(0, "modprobe -d @ -C @/conf -i -v failing"),
        _Step(0, "modprobe -d @ -r -v failing"),
    ),
    "what the kernel refuses": (
        _Step(1, "modprobe -d @ stranger"),
        _Step(1, "modprobe -d @ -q stranger"),
        _Step(1, "modprobe -d @ wrongcrc"),
        _Step(1, "modprobe -d @ unknown"),
        _Step(1, "modprobe -d @ -v good number=many"),
        _Step(0, "modprobe -d @ -v good no_such=1"),
        _Step(1, "modprobe -d @ --first-time good number=many"),
        _Step(0, "modprobe -d @ -r good"),
        _Step(1, "modprobe -d @ nothing"),
        _Step(1, "modprobe -d @ -a good nothing link00"),
        _Step(1, "modprobe -d @ -r -a good nothing link00"),
        _Step(1, "modprobe -r ext2 overlay"),
        _Step(1, "modprobe -r unix"),
        _Step(0, "modprobe unix"),
        _Step(1, "modprobe --first-time unix"),
    ),
    "force": (
        _Step(1, "modprobe -d @ --force-modversion stranger"),
        _Step(0, "modprobe -d @ --force-vermagic stranger"),
        _Step(0, "modprobe -d @ -r stranger"),
        _Step(0, "modprobe -d @ -f -v stranger"),
        _Step(0, "modprobe -d @ -r -f -v stranger"),
        _Step(0, "modprobe -d @ unversioned"),
        _Step(0, "modprobe -d @ -r unversioned"),
        _Step(0, "modprobe -d @ --force-modversion unversioned"),
        _Step(0, "rmmod unversioned"),
        _Step(0, "modprobe -d @ --force wrongcrc"),
        _Step(0, "rmmod -f wrongcrc"),
        _Step(1, f"insmod {_MODULES}/stranger.ko"),
        _Step(0, f"insmod -f {_MODULES}/stranger.ko"),
        _Step(1, f"insmod -f {_MODULES}/stranger.ko"),
        _Step(0, "rmmod stranger"),
    ),
    "what init returns": (
        # Another process may have been faster: that a module is there already is no failure.
        *(_Step(0 if number == errno.EEXIST else 1, f"modprobe -d @ fails{number}") for number in _ERRNOS),
        *(_Step(1, f"insmod {_MODULES}/fails{number}.ko") for number in _ERRNOS[::3]),
    ),
    "parameters": (
        *_with_parameters(
            "modprobe -d @ -v good",
            "number=7 text=plain",
            "'text=two words'",
            "'text=\"two words\"'",
            "\"text='two words'\" number=-1",
            "'text=a\"b' number=0x10",
            "text= number=3",
            "'number=1 number=2'",
            "text=a=b,c\\\\d",
            "'text=ü ß'",
            "number=1 text",
            "text='tab\tinside'",
            "-- number=5",
        ),
        *_with_parameters(
            f"insmod {_MODULES}/good.ko", "number=7", "'text=two words'", "'text=\"two words\"' number=2", "number=x"
        ),
    ),
    "insmod and rmmod": (
        _Step(1, "insmod @/none.ko"),
        _Step(1, "insmod @"),
        _Step(1, "insmod @/text.ko"),
        _Step(1, "insmod @/cut.ko"),
        _Step(1, "insmod @/empty.ko"),
        _Step(1, f"insmod {_MODULES}/link01.ko"),
        _Step(1, f"insmod {_MODULES}/wrongcrc.ko"),
        _Step(0, f"insmod {_MODULES}/link00.ko"),
        _Step(1, f"insmod {_MODULES}/link00.ko"),
        _Step(0, f"insmod {_MODULES}/link01.ko"),
        _Step(1, "rmmod link00 link01"),
        _Step(0, f"rmmod {_MODULES}/link00.ko"),
        _Step(1, "rmmod link00 none unix overlay"),
    ),
    "waiting for what is in use": (
        _Step(0, "modprobe binfmt_misc"),
        _Step(0, "mount -t binfmt_misc none /mnt"),
        _Step(1, "rmmod binfmt_misc"),
        _Step(1, "modprobe -r binfmt_misc"),
        # kmod 30 says nothing and ends well when the time is up; its later versions fail, too.
        _Step(0, "modprobe -r -v -w 200 binfmt_misc", ours=1),
        _Step(0, "sh -c '(sleep 0.7; umount /mnt) >/dev/null 2>&1 &'"),
        _Step(0, "modprobe -r -v --wait 30000 binfmt_misc"),
    ),
    "what has no exit function": (
        _Step(0, "modprobe -d @ permanent"),
        _Step(1, "rmmod permanent"),
        _Step(1, "modprobe -d @ -r permanent"),
        _Step(0, "modprobe -d @ -r -w 10 -f -v permanent"),
        _Step(0, "modprobe -d @ permanent"),
        _Step(0, "rmmod -f permanent"),
    ),
}


@pytest.fixture(scope="module")
def answers(own_machine: Machine, home: Path) -> dict[str, dict[str, Any]]:
    """What both left behind after each step of each scenario; one process does them all, to start but once."""
    scenarios = {
        name: [shlex.split(step.command.replace("@", str(home)).replace("+", own_machine.release)) for step in steps]
        for name, steps in _SCENARIOS.items()
    }
    done = own_machine.run([sys.executable, guest_steps.__file__], stdin=json.dumps(scenarios).encode(), timeout=300.0)
    assert done.status == 0, done.stderr.decode()
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", _SCENARIOS)
def test_each_step_does_to_the_kernel_what_kmods_does(answers: dict[str, dict[str, Any]], name: str) -> None:
    steps, real, ours = _SCENARIOS[name], answers[name]["real"], answers[name]["ours"]
    assert ours["before"] == real["before"], "kmod did not leave the kernel as it was"
    for step, expected, found in zip(steps, real["steps"], ours["steps"], strict=True):
        if step.status is not None:
            assert expected["status"] == step.status, (step.command, expected)
        if step.ours is not None:
            assert found["status"] == step.ours, (step.command, found)
        else:
            said = {"errors": _said(expected["errors"])}
            assert {**found, "errors": _said(found["errors"])} == {**expected, **said}, step.command


def _said(errors: str) -> list[str]:
    """Give the messages without our hints, and without what libkmod adds of its own as Debian builds it.

    A line with the place in libkmod's source stands beside the tool's own message; alone it counts, without the place.
    """
    lines = [line for line in errors.splitlines() if ": hint: " not in line]
    plain = [line for line in lines if "../libkmod/" not in line]
    return plain or [_PLACE.sub("", line) for line in lines]


def test_a_chain_is_long_enough(own_machine: Machine) -> None:
    shown = own_machine.run(["modprobe", "-n", "-v", "vport-geneve"]).stdout.splitlines()
    assert len([line for line in shown if line.startswith(b"insmod ")]) >= 10
