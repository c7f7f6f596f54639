"""Initial values of parameters, read out of modules that the compiler made, and hostile ones."""

import random
import subprocess

import pytest
from tests.support.real_tree import tree
from tests.support.require import require_path, require_tool

from lkm.errors import FormatError
from lkm.formats.elf.reader import Elf
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.formats.parameter_defaults import defaults
from lkm.formats.parameters import Parameter

# The layout of struct kernel_param and its companions, as include/linux/moduleparam.h describes it.
_SOURCE = r"""
struct ops; struct module;
struct kernel_param { const char *name; struct module *mod; const struct ops *ops;
    const unsigned short perm; signed char level; unsigned char flags; void *arg; };
struct kparam_string { unsigned int maxlen; char *string; };
struct kparam_array { unsigned int max; unsigned int elemsize; unsigned int *num; const struct ops *ops; void *elem; };
#define OPS(kind) extern const struct ops param_ops_##kind
OPS(int); OPS(uint); OPS(hexint); OPS(bool); OPS(invbool); OPS(bint); OPS(charp); OPS(string); OPS(ulong); OPS(byte);
extern const struct ops param_array_ops;
static const struct ops *const own = (void *)0;
#define PARAM(n, o, a) static const char name_##n[] = #n; \
    static const struct kernel_param param_##n __attribute__((used, section("__param"), aligned(sizeof(void *)))) \
    = { name_##n, 0, &o, 0444, -1, 0, a }
static int minus = -7; PARAM(minus, param_ops_int, &minus);
static int zero; PARAM(zero, param_ops_uint, &zero);
static unsigned hex = 0xbeef; PARAM(hex, param_ops_hexint, &hex);
static _Bool yes = 1; PARAM(yes, param_ops_bool, &yes);
static _Bool inverted = 1; PARAM(inverted, param_ops_invbool, &inverted);
static int three = -1; PARAM(three, param_ops_bint, &three);
static char *text = "some text"; PARAM(text, param_ops_charp, &text);
static char *null; PARAM(null, param_ops_charp, &null);
static char held[8] = "held";
static struct kparam_string string = { 8, held }; PARAM(string, param_ops_string, &string);
static unsigned long big = 1ul << 40; PARAM(big, param_ops_ulong, &big);
static unsigned char bytes[4] = { 1, 2, 255, 4 }; static unsigned int count = 3;
static struct kparam_array counted = { 4, 1, &count, &param_ops_byte, bytes };
PARAM(counted, param_array_ops, &counted);
static int all[2] = { 5, 6 };
static struct kparam_array whole = { 2, 4, 0, &param_ops_int, all }; PARAM(whole, param_array_ops, &whole);
static char *names[2] = { "a", 0 };
static struct kparam_array texts = { 2, 8, 0, &param_ops_charp, names }; PARAM(texts, param_array_ops, &texts);
PARAM(custom, own, &minus);
PARAM(nothing, param_ops_int, 0);
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    directory = tmp_path_factory.mktemp("defaults")
    source = directory / "m.c"
    source.write_text(_SOURCE)
    subprocess.run([require_tool("cc"), "-c", "-O1", "-fno-pie", "-o", directory / "m.o", source], check=True)
    return (directory / "m.o").read_bytes()


def test_each_kind_as_sysfs_would_show_it(compiled: bytes) -> None:
    assert defaults(Elf(compiled)) == {
        "minus": "-7",
        "zero": "0",
        "hex": "0x00beef",
        "yes": "Y",
        "inverted": "N",
        "three": "-1",
        "text": "some text",
        "null": "(null)",
        "string": "held",
        "big": str(1 << 40),
        "counted": "1,2,255",
        "whole": "5,6",
        "texts": "a,(null)",
    }


def test_our_own_writer_and_none() -> None:
    assert defaults(Elf(write(ModuleRecipe("m")))) == {}
    made = write(ModuleRecipe("m", parameters=(Parameter("level", "int", permissions=0o644),)))
    assert defaults(Elf(made)) == {"level": "0"}


def test_hostile_files_give_errors_of_ours_only(compiled: bytes) -> None:
    chance = random.Random(7)
    for _ in range(400):
        damaged = bytearray(compiled)
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(64, len(damaged))] = chance.randrange(256)
        try:
            found = defaults(Elf(bytes(damaged)))
        except FormatError:
            continue
        assert len(found) <= 32


def test_a_real_module_shows_what_its_source_says() -> None:
    path = require_path(tree() / "kernel/drivers/net/dummy.ko")
    assert defaults(Elf(path.read_bytes()))["numdummies"] == "1"
