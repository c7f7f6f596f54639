"""Plans for module files by their paths."""

from pathlib import Path

import pytest

from lkm.actions.load_file import plan_file, steps_before
from lkm.actions.sample_tree import VERMAGIC
from lkm.actions.session import Session, Target
from lkm.errors import Unreadable
from lkm.formats.module_writer import ModuleRecipe, usual_modinfo, write
from lkm.rules.planning.load import LoadOptions
from lkm.rules.planning.steps import Insert, Present
from lkm.system.module_file import ModuleFile
from lkm.system.root import Root


@pytest.fixture
def session(sample: Path) -> Session:
    return Session(Target(root=str(sample), kernel="emulated"))


def file(path: Path, depends: tuple[str, ...] = ()) -> ModuleFile:
    path.write_bytes(write(ModuleRecipe(path.stem, usual_modinfo(path.stem, VERMAGIC, depends=depends))))
    return ModuleFile(Root(), str(path))


def names(session: Session, module: ModuleFile, options: LoadOptions | None = None) -> list[str]:
    plan = plan_file(session.resolver, module, options or LoadOptions())
    assert plan.target.name == module.name
    return [step.module.display_path.rsplit("/", 1)[1] for step in plan.steps if isinstance(step, Insert)]


def test_a_known_name_has_the_dependencies_of_the_index(session: Session, tmp_path: Path) -> None:
    module = file(tmp_path / "vfat.ko")
    plan = plan_file(session.resolver, module, LoadOptions(parameters="x=1"))
    assert names(session, module) == ["fat.ko", "vfat.ko"]
    assert plan.steps[-1] == Insert("vfat", module, "x=1")


def test_an_unknown_name_has_those_of_the_file(session: Session, tmp_path: Path) -> None:
    module = file(tmp_path / "new.ko", ("fat", "vfat", "nosuch", "unix"))
    assert names(session, module) == ["fat.ko", "vfat.ko", "new.ko"]
    assert [step.name for step in steps_before(session.resolver, module, LoadOptions())] == ["fat", "vfat", "unix"]


def test_a_built_in_of_the_name_is_no_obstacle(session: Session, tmp_path: Path) -> None:
    assert names(session, file(tmp_path / "unix.ko")) == ["unix.ko"]


def test_what_is_loaded_stays(session: Session, tmp_path: Path) -> None:
    module = file(tmp_path / "new.ko", ("fat",))
    plan = plan_file(session.resolver, module, LoadOptions(is_loaded=lambda name: name == "new"))
    assert [step.name for step in plan.steps if isinstance(step, Present)] == ["new"]


def test_a_file_that_is_no_module(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "text.ko"
    path.write_text("hello")
    module = ModuleFile(Root(), str(path))
    assert names(session, module) == ["text.ko"]
    with pytest.raises(Unreadable):
        steps_before(session.resolver, module, LoadOptions())
