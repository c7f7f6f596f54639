"""A kernel's build configuration: ``.config`` or ``/boot/config-RELEASE``."""

__all__ = ["parse"]


def parse(text: str) -> dict[str, str]:
    """Read the options that are set.

    :returns: option without ``CONFIG_`` to its value: ``y``, ``m``, a number, or a text without its quotes
    """
    options: dict[str, str] = {}
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if equals and name.startswith("CONFIG_"):
            options[name.removeprefix("CONFIG_")] = _unquoted(value.strip())
    return options


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return value
