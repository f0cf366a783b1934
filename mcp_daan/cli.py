"""The command line: serve, call, tools, token, demo, doctor, init, index."""

import os
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from mcp_daan import __version__
from mcp_daan.errors import DaanError, InvalidArguments
from mcp_daan.variables import UNFILLED

if TYPE_CHECKING:
    import argparse

SWITCHES = {
    "read_only": "offer no tool that writes, whatever else is said",
    "tools": "offer only these tools, and those of --toolsets; names with commas",
    "exclude_tools": "offer all but these tools",
    "toolsets": "offer only the tools of these sets: knowledge, d1, tokens, infra",
}
COMPLETE, PARTIAL, FAILED, FINDINGS = 0, 1, 2, 3
STATUS = {"complete": COMPLETE, "partial": PARTIAL, "failed": FAILED}


# What was typed, by name.
Chosen = Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; without one, serve MCP over stdio."""
    typed = sys.argv[1:] if arguments is None else arguments
    chosen = _as_clients_start(typed) or _chosen(_parser(), typed)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # JSON is UTF-8, whatever the locale says; an old terminal shows a wrong letter, no traceback.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    command: Callable[[Chosen], int] = getattr(chosen, "command", _serve)
    try:
        return command(chosen)
    except DaanError as error:  # before anything was served or asked: said to the person at the keyboard
        sys.stderr.write(f"mcp-daan: {error.message} {error.advice}\n")
        return FAILED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        return 141
    except Exception as error:  # noqa: BLE001 - a traceback ends in the fault's text, which may quote a value
        from mcp_daan.toolbox import where

        sys.stderr.write(f"mcp-daan failed, which is a fault of its own: {where(error)}\n")
        return FAILED


def _as_clients_start(typed: Sequence[str]) -> Chosen | None:
    """What a client's configuration usually says: nothing, or where the workspace is. The parser costs 15 ms of a start."""
    match typed:
        case [] | ["serve"]:
            return SimpleNamespace(command=_serve)
        case ["--workspace", folder] | ["serve", "--workspace", folder] if not folder.startswith("-"):
            return SimpleNamespace(command=_serve, workspace=folder)
    return None


def _chosen(parser: "argparse.ArgumentParser", arguments: Sequence[str] | None) -> Chosen:
    """What was typed; a switch that nobody knows ends the command, with the ones that it could be."""
    chosen, unknown = parser.parse_known_args(arguments)
    taker: argparse.ArgumentParser = getattr(chosen, "taker", parser)
    known = [name for name in taker._option_string_actions if name.startswith("--")]
    unknown += [
        f"--{name.replace('_', '-')}"
        for name in SWITCHES
        if hasattr(chosen, name) and f"--{name.replace('_', '-')}" not in known
    ]
    words = [word.partition("=")[0] for word in (sys.argv[1:] if arguments is None else arguments)]
    for switch in (f"--{name.replace('_', '-')}" for name in SWITCHES):
        # The second would take the place of the first, and more would be offered than was meant.
        if switch != "--read-only" and words.count(switch) > 1:
            taker.error(f"{switch} is given twice: write its names once, with commas between them")
    for each in unknown:
        import difflib

        close = difflib.get_close_matches(each.partition("=")[0], known, 1)
        meant = f"; did you mean {close[0]}?" if close else ""
        what = "switch" if each.startswith("-") else "argument"
        taker.error(f"unknown {what}: {each}{meant} (known: {', '.join(known)})")
    return chosen


def _parser() -> "argparse.ArgumentParser":
    import argparse

    everywhere, switches = _everywhere(), _offering()
    parser = argparse.ArgumentParser(
        "mcp-daan",
        description="Trustworthy knowledge of a team's Cloudflare infrastructure, over MCP.",
        parents=[everywhere, switches],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"mcp-daan {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Callable[[Chosen], int], what: str, *more: Any) -> "argparse.ArgumentParser":
        sub = commands.add_parser(
            name,
            help=what,
            description=what[0].upper() + what[1:] + ".",
            parents=[everywhere, *more],
            allow_abbrev=False,
        )
        sub.set_defaults(command=command, taker=sub)
        return sub

    serve = add("serve", _serve, "serve MCP over stdio (the default), or over HTTP", switches)
    serve.add_argument("--http", metavar="HOST:PORT", help="serve over HTTP, at /mcp")
    serve.add_argument("--workers", type=int, metavar="N", help="how many processes serve over HTTP")
    call = add("call", _call, "run one tool and print its answer", switches)
    call.add_argument("tool", help="a name that `mcp-daan tools` lists")
    call.add_argument("arguments", nargs="?", default="{}", help="a JSON object; - reads it from standard input")
    call.add_argument("--strict", action="store_true", help="exit 3 when the answer holds a finding of severity error")
    add("tools", _tools, "list the tools", switches).add_argument(
        "--json", action="store_true", help="as MCP's tools/list gives them"
    )
    _add_token(add("token", _token, "make, list or revoke tokens for callers over HTTP"))
    _add_once(add)
    return parser


def _add_once(add: Callable[..., "argparse.ArgumentParser"]) -> None:
    """What a person runs now and then."""
    from pathlib import Path

    demo = add("demo", _demo, "make a demo workspace and walk through the main job on it")
    demo.add_argument("--dir", type=Path, metavar="DIR", help="where; default: the user's data folder")
    demo.add_argument("--json", action="store_true", help="print the answers")
    add("doctor", _doctor, "tell what was found, what is missing and how to mend it").add_argument(
        "--json", action="store_true", help="as JSON"
    )
    scrape = add("scrape", _scrape, "fetch pages of listed origins into scraped/, as markdown")
    scrape.add_argument(
        "urls", nargs="+", metavar="URL", help="an https address; [knowledge] scrape_origins lists whose"
    )
    scrape.add_argument("--force", action="store_true", help="replace pages that a person changed")
    scrape.add_argument("--json", action="store_true", help="as JSON")
    add("init", _init, "write a commented daan.toml for this workspace")
    add("index", _index, "read all documents for search by meaning now; needs the extra `semantic`")
    install = add("install", _install, "add this server to a client's configuration")
    install.add_argument("client", choices=("claude-desktop", "claude-code", "cursor", "vscode"))
    either = install.add_mutually_exclusive_group()
    either.add_argument("--print", action="store_true", dest="show", help="only show what would be added")
    either.add_argument("--remove", action="store_true", help="take the server out again")


def _everywhere() -> "argparse.ArgumentParser":
    import argparse

    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--workspace", metavar="DIR", default=argparse.SUPPRESS, help="the team's folder (environment: DAAN_WORKSPACE)"
    )
    return parser


def _offering() -> "argparse.ArgumentParser":
    import argparse

    parser = argparse.ArgumentParser(add_help=False)
    for name, what in SWITCHES.items():
        kind: dict[str, Any] = {"action": "store_true"} if name == "read_only" else {"metavar": "NAMES"}
        parser.add_argument(f"--{name.replace('_', '-')}", default=argparse.SUPPRESS, help=what, **kind)
    return parser


def _add_token(token: "argparse.ArgumentParser") -> None:
    token.add_argument("action", choices=("create", "list", "revoke"))
    token.add_argument("name", nargs="?", help="whose token it is")
    token.add_argument("--scope", action="append", default=[], metavar="SCOPE", help="what it may; again for more")
    token.add_argument("--days", type=int, metavar="N", help="until it expires; without it never")
    token.add_argument("--json", action="store_true", help="list as JSON")


def _serve(chosen: Chosen) -> int:
    switches = _switches(chosen)
    place, workers = _given(getattr(chosen, "http", None)), getattr(chosen, "workers", None)
    if place is not None:
        from mcp_daan.server.http.serving import serve_http

        return serve_http(_app(chosen), switches, place, 1 if workers is None else workers)
    if workers is not None:
        raise InvalidArguments("`--workers` is for `--http`.", advice="Add `--http HOST:PORT`, or leave it out.")
    from mcp_daan.server.stdio import serve

    serve(lambda: _app(chosen), switches.offer())
    return 0


def _call(chosen: Chosen) -> int:
    from mcp_daan.toolbox import refusal, run

    app = _app(chosen)
    bar = _Bar()
    arguments: dict[str, Any] = {}
    try:
        arguments = _object(sys.stdin.buffer.read() if chosen.arguments == "-" else chosen.arguments)
        said = run(_tool(_switches(chosen).offer(), chosen.tool), app.for_call(bar.show), arguments)
    except DaanError as error:
        said = refusal(error, arguments)
    finally:
        bar.clear()
        app.close()
    sys.stdout.write(said.text + "\n")
    if chosen.strict and not said.failed and _has_error(said.answer["data"]):
        return FINDINGS
    return STATUS[said.answer["status"]]


def _tool(offer: Any, name: str) -> Any:
    from mcp_daan.errors import NotFound

    tool = offer.find(name)
    if tool is None:
        raise NotFound("There is no such tool.", advice=f"The tools are: {', '.join(offer.tools)}.")
    return tool


def _object(text: str | bytes) -> dict[str, Any]:
    import json

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


def _tools(chosen: Chosen) -> int:
    tools = _switches(chosen).offer().tools.values()
    if chosen.json:
        import json

        from mcp_daan.server.calls import listed

        sys.stdout.write(json.dumps(listed(tools), ensure_ascii=False, indent=2) + "\n")
        return 0
    for tool in tools:
        sys.stdout.write(f"{tool.name:20} {tool.description.splitlines()[0]}\n")
    return 0


def _demo(chosen: Chosen) -> int:
    from mcp_daan.demo import run

    return run(chosen.dir, chosen.json)


def _doctor(chosen: Chosen) -> int:
    from mcp_daan.setup.doctor import run

    return run(_app(chosen), chosen.json)


def _scrape(chosen: Chosen) -> int:
    from mcp_daan.setup.scrape import run

    return run(_app(chosen), chosen.urls, force=chosen.force, as_json=chosen.json)


def _init(chosen: Chosen) -> int:
    from mcp_daan.setup.init import run

    return run(_app(chosen))


def _index(chosen: Chosen) -> int:
    from mcp_daan.setup.index import run

    bar = _Bar()
    try:
        return run(_app(chosen), bar.show)
    finally:
        bar.clear()


def _install(chosen: Chosen) -> int:
    from mcp_daan.setup.install import run

    return run(_app(chosen), chosen.client, remove=chosen.remove, show=chosen.show)


def _token(chosen: Chosen) -> int:
    from mcp_daan.server.http.token_command import run

    return run(_app(chosen), chosen.action, chosen.name, chosen.scope, chosen.days, chosen.json)


def _app(chosen: Chosen) -> Any:
    from mcp_daan.app import App

    return App(_given(getattr(chosen, "workspace", None)))


def _switches(chosen: Chosen) -> Any:
    from mcp_daan.server.switches import Switches

    return Switches(**{name: getattr(chosen, name) for name in SWITCHES if hasattr(chosen, name)}).over(os.environ)


def _given(value: str | None) -> str | None:
    """What a client left unfilled was not given."""
    return None if value is None or value.startswith(UNFILLED) else value


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
