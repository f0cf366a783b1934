"""What tests of replicas share with those of serving."""

from tests.http.conftest import demo, server

__all__ = ["demo", "server"]
