"""Parameters of every kind, in every spelling."""

from collections.abc import Iterator

from tests.truth.case import Case, one

from lkm.formats.parameters import Parameter

__all__ = ["cases"]

_SPLITTING = (
    "--", "-- ", "a_int=1 --   x y", '"--" x', "--=1 --x", "a_int=x -- more", "=x=y", '" "', "ghost=1", "ghost",
    "a_int=1 a_int=2", "a-int=7", "A_INT=7", " a_int=7 ", "a_int=7\ta_uint=8", "a_int=7\na_uint=8", "a_int =7",
    "a_int= 7", "lkm_case.a_int=7", "async_probe", "async_probe=0", "async-probe", "dyndbg", "dyndbg=+p", "dyn-dbg",
    'dyndbg="func x +p"', "a_int=x a_uint=99999999999 ghost a_bool=q", 'a_charp="x y" a_int=x', '"a_charp=x y"',
    'a_charp="x y"z', 'a_charp="', 'a_charp=x"y z"', "a_charp='x y'", "a_charp=", "a_charp=\u00e0b",
    "a_charp=x\udca0a_int=1", "a_charp=a\x01b", "a_charp=a\\nb", "a_charp=%s", 'a_int="7\n"', 'a_int="7\n\n"',
    'a_int="7 "', "a_int=7,8", "x" * 1100, "a_int=" + "9" * 1100, "a_charp=" + "x" * 1024, "a_charp=" + "x" * 1025,
)  # fmt: skip
_INTEGERS = (
    "two", "", "0x", "0x10", "0X1f", "010", "08", "+5", "-5", "+-5", "--5", "1e3", "1.5", " 1", "0b1", "1_000",
    "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296", "9" * 20, "9" * 20 + "x",
    "0x1ffffffffffffffffz", "0" * 30 + "17", "-0",
)  # fmt: skip
_LIMITS = (
    "a_byte=255", "a_byte=256", "a_byte=-1", "a_byte=-0", "a_byte=0x100", "a_short=32767", "a_short=32768",
    "a_short=-32768", "a_short=-32769", "a_short=0100000", "a_ushort=65535", "a_ushort=65536", "a_ushort=-1",
    "a_uint=4294967295", "a_uint=4294967296", "a_uint=-1", "a_hexint=31", "a_hexint=0x1f", "a_hexint=0",
    "a_hexint=-1", "a_hexint=4294967296", "a_long=9223372036854775807", "a_long=9223372036854775808",
    "a_long=-9223372036854775808", "a_long=-9223372036854775809", "a_ulong=18446744073709551615",
    "a_ulong=18446744073709551616", "a_ullong=18446744073709551615", "a_ullong=18446744073709551616", "a_ullong=-1",
    "a_int", "a_byte", "a_ullong", "a_charp",
)  # fmt: skip
_BOOLEANS = (
    "y", "Y", "n", "N", "1", "0", "t", "T", "f", "F", "on", "off", "oN", "oFt", "o", "ox", "yes", "no", "true", "false",
    "e", "E", "enabled", "d", "D", "disable", "2", "maybe", "", "10", "y y",
)  # fmt: skip
_ARRAYS = (
    "numbers=1", "numbers=1,2,3", "numbers=1,2,3,4", "numbers=7,x,9", "numbers=1,", "numbers=,1", "numbers=", "numbers",
    "numbers=1,,3", "numbers=x", "numbers=1,2,3,", "flags", "flags=y", "flags=y,off", "flags=y,", "flags=y,x",
    "flags=y,n,y", "words=a,b", "words=a,b,c", "words=a", "words", "words=a,", "words=,", "text=", "text=abc",
    "text=abcd", "text", 'text="a b"', "risky=1", "risky=x", "risky", "risky=1 risky=2", "port=1", "port=x", "port",
    "hidden=1", "hidden=x", "hidden", "risky=1 a_int=x", "port=1 a_int=x", "a_int=x port=1",
)  # fmt: skip


def cases() -> Iterator[Case]:
    yield _asked("")
    yield from map(_asked, (*_SPLITTING, *_LIMITS, *_ARRAYS))
    yield from (_asked(f"a_int={text}") for text in _INTEGERS)
    for kind in ("a_bool", "a_invbool", "a_bint"):
        yield from (
            _asked(f"{kind}={text}") for text in (_BOOLEANS if kind == "a_bool" else _BOOLEANS[:6:2] + _BOOLEANS[-10:])
        )
        yield _asked(kind)
    yield _asked(
        "a_byte=0xff a_short=-1 a_ushort=0177 a_int=+5 a_ullong=1 a_bool a_invbool=on a_bint=y text=x numbers=1,2"
    )
    yield one("parameter/no parameters declared", lambda maker: maker.module(), "a_int=1")
    yield one("parameter/and an unknown symbol", lambda m: m.module(imports=m.needs("nobody")), "a_int=x")
    yield one("parameter/and a built-in's name", lambda maker: maker.module("printk"), "ghost=1")
    yield one(
        "parameter/of one name twice",
        lambda m: m.module(
            imports=m.needs("param_ops_int", "param_ops_bool"),
            parameters=(Parameter("twice", "int", permissions=0), Parameter("twice", "bool", permissions=0)),
        ),
        "twice=y",
    )
    yield one(
        "parameter/its operations are weak and missing",
        lambda m: m.module(parameters=(Parameter("a_int", "int", permissions=0),)),
        "a_int=x",
    )


def _asked(text: str) -> Case:
    shown = text if len(text) < 80 else f"{text[:20]}… of {len(text)}"
    return one(f"parameter/{shown!r}", lambda maker: maker.with_parameters(), text)
