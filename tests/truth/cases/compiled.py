"""Modules compiled here, with the kernel's headers, where they are installed."""

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.support.require import require_tool
from tests.truth.case import Case, Init, Load, Step
from tests.truth.maker import Maker

__all__ = ["cases"]

_PLAIN = """
#include <linux/module.h>
#include <linux/slab.h>
static int number = 3; module_param(number, int, 0644); MODULE_PARM_DESC(number, "A number");
static char *words[2]; static int count; module_param_array(words, charp, &count, 0444);
static int __init probe_init(void) { void *p = kzalloc(8, GFP_KERNEL); kfree(p); return RESULT; }
static void __exit probe_exit(void) { }
module_init(probe_init); module_exit(probe_exit);
MODULE_LICENSE(LICENCE);
"""
_SHARER = """
#include <linux/module.h>
int shared_a(int x) { return x + 1; } EXPORT_SYMBOL(shared_a);
int shared_b(int x) { return x + 2; } EXPORT_SYMBOL_GPL(shared_b);
MODULE_LICENSE(LICENCE);
"""
_USER = """
#include <linux/module.h>
int shared_a(int); int shared_b(int);
static int __init probe_init(void) { return shared_a(1) == 2 ? 0 : -EINVAL; }
static void __exit probe_exit(void) { }
module_init(probe_init); module_exit(probe_exit);
MODULE_LICENSE("GPL");
"""
_SOURCES = {
    "probe_plain": _PLAIN.replace("RESULT", "0").replace("LICENCE", '"GPL"'),
    "probe_closed": _PLAIN.replace("RESULT", "0")
    .replace("LICENCE", '"Proprietary"')
    .replace("kzalloc(8, GFP_KERNEL)", "0"),
    "probe_enodev": _PLAIN.replace("RESULT", "-ENODEV").replace("LICENCE", '"GPL"'),
    "probe_eexist": _PLAIN.replace("RESULT", "-EEXIST").replace("LICENCE", '"GPL"'),
    "probe_one": _PLAIN.replace("RESULT", "1").replace("LICENCE", '"GPL"'),
    "probe_sharer": _SHARER.replace("LICENCE", '"GPL"'),
    "probe_user": _USER,
}


def cases() -> Iterator[Case]:
    for name in ("probe_plain", "probe_closed"):
        yield _compiled(name, name)
        yield _compiled(f"{name} number=5 words=a,b", name, parameters="number=5 words=a,b")
        yield _compiled(f"{name} number=x words=a,b,c", name, parameters="number=x words=a,b,c")
    for name in ("probe_enodev", "probe_eexist", "probe_one"):
        yield _compiled(name, name, init=Init.DECIDES)
    yield _compiled("the user alone", "probe_user")
    yield _compiled("sharer and user", "probe_sharer", "probe_user")
    yield _compiled("stripped of debugging", "probe_plain", strip="--strip-debug")
    yield _compiled("stripped of all", "probe_plain", strip="--strip-all")
    yield _compiled("flag 3", "probe_plain", flags=3)


def _compiled(
    what: str, *names: str, parameters: str = "", flags: int = 0, strip: str = "", init: Init = Init.SILENT
) -> Case:
    def steps(maker: Maker) -> Sequence[Step]:
        headers = maker.tree.root.find(f"{maker.tree.directory}/build/Makefile")
        if headers is None:
            return ()
        modules = _built(headers)
        contents = [_stripped(modules[name], strip) if strip else modules[name] for name in names]
        return tuple(Load(data, parameters, flags, init=init) for data in contents)

    return Case(f"compiled/{what}", steps, real=True)


@cache
def _built(makefile: str) -> Mapping[str, bytes]:
    require_tool("gcc")
    with tempfile.TemporaryDirectory() as directory:
        for name, source in _SOURCES.items():
            Path(directory, f"{name}.c").write_text(source)
        Path(directory, "Makefile").write_text("".join(f"obj-m += {name}.o\n" for name in _SOURCES))
        command = [require_tool("make"), "-s", "-C", str(Path(makefile).parent), f"M={directory}", "modules"]
        subprocess.run(command, check=True, capture_output=True)
        return {name: Path(directory, f"{name}.ko").read_bytes() for name in _SOURCES}


def _stripped(module: bytes, how: str) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "module.ko")
        path.write_bytes(module)
        subprocess.run([require_tool("strip"), how, path], check=True)
        return path.read_bytes()
