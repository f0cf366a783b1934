"""What wrangler itself says of a configuration."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.node.packages import BIN, installed

QUIET = {"WRANGLER_SEND_METRICS": "false", "CI": "1", "NO_COLOR": "1", "ASTRO_TELEMETRY_DISABLED": "1"}


@dataclass(frozen=True)
class Said:
    """Why wrangler refuses a configuration, or None, and what it warns of."""

    refused: str | None
    warned: str


def wrangler_says(configurations: Sequence[tuple[Path, str | None]]) -> list[Said]:
    """What wrangler says of each (path, environment) when it reads them."""
    asked = "".join(json.dumps({"path": str(path), "env": env}) + "\n" for path, env in configurations)
    done = subprocess.run(
        [BIN / "node", installed("wrangler") / "says.mjs"],
        input=asked,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **QUIET},
    )
    assert done.returncode == 0, done.stderr
    return [Said(**json.loads(line)) for line in done.stdout.splitlines() if line]


def wrangler(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of wrangler in *folder*."""
    command = [BIN / "node", installed("wrangler") / "node_modules/wrangler/bin/wrangler.js", *arguments]
    environment = {**os.environ, **QUIET, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, env=environment)
