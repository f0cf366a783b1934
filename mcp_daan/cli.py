"""The command line: serve, call, tools, demo, doctor, init."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from mcp_daan import __version__

COMPLETE, PARTIAL, FAILED, FINDINGS = 0, 1, 2, 3
STATUS = {"complete": COMPLETE, "partial": PARTIAL, "failed": FAILED}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; without one, serve MCP over stdio."""
    chosen = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # JSON is UTF-8, whatever the locale says; an old terminal shows a wrong letter, no traceback.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    command: Callable[[argparse.Namespace], int] = getattr(chosen, "command", _serve)
    try:
        return command(chosen)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        return 141


def _parser() -> argparse.ArgumentParser:
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument(
        "--workspace", metavar="DIR", default=argparse.SUPPRESS, help="the team's folder (environment: DAAN_WORKSPACE)"
    )
    parser = argparse.ArgumentParser(
        "mcp-daan",
        description="Trustworthy knowledge of a team's Cloudflare infrastructure, over MCP.",
        parents=[everywhere],
    )
    parser.add_argument("--version", action="version", version=f"mcp-daan {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], what: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".", parents=[everywhere])
        sub.set_defaults(command=command)
        return sub

    add("serve", _serve, "serve MCP over stdio (the default)")
    call = add("call", _call, "run one tool and print its answer")
    call.add_argument("tool", help="a name that `mcp-daan tools` lists")
    call.add_argument("arguments", nargs="?", default="{}", help="a JSON object; - reads it from standard input")
    call.add_argument("--strict", action="store_true", help="exit 3 when the answer holds a finding of severity error")
    add("tools", _tools, "list the tools").add_argument(
        "--json", action="store_true", help="as MCP's tools/list gives them"
    )
    demo = add("demo", _demo, "make a demo workspace and walk through the main job on it")
    demo.add_argument("--dir", type=Path, metavar="DIR", help="where; default: the user's data folder")
    demo.add_argument("--json", action="store_true", help="print the answers")
    add("doctor", _doctor, "tell what was found, what is missing and how to mend it").add_argument(
        "--json", action="store_true", help="as JSON"
    )
    add("init", _init, "write a commented daan.toml for this workspace")
    return parser


def _serve(chosen: argparse.Namespace) -> int:
    from mcp_daan.server.stdio import serve

    serve(_app(chosen))
    return 0


def _call(chosen: argparse.Namespace) -> int:
    from mcp_daan.errors import DaanError
    from mcp_daan.protocol import to_json
    from mcp_daan.toolbox import refusal, run
    from mcp_daan.tools import all_tools

    app = _app(chosen)
    bar = _Bar()
    arguments: dict[str, Any] = {}
    try:
        arguments = _object(sys.stdin.buffer.read() if chosen.arguments == "-" else chosen.arguments)
        answer = run(_tool(all_tools(), chosen.tool), app.for_call(bar.show), arguments)
    except DaanError as error:
        answer = refusal(error, arguments)
    finally:
        bar.clear()
        app.close()
    sys.stdout.write(to_json(answer.model_dump(by_alias=True)) + "\n")
    if chosen.strict and answer.status != "failed" and _has_error(answer.data):
        return FINDINGS
    return STATUS[answer.status]


def _tool(tools: dict[str, Any], name: str) -> Any:
    from mcp_daan.errors import NotFound

    if name not in tools:
        raise NotFound("There is no such tool.", advice=f"The tools are: {', '.join(tools)}.")
    return tools[name]


def _object(text: str | bytes) -> dict[str, Any]:
    from mcp_daan.errors import InvalidArguments

    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: nested deeper than any arguments are
        arguments = None
    if not isinstance(arguments, dict):
        raise InvalidArguments(
            "The arguments are not a JSON object.", advice="""Write them like '{"query": "row limits"}'."""
        )
    return arguments


def _has_error(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_has_error, value))
    if not isinstance(value, dict):
        return False
    holds = value.get("ok") is True or value.get("status") == "pass"
    return (value.get("severity") == "error" and not holds) or any(map(_has_error, value.values()))


def _tools(chosen: argparse.Namespace) -> int:
    if chosen.json:
        from mcp_daan.server.calls import listed

        sys.stdout.write(json.dumps(listed(), ensure_ascii=False, indent=2) + "\n")
        return 0
    from mcp_daan.tools import all_tools

    for tool in all_tools().values():
        sys.stdout.write(f"{tool.name:20} {tool.description.splitlines()[0]}\n")
    return 0


def _demo(chosen: argparse.Namespace) -> int:
    from mcp_daan.demo import run

    return run(chosen.dir, chosen.json)


def _doctor(chosen: argparse.Namespace) -> int:
    from mcp_daan.setup.doctor import run

    return run(_app(chosen), chosen.json)


def _init(chosen: argparse.Namespace) -> int:
    from mcp_daan.setup.init import run

    return run(_app(chosen))


def _app(chosen: argparse.Namespace) -> Any:
    from mcp_daan.app import App

    return App(getattr(chosen, "workspace", None))


class _Bar:
    """A progress bar on the terminal; nothing where stderr is not one."""

    WIDTH = 24

    def __init__(self) -> None:
        self.shown = False

    def show(self, done: float, total: float | None, message: str) -> None:
        """Draw *done* of *total*; without a total only the number is known."""
        if not sys.stderr.isatty():
            return
        filled = int(self.WIDTH * min(done / total, 1)) if total else 0
        bar = f"[{'#' * filled}{'.' * (self.WIDTH - filled)}] {done:.0f}/{total:.0f}" if total else f"{done:.0f}"
        sys.stderr.write(f"\r\x1b[K{bar} {message[:60]}")
        sys.stderr.flush()
        self.shown = True

    def clear(self) -> None:
        """Take the bar away."""
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
