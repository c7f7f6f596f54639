"""What is read out of the front-ends' help."""

import pytest

from lkm.interfaces.cli.front_ends import FRONT_ENDS
from lkm.interfaces.front_end_help import FrontEndOption, help_of, options_in


@pytest.mark.parametrize("tool", FRONT_ENDS)
def test_each_has_a_usage(tool: str) -> None:
    assert "Usage: " in help_of(tool).replace(":\n", ": ")


def test_options_are_taken_apart() -> None:
    text = "Usage:\n\tx [options]\n\t-a, --all       all\n\t    --long VALUE  first line\n\t                  second\n"
    assert options_in(text) == (
        FrontEndOption(("-a", "--all"), "", "all"),
        FrontEndOption(("--long",), "VALUE", "first line second"),
    )


def test_every_option_of_modprobe_is_found() -> None:
    names = {name for option in options_in(help_of("modprobe")) for name in option.names}
    assert {"-a", "--all", "--show-depends", "-D", "--remove-holders", "-S", "--set-version", "--help"} <= names
