"""The command line with every library's log at its loudest, and with the system made to fail where it is asked to."""

import hashlib
import json
import logging
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

# What is planted in the failure itself, so that its text and the locals round it are secret.
SECRET = os.environ.pop("CANARY_SECRET", "")
FAULTS = [fault for fault in os.environ.pop("CANARY_FAULTS", "").split(",") if fault]


def fail(*arguments: Any, **named: Any) -> Any:
    """Fail with the secret in the text of the failure, in its cause and in a variable."""
    held = SECRET
    try:
        raise KeyError(held)
    except KeyError as cause:
        raise RuntimeError(f"failed on {held}") from cause


def failing_in_tools(whole: Callable[..., Any]) -> Callable[..., Any]:
    """*whole*, which fails where a tool calls for it."""

    def either(*arguments: Any, **named: Any) -> Any:
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            if frame.f_globals.get("__name__", "").startswith("mcp_daan.tools."):
                return fail(*arguments, **named)
            frame = frame.f_back
        return whole(*arguments, **named)

    return either


def main() -> int:
    """Run it."""
    from mcp_daan import cli
    from mcp_daan.tools import all_tools

    all_tools()
    loud = logging.basicConfig
    logging.basicConfig = lambda **how: loud(**{**how, "level": logging.DEBUG})  # type: ignore[assignment]
    places = {
        "scandir": (os, "scandir", fail),
        "blake2b": (hashlib, "blake2b", fail),
        "sha256": (hashlib, "sha256", fail),
        "dumps": (json, "dumps", fail),
        "dumps in tools": (json, "dumps", failing_in_tools(json.dumps)),
    }
    for fault in FAULTS:
        owner, name, failing = places[fault]
        setattr(owner, name, failing)
    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
