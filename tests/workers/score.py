"""Faults planted, faults found, false alarms: `python -m tests.workers.score`."""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.workers.planted import CLEAN, FAULTS, checked, found, planted


def main() -> None:
    """Print the score, and what is missed or too much."""
    alarms = [(folder.name, *each) for folder in CLEAN for each in found(checked(folder))]
    hits: Counter[str] = Counter()
    wrong = []
    for fault in FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            seen = found(checked(planted(fault, Path(folder).resolve())))
        hit = (fault.code, fault.path, fault.line) in seen
        hits[fault.code] += hit
        extra = [each for each in seen if each != (fault.code, fault.path, fault.line) and each[0] not in fault.also]
        if not hit or extra:
            wrong.append((fault.code, fault.path, fault.line, "found" if hit else "MISSED", seen))
    for each in (*alarms, *wrong):
        sys.stdout.write(f"{each}\n")
    sys.stdout.write(
        f"planted {len(FAULTS)} faults of {len(hits)} codes, found {sum(hits.values())} at their lines;"
        f" {len(CLEAN)} clean workspaces, {len(alarms)} false alarms; {len(wrong)} with more or less than was planted\n"
    )


if __name__ == "__main__":
    main()
