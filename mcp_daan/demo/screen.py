"""The walk on a terminal: colours only where there is one."""

import json
import os
import shutil
import sys
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
        arguments = json.dumps(step.arguments, ensure_ascii=False)
        self._line(f"     {step.tool} {arguments}", CYAN)

    def answer(self, step: Step, answer: Answer, faults: Sequence[str]) -> None:
        """Show the answer: its sentence, its most telling lines, and whether it is as expected."""
        self._line(f"     {answer.get('summary', '')}")
        if not faults:
            lines = list(step.telling(answer))
            for line in lines[:LINES]:
                self._line(f"       {line}", DIM)
            if len(lines) > LINES:
                self._line(f"       and {len(lines) - LINES} more", DIM)
        for fault in faults:
            self._line(f"     not as expected: {fault}", RED)

    def closing(self, folder: Path, wrong: Sequence[str]) -> None:
        """Say how it ended, and what to try next."""
        self._line("")
        if wrong:
            self._line(f"The demo stopped: {wrong[0]}", RED)
            self._line("`mcp-daan doctor` tells what is missing.")
            return
        self._line(f"All {len(STEPS)} steps are green.", GREEN)
        self._line(f'Try next: mcp-daan call tokens_health \'{{"state": "refresh_stuck"}}\' --workspace {folder}')
        self._line("Then your own: cd to your repository and run `mcp-daan doctor`.")

    def _line(self, text: str, colour: str | None = None) -> None:
        if self._quiet:
            return
        # Answers hold text of databases and documents: nothing of it may steer the terminal.
        text = "".join(each if each.isprintable() else " " for each in text)
        if len(text) > self._width and text.startswith(" "):
            text = f"{text[: self._width - 3]}..."
        if colour and self._coloured and text:
            text = f"\x1b[{colour}m{text}\x1b[0m"
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
