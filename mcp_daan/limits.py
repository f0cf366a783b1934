"""Cloudflare's limits as of one day: what documents, configurations and bundles are held against."""

from dataclasses import dataclass
from typing import Literal

# When the values were taken from the vendor's pages.
AS_OF = "2026-11-22"
_PAGES = "https://developers.cloudflare.com"
Product = Literal["d1", "workers", "kv", "queues"]
Unit = Literal["bytes", "seconds", "days", "pieces"]
KB, MB, GB = 10**3, 10**6, 10**9
MIB = 2**20


@dataclass(frozen=True)
class Limit:
    """One limit, and the values that are right, in bytes, seconds, days or pieces.

    A value is right when it holds for any plan or setting; `today` says it in words.
    """

    name: str
    product: Product
    unit: Unit
    right: tuple[float, ...]
    today: str

    @property
    def source(self) -> str:
        """Where today's value is published."""
        return f"{_PAGES}/{self.product}/platform/limits/"

    @property
    def most(self) -> float:
        """What no plan or setting exceeds."""
        return max(self.right)


LIMITS = {
    "worker_size": Limit("Worker size", "workers", "bytes", (64 * MIB,), "64 MiB uncompressed, on every plan"),
    "memory": Limit("memory of a Worker", "workers", "bytes", (128 * MB,), "128 MB for an isolate"),
    "cpu_time": Limit(
        "CPU time",
        "workers",
        "seconds",
        (0.01, 30, 300, 900),
        "10 ms on the Free plan, 30 s by default and at most 5 minutes on the Paid one, 15 minutes for a cron trigger",
    ),
    "startup_time": Limit("startup time", "workers", "seconds", (1,), "1 second"),
    "subrequests": Limit(
        "subrequests of an invocation",
        "workers",
        "pieces",
        (50, 10_000, 10_000_000),
        "50 on the Free plan, 10,000 on the Paid one unless `limits.subrequests` says otherwise",
    ),
    "cron_triggers": Limit(
        "cron triggers of an account", "workers", "pieces", (5, 250), "5 on the Free plan, 250 on the Paid one"
    ),
    "variables": Limit(
        "environment variables of a Worker", "workers", "pieces", (64, 128), "64 on the Free plan, 128 on the Paid one"
    ),
    "database_size": Limit(
        "database size", "d1", "bytes", (10 * GB, 500 * MB), "10 GB on the Paid plan, 500 MB on the Free one"
    ),
    "databases": Limit(
        "databases of an account", "d1", "pieces", (10, 50_000), "50,000 on the Paid plan, 10 on the Free one"
    ),
    "row_size": Limit("size of a row, text or blob", "d1", "bytes", (2 * MB,), "2,000,000 bytes"),
    "statement_length": Limit("length of a SQL statement", "d1", "bytes", (100 * KB,), "100,000 bytes"),
    "parameters": Limit("bound parameters of a statement", "d1", "pieces", (100,), "100"),
    "columns": Limit("columns of a table", "d1", "pieces", (100,), "100"),
    "queries": Limit(
        "queries of a Worker invocation", "d1", "pieces", (1000, 50), "1,000 on the Paid plan, 50 on the Free one"
    ),
    "query_duration": Limit("duration of a query", "d1", "seconds", (30,), "30 seconds"),
    "time_travel": Limit("Time Travel", "d1", "days", (30, 7), "30 days on the Paid plan, 7 on the Free one"),
    "value_size": Limit("value size", "kv", "bytes", (25 * MIB,), "25 MiB"),
    "key_size": Limit("key size", "kv", "bytes", (512,), "512 bytes"),
    "key_metadata": Limit("metadata of a key", "kv", "bytes", (1024,), "1,024 bytes"),
    "variable_size": Limit("size of an environment variable", "workers", "bytes", (5 * KB,), "5 KB"),
    "cpu_setting": Limit("CPU time of `limits.cpu_ms`", "workers", "seconds", (300,), "300,000 ms on the Paid plan"),
    "asset_files": Limit(
        "number of static assets",
        "workers",
        "pieces",
        (20_000, 100_000),
        "20,000 files on the Free plan, 100,000 on the Paid one",
    ),
    "asset_size": Limit("size of a static asset", "workers", "bytes", (25 * MIB,), "25 MiB a file"),
    "batch_size": Limit("messages of a batch", "queues", "pieces", (100,), "100 messages"),
    "batch_timeout": Limit("time a batch is waited for", "queues", "seconds", (60,), "60 seconds"),
    "retries": Limit("retries of a message", "queues", "pieces", (100,), "100"),
    "concurrency": Limit("consumers of a queue at once", "queues", "pieces", (250,), "250"),
}
