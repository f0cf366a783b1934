"""A configuration held against wrangler's schema: keys, types, and nothing that a schema could make us run.

Of draft-07 only what wrangler's schema uses: type, properties, additionalProperties, required, enum, const, items,
anyOf, allOf and $ref within the file.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Literal

from mcp_daan.workers.configuration.places import Path as Keys

Wrong = Literal["unknown", "missing", "type", "value"]
# A schema that sends us round in circles ends here; wrangler's own takes a few hundred steps.
STEPS = 100_000
# No key of wrangler's stands deeper; only free values (`vars`, `props`) may.
DEEPEST = 40
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (Mapping,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


@dataclass(frozen=True)
class Problem:
    """What is wrong at `keys`; `wanted` is the types or values that are right, or the key that is meant."""

    wrong: Wrong
    keys: Keys
    wanted: tuple[str, ...] = ()


def problems(values: Any, schema: Mapping[str, Any]) -> list[Problem]:
    """Everything in *values* that *schema* does not allow."""
    walk = _Walk(schema)
    return list(walk.problems(values, schema, ()))


class _Walk:
    """One validation; its steps are counted."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.definitions = schema.get("definitions", {})
        self.steps = 0

    def problems(self, value: Any, schema: Any, at: Keys, choices: int = 0) -> Iterator[Problem]:
        """What is wrong with *value*; *choices* is how many schemas in a row spoke of this very value."""
        schema = self.resolved(schema)
        if not schema or max(len(at), choices) > DEEPEST:
            return
        for each in _list(schema.get("allOf")):
            yield from self.problems(value, each, at, choices + 1)
        branches = _list(schema.get("anyOf"))
        if branches:
            yield from self._best(value, branches, at, choices + 1)
        if not _fits(value, schema.get("type")):
            yield Problem("type", at, _words(schema["type"]))
            return
        allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if isinstance(allowed, list) and not any(value == each and type(value) is type(each) for each in allowed):
            yield Problem("value", at, tuple(json.dumps(each) for each in allowed))
        if isinstance(value, Mapping):
            yield from self._object(value, schema, at)
        elif isinstance(value, list) and "items" in schema:
            for index, each in enumerate(value):
                yield from self.problems(each, schema["items"], (*at, index))

    def resolved(self, schema: Any) -> Mapping[str, Any]:
        """*schema* with its reference followed; empty, which allows anything, where it leads nowhere."""
        for _ in range(20):
            self.steps += 1
            if self.steps > STEPS or not isinstance(schema, Mapping):
                return {}
            if "$ref" not in schema:
                return schema
            schema = self.definitions.get(str(schema["$ref"]).rsplit("/", 1)[-1])
        return {}

    def _object(self, value: Mapping[str, Any], schema: Mapping[str, Any], at: Keys) -> Iterator[Problem]:
        known = schema.get("properties")
        known = known if isinstance(known, Mapping) else {}
        others = schema.get("additionalProperties", True)
        for key, each in value.items():
            if key in known:
                yield from self.problems(each, known[key], (*at, key))
            elif others is False:
                yield Problem("unknown", (*at, key), tuple(nearest(key, known)))
            elif isinstance(others, Mapping):
                yield from self.problems(each, others, (*at, key))
        for key in _list(schema.get("required")):
            if key not in value:
                yield Problem("missing", at, (str(key),))

    def _best(self, value: Any, branches: list[Any], at: Keys, choices: int) -> Iterator[Problem]:
        """What is wrong by the branch that comes nearest; nothing where one fits."""
        tried = []
        for branch in branches:
            wrong = list(self.problems(value, branch, at, choices))
            if not wrong:
                return
            tried.append(wrong)
        kinds = [wrong for wrong in tried if not (wrong[0].wrong == "type" and wrong[0].keys == at)]
        if not kinds:
            yield Problem("type", at, tuple(dict.fromkeys(word for wrong in tried for word in wrong[0].wanted)))
            return
        # A branch that this object was not meant for differs in a constant; one that was, in less.
        best = min(kinds, key=lambda wrong: (sum(each.wrong == "value" for each in wrong), len(wrong)))
        others = [each for wrong in kinds for each in wrong if each.wrong == "value"]
        for problem in best:
            same = [word for each in others if each.keys == problem.keys for word in each.wanted]
            wanted = tuple(dict.fromkeys(same)) if problem.wrong == "value" else problem.wanted
            yield Problem(problem.wrong, problem.keys, wanted)


def nearest(key: str, known: Mapping[str, Any]) -> list[str]:
    """The one key of *known* that *key* is probably meant to be, if any."""
    folded = {_folded(each): each for each in known}
    if _folded(key) in folded:
        return [folded[_folded(key)]]
    return difflib.get_close_matches(key, list(known), 1, cutoff=0.7)


def _folded(key: str) -> str:
    return key.replace("-", "").replace("_", "").lower()


def _fits(value: Any, wanted: Any) -> bool:
    kinds = [wanted] if isinstance(wanted, str) else _list(wanted)
    if not kinds:
        return True
    # A date or time of TOML is neither of JSON's types: wrangler refuses it too.
    return not isinstance(value, date | time) and any(
        isinstance(value, _TYPES.get(kind, (object,))) and (kind == "boolean" or not isinstance(value, bool))
        for kind in kinds
    )


def _words(wanted: Any) -> tuple[str, ...]:
    return (wanted,) if isinstance(wanted, str) else tuple(map(str, _list(wanted)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
