"""How long `tokens_health` takes beside the bare floor: read the rows, open both values, and nothing else.

    python bench/tokens.py [--connections 100000] [--times 5] [--form b64] [--key right] [--growth]

The table, its tokens and their key are made for the run, in a folder that is removed. Times are of the processor, so a
busy machine disturbs them little; each call is measured right after a floor, and the ratio is told with its range.
"""

import argparse
import base64
import binascii
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import apsw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcp_daan.app import App
from mcp_daan.tools.tokens import tokens_health

COLUMNS = (
    "id INTEGER PRIMARY KEY, user_id INTEGER, provider TEXT, external_user_id TEXT, status TEXT, access_token_enc TEXT,"
    " refresh_token_enc TEXT, token_expires_at TEXT, last_refreshed_at TEXT, last_error TEXT, last_error_at TEXT,"
    " refresh_failures INTEGER, created_at TEXT"
)
GROWTH = (1_000, 10_000, 100_000, 1_000_000)
Parts = tuple[bytes, bytes, bytes]


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


# How a value is written, and how the floor takes it apart.
FORMS: dict[str, tuple[Callable[[bytes, bytes], str], Callable[[str], tuple[bytes, bytes]]]] = {
    "b64": (
        lambda nonce, body: base64.b64encode(nonce + body).decode(),
        lambda text: (lambda raw: (raw[:12], raw[12:]))(binascii.a2b_base64(text)),
    ),
    "hex": (
        lambda nonce, body: (nonce + body).hex(),
        lambda text: (lambda raw: (raw[:12], raw[12:]))(bytes.fromhex(text)),
    ),
    "v1": (
        lambda nonce, body: f"v1:{_url(nonce)}:{_url(body)}",
        lambda text: tuple(base64.urlsafe_b64decode(part + "==") for part in text.split(":")[1:]),
    ),
    "json": (
        lambda nonce, body: json.dumps(
            {"iv": base64.b64encode(nonce).decode(), "data": base64.b64encode(body).decode()}
        ),
        lambda text: (lambda read: (binascii.a2b_base64(read["iv"]), binascii.a2b_base64(read["data"])))(
            json.loads(text)
        ),
    ),
}


def main() -> int:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5, help="how often each is measured")
    parser.add_argument("--form", choices=FORMS, default="b64", help="how the values are sealed")
    parser.add_argument("--key", choices=("right", "wrong"), default="right", help="the key at hand")
    parser.add_argument("--growth", action="store_true", help="from a thousand to a million connections")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.peak:
        return _print_peak(chosen.peak)
    sys.stdout.write(
        f"{'connections':>11}  {'floor':>8}  {'tokens_health':>13}  {'ratio':>5}  {'range':>11}  {'peak':>7}\n"
    )
    for count in GROWTH if chosen.growth else (chosen.connections,):
        sys.stdout.write(_line(count, chosen.times if count <= 100_000 else 1, chosen.form, chosen.key))
        sys.stdout.flush()
    return 0


def _line(count: int, times: int, form: str, which: str) -> str:
    floors, calls, peak = beside_floor(count, times, form, which)
    ratios = sorted(call / floor for call, floor in zip(calls, floors, strict=True))
    return (
        f"{count:>11,}  {median(floors):>6.2f} s  {median(calls):>11.2f} s  {median(ratios):>5.2f}"
        f"  {ratios[0]:.2f} - {ratios[-1]:.2f}  {peak:>4.0f} MB\n"
    )


def beside_floor(
    count: int, times: int, form: str = "b64", which: str = "right"
) -> tuple[list[float], list[float], float]:
    """Seconds of the floors and of the calls on so many connections, and the most MB that one call took."""
    with tempfile.TemporaryDirectory() as folder:
        key = AESGCM.generate_key(256)
        file = Path(folder) / "portal.sqlite"
        _make(file, count, key, form)
        (Path(folder) / "daan.toml").write_text('[d1.databases.portal]\npath = "portal.sqlite"\n', encoding="utf-8")
        given = key if which == "right" else AESGCM.generate_key(256)
        floors, calls = [], []
        app = App(folder, {"TOKEN_ENCRYPTION_KEY": given.hex(), "HOME": folder})
        for _ in range(times + 1):
            floors.append(_timed(lambda: _floor(file, given, form)))
            calls.append(_timed(lambda: _called(app, count)))
        app.close()
        # The first time pays for imports and for what the system had not read yet.
        return floors[1:], calls[1:], _peak(folder, given)


def _make(file: Path, count: int, key: bytes, form: str) -> None:
    cipher, write = AESGCM(key), FORMS[form][0]
    now = datetime.now(UTC)

    def sealed(token: str) -> str:
        nonce = os.urandom(12)
        return write(nonce, cipher.encrypt(nonce, token.encode(), None))

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(count):
            # One in a hundred is behind, one in a hundred failed.
            age = 9000 if number % 100 == 7 else 30 + number % 270
            last = now - timedelta(seconds=age)
            failed = number % 100 == 9
            yield (
                None, number % 500, "exact-online", f"user-{number}", "active",
                sealed(f"stampNL001.{number:07}!access{'x' * 200}"), sealed(f"stampNL001.{number:07}!refresh{'x' * 80}"),
                f"{last + timedelta(seconds=600):%Y-%m-%dT%H:%M:%SZ}", f"{last:%Y-%m-%dT%H:%M:%SZ}",
                "503 Service Unavailable" if failed else None,
                f"{now:%Y-%m-%dT%H:%M:%SZ}" if failed else None, int(failed), "2026-01-01T00:00:00Z",
            )  # fmt: skip

    database = apsw.Connection(str(file))
    database.execute(f"CREATE TABLE connections ({COLUMNS})")
    with database:
        database.executemany(f"INSERT INTO connections VALUES ({','.join('?' * 13)})", rows())
    database.close()


def _floor(file: Path, key: bytes, form: str) -> None:
    """What nobody can leave out: read the rows, take each value apart, open it."""
    take_apart = FORMS[form][1]
    database = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    opens = AESGCM(key).decrypt
    for row in database.execute("SELECT * FROM connections"):
        for value in row[5:7]:
            nonce, body = take_apart(value)
            try:
                opens(nonce, body, None)
            except InvalidTag:
                continue
    database.close()


def _called(app: App, count: int) -> None:
    data = tokens_health(app.for_call(), limit=50).data
    assert sum(data.counts.values()) == count, "a connection was lost"


def _timed(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _peak(folder: str, key: bytes) -> float:
    """The most memory that a process of its own has for one call, everything included."""
    command = [sys.executable, __file__, "--peak", folder]
    environment = {**os.environ, "TOKEN_ENCRYPTION_KEY": key.hex(), "HOME": folder}
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def _print_peak(folder: str) -> int:
    app = App(folder)
    tokens_health(app, limit=50)
    app.close()
    unit = 1024 if sys.platform == "darwin" else 1
    sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit / 1024))
    return 0


if __name__ == "__main__":
    sys.exit(main())
