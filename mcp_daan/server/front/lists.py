"""What the handshake and the lists answer, from the catalog."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from mcp_daan.server.catalog import catalog
from mcp_daan.server.instructions import instructions
from mcp_daan.server.offer import Offer

# The method → the key of its list.
LISTS = {"tools/list": "tools", "prompts/list": "prompts", "resources/templates/list": "resourceTemplates"}


class Said(Protocol):
    """What a tool answered."""

    @property
    def text(self) -> str: ...

    @property
    def failed(self) -> bool: ...


class Lists:
    """The answers of a server that offers *offer*, as JSON like the SDK's."""

    def __init__(self, offer: Offer) -> None:
        self._told, self._offer = catalog(), offer
        # What ends each result of 2026-07-28: who answers.
        self._stamp = f'"_meta":{dump(self._told["meta"])}'

    def offers(self, name: str) -> bool:
        """Whether there is a tool called *name*."""
        return self._offer.holds(name) and any(each["name"] == name for each in self._told["tools"])

    def initialized(self, version: str) -> str:
        """The result of `initialize` for a client that asks for *version*."""
        known = self._told["versions"]
        return _sorted({**self._greeting("initialize"), "protocolVersion": version if version in known else known[-1]})

    def discovered(self) -> str:
        """The result of `server/discover`."""
        return self._stamped(self._greeting("server/discover"))

    def listed(self, method: str, *, modern: bool) -> str:
        """The result of one of `LISTS`."""
        name = LISTS[method]
        shown = {name: [each["entry"] for each in self._told[name] if self._offer.holds(*each["needs"])]}
        return self._stamped({**shown, **self._told["steady"]}) if modern else _sorted(shown)

    def answered(self, said: Said, *, modern: bool) -> str:
        """What a call is answered with, its text written once for both of its places."""
        failed, content = "true" if said.failed else "false", dump(said.text)
        complete, stamp = ('"resultType":"complete",', f",{self._stamp}") if modern else ("", "")
        told = f'"content":[{{"text":{content},"type":"text"}}],"isError":{failed}'
        return f'"result":{{{told},{complete}"structuredContent":{said.text}{stamp}}}'

    def _greeting(self, method: str) -> Mapping[str, Any]:
        return {**self._told[method], "instructions": instructions(self._offer)}

    def _stamped(self, result: Mapping[str, Any]) -> str:
        return f"{_sorted(result)[:-1]},{self._stamp}}}"


def _sorted(result: Mapping[str, Any]) -> str:
    return dump(dict(sorted(result.items())))


def dump(value: object) -> str:
    """Compact JSON as the SDK writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
