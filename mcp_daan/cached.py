"""A property that is found once for each object, without a lock."""

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functools import cached_property as cached_property
else:

    class cached_property(functools.cached_property):
        """As in Python 3.12 and later.

        Before that, all objects of the class share one lock: a call that looks something up makes every other wait.
        """

        def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
            if instance is None:
                return self
            kept, name = instance.__dict__, self.attrname
            if name not in kept:
                kept[name] = self.func(instance)
            return kept[name]
