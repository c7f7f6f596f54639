"""Holding JSON against the few words of JSON Schema that the schemas here use."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["check_schema", "violations"]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_WORDS = {"title", "type", "required", "additionalProperties", "properties", "items", "enum", "pattern", "anyOf"}
_SCHEMAS = Path(__file__).parent.parent / "schemas"


def check_schema(value: Any, name: str) -> None:
    """Fail unless a value is as a schema of ``tests/schemas`` has it."""
    schema = json.loads((_SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    assert list(violations(value, schema, "$")) == []


def violations(value: Any, schema: dict[str, Any], place: str) -> Iterator[str]:
    """Say what is wrong with a value."""
    assert schema.keys() <= _WORDS, "the schema has words that are not understood here"
    wanted = schema.get("type", list(_TYPES))
    names = [wanted] if isinstance(wanted, str) else wanted
    if not any(_is(value, name) for name in names):
        yield f"{place}: {value!r} is no {' or '.join(names)}"
        return
    if value not in schema.get("enum", [value]):
        yield f"{place}: {value!r} is none of {schema['enum']}"
    if "anyOf" in schema and all(any(violations(value, choice, place)) for choice in schema["anyOf"]):
        yield f"{place}: {value!r} is as none of the alternatives"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{place}: {value!r} does not match"
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from violations(item, schema.get("items", {}), f"{place}[{number}]")
    if isinstance(value, dict):
        yield from _members(value, schema, place)


def _is(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and not (name == "integer" and isinstance(value, bool))


def _members(value: dict[str, Any], schema: dict[str, Any], place: str) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{place}: {name} is missing"
    for name, member in value.items():
        if name in known:
            yield from violations(member, known[name], f"{place}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{place}: {name} is too much"
