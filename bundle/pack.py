"""Pack the bundle that Claude Desktop installs: the manifest, this package's source, and its knowledge.

python bundle/pack.py FILE.mcpb
"""

import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("mcp_daan", "knowledge")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
# The same sources give the same bytes: no time of the machine goes in.
MOMENT = (2020, 1, 1, 0, 0, 0)


def main() -> int:
    """Write the bundle and say where it is."""
    if len(sys.argv) != 2:
        sys.stderr.write(f"{__doc__}")
        return 2
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in contents():
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, content, zipfile.ZIP_DEFLATED)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    sys.stdout.write(f"{target}: mcp-daan {version}, {target.stat().st_size // 1024} KiB\n")
    return 0


def contents() -> list[tuple[str, bytes]]:
    """What the bundle holds, by name, in order."""
    paths = [ROOT / name for name in FILES]
    paths += [
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    ]
    named = {path.relative_to(ROOT).as_posix(): path for path in paths}
    named["manifest.json"] = ROOT / "bundle" / "manifest.json"
    return [(name, named[name].read_bytes()) for name in sorted(named)]


if __name__ == "__main__":
    sys.exit(main())
