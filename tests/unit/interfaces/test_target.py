"""The target that the environment names."""

from lkm.interfaces.target import target_from_environment


def test_the_environment_names_the_target() -> None:
    target = target_from_environment({"LKM_ROOT": "/srv/x", "LKM_RELEASE": "6.1", "LKM_KERNEL": "emulated:/k"})
    assert (target.root, target.release, target.kernel) == ("/srv/x", "6.1", "emulated:/k")


def test_what_is_not_set_is_this_machine() -> None:
    for environ in ({}, {"LKM_ROOT": "", "LKM_RELEASE": "", "LKM_KERNEL": ""}):
        target = target_from_environment(environ)
        assert (target.root, target.release, target.kernel) == ("/", None, "live")
