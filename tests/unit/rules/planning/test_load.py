"""Planning a load as kmod does, and better."""

import time
from pathlib import Path

import pytest
from tests.support.planning import candidate, resolver, shown

from lkm.rules.planning.load import BlacklistScope, LoadOptions, LoadPlan, Softdeps, plan_load
from lkm.rules.planning.steps import Insert, RunInstall
from lkm.rules.resolving import Resolver

MODULES = "top: low base\nlow: base\nbase:\nside: base\nextra:\n"
KMOD = LoadOptions()
BETTER = LoadOptions(softdeps=Softdeps.IMPROVED)


def _plan(names: Resolver, name: str = "top", options: LoadOptions = KMOD) -> LoadPlan:
    return plan_load(names, candidate(names, name), options)


def _steps(root: Path, conf: str = "", name: str = "top", options: LoadOptions = KMOD, **more: str) -> list[str]:
    return shown(_plan(resolver(root, more.pop("modules", MODULES), conf, **more), name, options).steps)  # type: ignore[arg-type]  # the tests name what resolver takes


# --- dependencies -----------------------------------------------------------------------------------------------------


def test_dependencies_come_first(tmp_path: Path) -> None:
    assert _steps(tmp_path) == ["insert base", "insert low", "insert top"]


def test_built_ins_have_nothing_to_insert(tmp_path: Path) -> None:
    modules = "top: low\nlow:\n"
    assert _steps(tmp_path / "1", modules=modules, builtins="low") == ["insert low", "insert top"]
    aware = LoadOptions(is_loaded=lambda _: False)
    assert _steps(tmp_path / "2", modules=modules, builtins="low", options=aware) == ["builtin low", "insert top"]
    assert _steps(tmp_path / "3", name="unix", builtins="unix") == ["builtin unix"]


def test_what_is_loaded_is_left_alone(tmp_path: Path) -> None:
    names = resolver(tmp_path, MODULES, "blacklist top\ninstall low /bin/false\n")
    with_low = LoadOptions(is_loaded=lambda name: name in {"low", "base"})
    assert shown(_plan(names, options=with_low).steps) == ["present base", "present low", "insert top"]
    everything = LoadOptions(is_loaded=lambda _: True, blacklist=BlacklistScope.NAMES)
    plan = _plan(names, options=everything)
    assert shown(plan.steps) == ["present top"]  # which comes before the blacklist, and before what it depends on
    assert plan.blocked_by is None


def test_an_alias_to_nothing(tmp_path: Path) -> None:
    assert _steps(tmp_path, "alias ghost nowhere\n", name="ghost") == ["absent nowhere"]


# --- options ----------------------------------------------------------------------------------------------------------


def test_options_of_name_and_alias_and_of_the_caller(tmp_path: Path) -> None:
    conf = "alias nick top\noptions top a=1\noptions nick b=2\noptions top c=3\noptions base d=4\noptions other e=5\n"
    options = LoadOptions(parameters="x=9 y")
    names = resolver(tmp_path, MODULES, conf)
    assert shown(_plan(names, "top", options).steps) == [
        "insert base d=4",
        "insert low",
        "insert top a=1 c=3 x=9 y",
    ]
    assert shown(_plan(names, "nick", options).steps)[-1] == "insert top a=1 b=2 c=3 x=9 y"
    (*_, last) = _plan(names, "top").steps
    assert isinstance(last, Insert)
    assert last.parameters == "a=1 c=3 "  # kmod leaves the blank


# --- install commands -------------------------------------------------------------------------------------------------


def test_install_commands_take_the_place(tmp_path: Path) -> None:
    conf = "install top /sbin/run $CMDLINE_OPTS now $CMDLINE_OPTS\ninstall base /bin/first\ninstall bas* /bin/second\n"
    options = LoadOptions(parameters="x=1")
    names = resolver(tmp_path, MODULES, conf)
    plan = _plan(names, options=options)
    assert shown(plan.steps) == ["run /bin/first", "insert low", "run /sbin/run x=1 now x=1"]
    (first, _, last) = plan.steps
    assert isinstance(first, RunInstall)
    assert isinstance(last, RunInstall)
    assert (first.where, last.command) == ("test.conf:2", "/sbin/run $CMDLINE_OPTS now $CMDLINE_OPTS")
    ignoring = LoadOptions(ignore_commands=True)
    assert shown(_plan(names, options=ignoring).steps) == ["run /bin/first", "insert low", "insert top"]


def test_options_can_not_smuggle_the_variable_in_again(tmp_path: Path) -> None:
    conf = "install top echo $CMDLINE_OPTS\n"
    options = LoadOptions(parameters="x=$CMDLINE_OPTS")
    assert _steps(tmp_path, conf, options=options)[-1] == "run echo x=$CMDLINE_OPTS"  # on which kmod never ends


def test_a_command_alone_makes_a_name(tmp_path: Path) -> None:
    assert _steps(tmp_path, "install nomod /bin/true\n", name="nomod") == ["run /bin/true"]


# --- blacklist --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "scope", "blocked"),
    [
        ("nick", BlacklistScope.ALIASES, True),
        ("nick", BlacklistScope.NAMES, True),
        ("top", BlacklistScope.ALIASES, False),
        ("top", BlacklistScope.NAMES, True),
        ("side", BlacklistScope.NAMES, False),  # it only depends on what is blacklisted
    ],
)
def test_the_blacklist(tmp_path: Path, name: str, scope: BlacklistScope, blocked: bool) -> None:  # noqa: FBT001
    names = resolver(tmp_path, MODULES, "alias nick top\nblacklist top\nblacklist base\n")
    plan = _plan(names, name, LoadOptions(blacklist=scope))
    assert (plan.blocked_by is not None) is blocked
    assert bool(plan.steps) is not blocked
    if plan.blocked_by:
        assert (plan.blocked_by.file, plan.blocked_by.line) == ("test.conf", 2)


# --- soft dependencies ------------------------------------------------------------------------------------------------


def test_before_and_after(tmp_path: Path) -> None:
    conf = "softdep top pre: extra nothing post: side\n"
    expected = ["insert base", "insert low", "insert extra?", "insert top", "insert base", "insert side?"]
    assert _steps(tmp_path, conf) == expected


def test_of_a_dependency(tmp_path: Path) -> None:
    assert _steps(tmp_path, "softdep base pre: extra\n") == [
        "insert extra?",
        "insert base",
        "insert low",
        "insert top",
    ]


def test_what_is_needed_too_is_not_only_soft(tmp_path: Path) -> None:
    assert _steps(tmp_path, "softdep base pre: low\n")[0] == "insert base"
    assert "insert low?" not in _steps(tmp_path / "2", "softdep base pre: low\n")


def test_only_the_first_line_counts_for_kmod_and_all_for_us(tmp_path: Path) -> None:
    conf = "softdep top pre: extra\nsoftdep t* post: side\n"
    names = resolver(tmp_path, MODULES, conf)
    assert shown(_plan(names).steps) == ["insert base", "insert low", "insert extra?", "insert top"]
    assert shown(_plan(names, options=BETTER).steps)[-2:] == ["insert base", "insert side?"]


def test_a_softdep_disables_the_install_command_of_kmod_and_not_ours(tmp_path: Path) -> None:
    conf = "softdep top pre: extra\ninstall top /bin/false\n"
    names = resolver(tmp_path, MODULES, conf)
    assert shown(_plan(names).steps)[-1] == "insert top"
    assert shown(_plan(names, options=BETTER).steps)[-1] == "run /bin/false"


def test_a_softdep_to_nothing_disables_nothing(tmp_path: Path) -> None:
    conf = "softdep top pre: nobody\ninstall top /bin/false\n"
    assert _steps(tmp_path, conf)[-1] == "run /bin/false"


def test_ignoring_commands_is_for_the_module_itself(tmp_path: Path) -> None:
    conf = "softdep top pre: extra\nsoftdep low pre: side\n"
    options = LoadOptions(ignore_commands=True)
    steps = _steps(tmp_path, conf, options=options)
    assert "insert extra?" not in steps
    assert "insert side?" in steps


@pytest.mark.parametrize(
    "conf",
    [
        "softdep a pre: a\n",
        "softdep a post: a\n",
        "softdep a pre: b\nsoftdep b pre: a\n",
        "softdep a pre: b post: b\nsoftdep b pre: a post: a\n",
        "softdep a post: b\nsoftdep b post: c\nsoftdep c pre: a b c\n",
        "softdep * pre: a b c post: a b c\n",
        "alias x a\nalias y b\nsoftdep a pre: y\nsoftdep b pre: x\n",
    ],
)
@pytest.mark.parametrize("softdeps", [Softdeps.AS_KMOD, Softdeps.IMPROVED])
def test_loops_end(tmp_path: Path, conf: str, softdeps: Softdeps) -> None:
    steps = _steps(tmp_path, conf, "a", LoadOptions(softdeps=softdeps), modules="a:\nb:\nc: b\n")
    assert "insert a" in steps
    assert len(steps) <= 30


def test_very_deep_soft_dependencies(tmp_path: Path) -> None:
    depth = 5000
    modules = "".join(f"m{number}:\n" for number in range(depth))
    conf = "".join(f"softdep m{number} pre: m{number + 1}\n" for number in range(depth - 1))
    start = time.process_time()
    steps = _steps(tmp_path, conf, "m0", modules=modules)
    assert (len(steps), steps[0], steps[-1]) == (depth, f"insert m{depth - 1}?", "insert m0")
    assert time.process_time() - start < 5


def test_an_alias_that_several_claim(tmp_path: Path) -> None:
    names = resolver(tmp_path, MODULES, "blacklist side\n", aliases=(("dev", "side"), ("dev", "extra")))
    plans = [plan_load(names, found, KMOD) for found in names.lookup("dev")]
    assert sorted((plan.target.name, plan.blocked_by is None) for plan in plans) == [("extra", True), ("side", False)]
