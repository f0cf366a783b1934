"""The walk on a terminal: colours only where there is one."""

import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from mcp_daan.demo.steps import STEPS, Answer, Step

LINES = 6
BOLD, DIM, GREEN, RED, CYAN = "1", "2", "32", "31", "36"


class Screen:
    """Writes the walk to stdout; nothing when *quiet*."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._width = max(60, min(shutil.get_terminal_size((120, 24)).columns, 140))

    def opening(self, folder: Path, steps: int) -> None:
        """Say what follows."""
        self._line(f"Demo workspace: {folder}", BOLD)
        self._line(f"A real server runs as a child process; {steps} calls go to it as MCP over stdio.", DIM)

    def step(self, number: int, step: Step) -> None:
        """Say what is called now."""
        self._line("")
        self._line(f"{number}/{len(STEPS)}  {step.title}", BOLD)
        self._line(f"     {step.tool} {json.dumps(step.arguments, ensure_ascii=False)}", CYAN)

    def answer(self, step: Step, answer: Answer, faults: Sequence[str]) -> None:
        """Show the answer: its sentence and its most telling lines, or what is not as expected."""
        self._line(f"     {answer.get('summary', '')}")
        for fault in faults:
            self._line(f"     not as expected: {fault}", RED)
        lines = [] if faults else list(step.telling(answer))
        for line in lines[:LINES]:
            self._line(f"       {line}", DIM)
        if len(lines) > LINES:
            self._line(f"       and {len(lines) - LINES} more", DIM)

    def closing(self, folder: Path, wrong: Sequence[str]) -> None:
        """Say how it ended, and what to try next."""
        self._line("")
        if wrong:
            self._line(f"The demo stopped: {wrong[0]}", RED)
            self._line(f"`{_program()} doctor --workspace {shlex.quote(str(folder))}` tells what is missing.")
            return
        self._line(f"All {len(STEPS)} steps are green.", GREEN)
        self._line("Try next:")
        asked = shlex.quote('{"state": "refresh_stuck"}')
        self._line(f"  {_program()} call tokens_health {asked} --workspace {shlex.quote(str(folder))}")
        self._line(f"  {_program()} doctor, in a repository of your own")

    def _line(self, text: str, colour: str | None = None) -> None:
        if self._quiet:
            return
        # Answers hold text of databases and documents: nothing of it may steer the terminal.
        text = "".join(each if each.isprintable() else " " for each in text)
        indent = " " * (len(text) - len(text.lstrip()) + 2)
        # What is to be copied stays on one line.
        lines = (
            [text]
            if not text.startswith("     ")
            else textwrap.wrap(
                text, self._width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            )
        )
        for line in lines:
            coloured = f"\x1b[{colour}m{line}\x1b[0m" if colour and self._coloured else line
            sys.stdout.write(f"{coloured}\n")
        sys.stdout.flush()


def _program() -> str:
    """How this program was called, to be typed again."""
    called = Path(sys.argv[0])
    if not called.name.startswith("mcp-daan"):
        return f"{shlex.quote(sys.executable)} -m mcp_daan"
    if shutil.which(called.name) == str(called):
        return called.name
    return shlex.quote(str(called))
