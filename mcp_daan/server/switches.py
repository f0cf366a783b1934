"""The switches at start: which tools are offered. The command line comes before the environment."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from mcp_daan.errors import InvalidArguments
from mcp_daan.server.catalog import Listed, catalog
from mcp_daan.server.offer import Offer
from mcp_daan.variables import OWN_VARIABLES, SWITCH_VARIABLES, UNFILLED, filled

YES, NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")


class Switches(NamedTuple):
    """Names as they were given; None is not set."""

    read_only: bool = False
    tools: str | None = None
    exclude_tools: str | None = None
    toolsets: str | None = None

    def over(self, environment: Mapping[str, str]) -> "Switches":
        """These switches, and where one is not set the variable for it.

        Reading only is never switched off by the other. Raises InvalidArguments for a variable that is not known.
        """
        _check_variables(environment)
        read_only, *names = (environment.get(name, "") for name in SWITCH_VARIABLES)
        tools, exclude_tools, sets = (name or None for name in names)
        return Switches(
            read_only=self.read_only or _yes(read_only),
            tools=_set(self.tools, tools),
            exclude_tools=_set(self.exclude_tools, exclude_tools),
            toolsets=_set(self.toolsets, sets),
        )

    def offer(self) -> Offer:
        """What they leave: the toolsets and the tools that are named (all without a name), less the excluded.

        Raises InvalidArguments for a name that does not exist, and when no tool is left.
        """
        if self == Switches():
            return Offer()
        tools: list[Listed] = catalog()["tools"]
        names = [each["name"] for each in tools]
        sets = _names("toolsets", self.toolsets, list(dict.fromkeys(each["toolset"] for each in tools)))
        named = _names("tools", self.tools, names)
        excluded = _names("exclude-tools", self.exclude_tools, names)
        left = [
            each["name"]
            for each in tools
            if (each["toolset"] in (sets or ()) or each["name"] in (named or ()) or sets is named is None)
            and each["name"] not in (excluded or ())
            and (each["readsOnly"] or not self.read_only)
        ]
        if not left:
            raise InvalidArguments("The switches leave no tool.", advice="Name more, or exclude less.")
        return Offer(names=left)


def _set(given: str | None, otherwise: str | None) -> str | None:
    return next((names for names in map(_filled, (given, otherwise)) if names is not None), None)


def _filled(text: str | None) -> str | None:
    """*text* without the names that a client left unfilled; None where no other is left."""
    if text is None or UNFILLED not in text:
        return text
    return ",".join(name for name in text.split(",") if not name.strip().startswith(UNFILLED)) or None


def _names(switch: str, text: str | None, known: Collection[str]) -> list[str] | None:
    if text is None:
        return None
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise InvalidArguments(f"`--{switch}` names nothing.", advice=f"It takes, with commas: {', '.join(known)}.")
    for name in names:
        if name not in known:
            import difflib  # it costs the start more than it is worth

            close = difflib.get_close_matches(name, known, 1)
            meant = f" Did you mean `{close[0]}`?" if close else ""
            shown = "".join(each if each.isprintable() else "?" for each in name)[:64]
            raise InvalidArguments(
                f"`--{switch}` does not know `{shown}`.{meant}", advice=f"It takes, with commas: {', '.join(known)}."
            )
    return names


def _yes(text: str) -> bool:
    if text.strip().startswith(UNFILLED) or text.strip().lower() in NO:
        return False
    if text.strip().lower() in YES:
        return True
    raise InvalidArguments("DAAN_READ_ONLY is neither true nor false.", advice="Set it to true or false, or unset it.")


def _check_variables(environment: Mapping[str, str]) -> None:
    """A variable that nothing reads may be a switch spelled wrongly; the server would do more than it was told."""
    known = OWN_VARIABLES | set(catalog()["variables"])
    for name in filled(environment):
        # In small letters it is another variable, which nothing reads.
        if (name.startswith("DAAN_") or name.upper() in known) and name not in known:
            import difflib

            close = difflib.get_close_matches(name.upper(), known, 1)
            meant = f" Did you mean {close[0]}?" if close else ""
            raise InvalidArguments(
                f"The variable {name} is not a known setting.{meant}",
                advice=f"Unset it. The switches are: {', '.join(SWITCH_VARIABLES)}.",
            )
