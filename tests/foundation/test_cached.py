"""A property that is found once for each object."""

import threading

from mcp_daan.app import App
from mcp_daan.cached import cached_property
from mcp_daan.workspace import Workspace

MEETING = threading.Barrier(2, timeout=10)


class Seeker:
    """Finds its number only while another seeker is finding its own."""

    def __init__(self) -> None:
        self.looked = 0

    @cached_property
    def number(self) -> int:
        """One more each time that it is looked for."""
        MEETING.wait()
        self.looked += 1
        return self.looked


def test_two_objects_look_at_the_same_time_and_each_once() -> None:
    """One that is slow keeps no other waiting."""
    seekers = [Seeker(), Seeker()]
    threads = [threading.Thread(target=lambda each=each: each.number) for each in seekers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert [(each.number, each.looked) for each in seekers] == [(1, 1), (1, 1)]


def test_what_calls_share_is_found_without_a_lock() -> None:
    """The app and the workspace, which every call looks at."""
    found = [getattr(kind, name) for kind, name in ((App, "settings"), (App, "databases"), (Workspace, "apps"))]

    assert [type(each) for each in found] == [cached_property] * 3
