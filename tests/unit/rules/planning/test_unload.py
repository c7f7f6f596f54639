"""Planning a removal as kmod does, and deeper."""

from pathlib import Path

import pytest
from tests.support.planning import candidate, loaded, resolver, shown

from lkm.errors import Loop
from lkm.rules.planning.steps import Obstacle, Refused
from lkm.rules.planning.unload import UnloadOptions, plan_unload
from lkm.rules.resolving import Resolver

MODULES = "top: low base\nlow: base\nbase:\nside: base\nextra:\n"
LOADED = "top 0\nlow 1 top\nbase 2 top low\n"
KMOD = UnloadOptions()
OURS = UnloadOptions(deep=True, first_time=True)


def _plan(names: Resolver, name: str, kernel: str, options: UnloadOptions = KMOD) -> list[str]:
    return shown(plan_unload(names, candidate(names, name), loaded(kernel), options))


def _steps(
    root: Path,
    conf: str = "",
    name: str = "top",
    kernel: str = LOADED,
    options: UnloadOptions = KMOD,
    builtins: str = "",
) -> list[str]:
    return _plan(resolver(root, MODULES, conf, builtins=builtins), name, kernel, options)


# --- the module and what is left over ---------------------------------------------------------------------------------


def test_kmod_looks_at_leftovers_in_the_order_of_loading(tmp_path: Path) -> None:
    """base is still used by low when kmod looks at it, so it stays."""
    assert _steps(tmp_path) == ["remove top", "leftover low?"]


def test_we_look_at_them_the_other_way_round(tmp_path: Path) -> None:
    assert _steps(tmp_path, options=OURS) == ["remove top", "leftover low?", "leftover base?"]


def test_what_others_use_is_not_left_over(tmp_path: Path) -> None:
    kernel = "side 0\ntop 0\nlow 1 top\nbase 3 side top low\n"
    assert _steps(tmp_path / "1", kernel=kernel, options=OURS) == ["remove top", "leftover low?"]
    mounted = "top 0\nlow 2 top\nbase 2 top low\n"
    assert _steps(tmp_path / "2", kernel=mounted, options=OURS) == ["remove top"]


def test_built_in_dependencies_are_not_left_over(tmp_path: Path) -> None:
    kernel = "top 0\nlow 1 top\n"
    assert _steps(tmp_path, kernel=kernel, builtins="base", options=OURS) == ["remove top", "leftover low?"]


# --- what can't go ----------------------------------------------------------------------------------------------------


def test_in_use(tmp_path: Path) -> None:
    names = resolver(tmp_path, MODULES)
    (step,) = plan_unload(names, candidate(names, "base"), loaded(LOADED), KMOD)
    assert step == Refused("base", Obstacle.IN_USE, ("top", "low"), 2)
    waiting = UnloadOptions(wait=True)
    assert _plan(names, "base", LOADED, waiting) == ["remove base"]


def test_built_in(tmp_path: Path) -> None:
    assert _steps(tmp_path / "1", name="unix", builtins="unix") == ["unix is built in"]
    soft = _steps(tmp_path / "2", "softdep extra pre: unix\n", "extra", "extra 0\n", builtins="unix")
    assert soft == ["remove extra"]


def test_not_loaded(tmp_path: Path) -> None:
    assert _steps(tmp_path / "1", name="extra") == []
    assert _steps(tmp_path / "2", name="extra", options=OURS) == ["extra is not loaded"]


# --- holders ----------------------------------------------------------------------------------------------------------


def test_holders_one_level_for_kmod(tmp_path: Path) -> None:
    options = UnloadOptions(remove_holders=True)
    kernel = "side 0\nbase 1 side\n"
    assert _steps(tmp_path / "1", name="base", kernel=kernel, options=options) == ["remove side", "remove base"]
    # low's own holder is in the way, and the first that fails ends it.
    deeper = _steps(tmp_path / "2", name="base", options=options, kernel="top 0\nlow 1 top\nbase 1 low\n")
    assert deeper == ["low is in use"]


def test_holders_of_holders_for_us(tmp_path: Path) -> None:
    options = UnloadOptions(remove_holders=True, deep=True, first_time=True)
    assert _steps(tmp_path, name="base", options=options) == ["remove top", "remove low", "remove base"]


def test_holders_that_have_other_uses(tmp_path: Path) -> None:
    options = UnloadOptions(remove_holders=True, deep=True)
    assert _steps(tmp_path, name="base", kernel="side 1\nbase 1 side\n", options=options) == ["side is in use"]


def test_a_module_that_goes_with_its_last_holder_goes_once(tmp_path: Path) -> None:
    options = UnloadOptions(remove_holders=True, deep=True, first_time=True, wait=True)
    kernel = "side 0\nbase 1 side\n"
    assert _steps(tmp_path, name="base", kernel=kernel, options=options) == ["remove side", "remove base"]


# --- commands and soft dependencies -----------------------------------------------------------------------------------


def test_remove_commands(tmp_path: Path) -> None:
    conf = "remove top /sbin/gone\nremove t* /sbin/never\n"
    names = resolver(tmp_path, MODULES, conf)
    assert _plan(names, "top", LOADED) == ["run /sbin/gone"]
    assert _plan(names, "top", "") == ["run /sbin/gone"]  # whether it is loaded is the command's business
    assert _plan(names, "top", LOADED, UnloadOptions(ignore_commands=True)) == ["remove top", "leftover low?"]


def test_soft_dependencies_go_in_reverse(tmp_path: Path) -> None:
    conf = "softdep top pre: side extra post: low\n"
    kernel = "low 0\ntop 0\nside 0\nextra 0\nbase 3 low top side\n"
    names = resolver(tmp_path, MODULES, conf)
    assert _plan(names, "top", kernel) == [
        "remove low?",
        "remove top",
        "remove extra?",
        "remove side?",
        "leftover base?",
    ]
    ignoring = UnloadOptions(ignore_commands=True)
    assert _plan(names, "top", kernel, ignoring) == ["remove top", "leftover low?"]


def test_only_the_first_softdep_line_counts_for_kmod_and_all_for_us(tmp_path: Path) -> None:
    conf = "softdep top pre: side\nsoftdep t* pre: extra post: low\n"
    kernel = "low 0\ntop 0\nside 0\nextra 0\nbase 3 low top side\n"
    names = resolver(tmp_path, MODULES, conf)
    assert _plan(names, "top", kernel) == ["remove top", "leftover low?", "remove side?", "leftover base?"]
    assert _plan(names, "top", kernel, OURS) == [
        "remove low?",
        "remove top",
        "remove extra?",
        "remove side?",
        "leftover base?",
    ]


def test_a_soft_dependency_in_use_does_not_matter(tmp_path: Path) -> None:
    conf = "softdep extra pre: low\n"
    kernel = "extra 0\nlow 1\n"
    assert _steps(tmp_path, conf, "extra", kernel) == ["remove extra", "low is in use?"]


@pytest.mark.parametrize(
    "conf",
    [
        "softdep extra pre: extra post: extra\n",
        "softdep extra pre: side\nsoftdep side pre: extra\n",
        "softdep * pre: extra side post: side extra\n",
        "alias nick extra\nsoftdep extra post: nick\n",
    ],
)
@pytest.mark.parametrize("options", [KMOD, OURS, UnloadOptions(remove_holders=True, deep=True, wait=True)])
def test_loops_end(tmp_path: Path, conf: str, options: UnloadOptions) -> None:
    steps = _steps(tmp_path, conf, "extra", "extra 0\nside 0\nbase 1 side\n", options)
    assert steps.count("remove extra") == 1


def test_a_softdep_that_depends_on_the_module_itself(tmp_path: Path) -> None:
    """What is removed because nothing uses it any more must not be the module whose turn is yet to come."""
    kernel = "side 0\nbase 1 side\n"
    for number, options in enumerate((KMOD, OURS)):
        steps = _steps(tmp_path / str(number), "softdep base post: side\n", "base", kernel, options)
        assert steps == ["remove side?", "remove base"]


def test_soft_dependencies_that_nest_too_deep(tmp_path: Path) -> None:
    depth = 5000
    modules = "".join(f"m{number}:\n" for number in range(depth))
    conf = "".join(f"softdep m{number} post: m{number + 1}\n" for number in range(depth - 1))
    names = resolver(tmp_path, modules, conf)
    kernel = "".join(f"m{number} 0\n" for number in range(depth))
    with pytest.raises(Loop, match="nest deeper than") as caught:
        plan_unload(names, candidate(names, "m0"), loaded(kernel), KMOD)
    assert caught.value.hint is not None
    assert len(plan_unload(names, candidate(names, f"m{depth - 150}"), loaded(kernel), KMOD)) == 150


# --- dry runs ---------------------------------------------------------------------------------------------------------


def test_without_regard_to_what_is_loaded(tmp_path: Path) -> None:
    options = UnloadOptions(ignore_loaded=True, simulate=False)
    assert _steps(tmp_path / "1", kernel="", options=options) == ["remove top"]
    assert _steps(tmp_path / "2", name="unix", builtins="unix", options=options) == ["remove unix"]


def test_without_effect_on_what_follows(tmp_path: Path) -> None:
    """kmod's dry run removes nothing, so what top used still counts as used."""
    options = UnloadOptions(simulate=False)
    assert _steps(tmp_path, options=options) == ["remove top"]


def test_the_kernels_own_list_is_left_alone(tmp_path: Path) -> None:
    names, kernel = resolver(tmp_path, MODULES), loaded(LOADED)
    plan_unload(names, candidate(names, "top"), kernel, OURS)
    assert kernel == loaded(LOADED)


def test_a_kernel_without_counts(tmp_path: Path) -> None:
    """Without MODULE_UNLOAD /proc/modules gives none."""
    kernel = {name: module._replace(refcount=None) for name, module in loaded("extra 0\n").items()}
    names = resolver(tmp_path, MODULES)
    assert shown(plan_unload(names, candidate(names, "extra"), kernel, OURS)) == ["remove extra"]
