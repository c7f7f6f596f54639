"""Which digest a module is signed with."""

from pathlib import Path

import pytest

from lkm.actions.sample_tree import RELEASE
from lkm.actions.signing.hash_choice import HashChoice, HashChooser
from lkm.errors import UsageError
from lkm.formats.module_writer import ModuleRecipe, write
from lkm.system.root import Root


def built_for(release: str) -> memoryview:
    return memoryview(write(ModuleRecipe(name="some", modinfo=(("vermagic", f"{release} SMP mod_unload "),))))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with the configurations of some kernels."""
    (tmp_path / "boot").mkdir()
    for release, line in {
        "6.1.0": 'CONFIG_MODULE_SIG_HASH="sha512"',
        "6.12.0": 'CONFIG_MODULE_SIG_HASH="sha3-384"',
        "5.0.0": 'CONFIG_MODULE_SIG_HASH="sm3"',
        "4.0.0": "# CONFIG_MODULE_SIG is not set",
    }.items():
        (tmp_path / f"boot/config-{release}").write_text(f"CONFIG_MODULES=y\n{line}\n")
    return Root(str(tmp_path))


def test_as_the_kernel_that_the_module_was_built_for(root: Root) -> None:
    chooser = HashChooser(root, fallback="4.0.0")
    place = f"{root.path}/boot/config-6.1.0"
    reason = f"as CONFIG_MODULE_SIG_HASH of kernel 6.1.0 says ({place})"
    assert chooser.choose(built_for("6.1.0")) == HashChoice("sha512", reason, "6.1.0")
    assert chooser.choose(built_for("6.12.0")).digest == "sha3-384"
    assert chooser.choose(built_for("6.1.0")).reason == reason


def test_as_the_user_says(root: Root) -> None:
    chooser = HashChooser(root, "sha384", release="6.1.0")
    assert chooser.choose(built_for("6.12.0")) == HashChoice("sha384", "as --hash says", "6.1.0")
    assert HashChooser(root, release="6.12.0").choose(built_for("6.1.0")).digest == "sha3-384"


@pytest.mark.parametrize("name", ["md5", "", "SHA256", "sha256 "])
def test_no_such_hash(root: Root, name: str) -> None:
    with pytest.raises(UsageError, match="no kernel verifies") as caught:
        HashChooser(root, name)
    assert "sha256" in str(caught.value.hint)


@pytest.mark.parametrize("release", ["9.9", "../../etc", "..", "x" * 3000, "\udcff"])
def test_a_kernel_that_is_not_known(root: Root, release: str) -> None:
    found = HashChooser(root).choose(built_for(release))
    assert (found.digest, "no configuration of kernel" in found.reason) == ("sha256", True)
    assert HashChooser(root, fallback="6.1.0").choose(built_for(release)).digest == "sha512"


def test_a_configuration_without_a_known_hash(root: Root) -> None:
    assert HashChooser(root, release="5.0.0").choose(built_for("5.0.0")) == HashChoice(
        "sha256",
        f"as CONFIG_MODULE_SIG_HASH of kernel 5.0.0 is 'sm3', which nobody here knows ({root.path}/boot/config-5.0.0)",
        "5.0.0",
    )
    found = HashChooser(root, release="4.0.0").choose(built_for("4.0.0"))
    assert found.reason.startswith("as the configuration of kernel 4.0.0 names none (")


def test_what_is_no_module(root: Root) -> None:
    assert HashChooser(root, fallback="6.1.0").choose(memoryview(b"no module")).digest == "sha512"
    assert "kernel ? " in HashChooser(root).choose(memoryview(b"")).reason


def test_a_whole_root(sample: Path) -> None:
    found = HashChooser(Root(str(sample))).choose(built_for(RELEASE))
    assert (found.digest, "names none" in found.reason) == ("sha256", True)
