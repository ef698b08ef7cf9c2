"""What threads and forked processes share is made once, and met whole.

Python's own `cached_property` holds a lock before Python 3.12, which a child forked
in the meantime would inherit locked.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401 - its lock, as that of logging, comes after ours
import logging  # noqa: F401 - at a fork: what registers first is taken last
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar, overload

__all__ = ["cached_property", "compile_lock", "hold_at_fork"]

T = TypeVar("T")

# Held while the compiler is loaded or at work, and while the process forks. It is taken
# before the compiler's own locks, never after them.
compile_lock = threading.RLock()

_held: list[AbstractContextManager] = [compile_lock]
_taken: list[AbstractContextManager] = []


def hold_at_fork(*locks: AbstractContextManager) -> None:
    """Have the process fork only while no other thread holds these locks, which are
    taken in the order in which they came here."""
    _held.extend(locks)


def _take() -> None:
    for lock in tuple(_held):
        lock.__enter__()
        _taken.append(lock)


def _give() -> None:
    while _taken:
        _taken.pop().__exit__(None, None, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take, after_in_parent=_give, after_in_child=_give)


class cached_property(Generic[T]):
    """A property computed when first asked for; all threads get the same object.

    It takes no lock: threads that ask at the same time compute it twice.
    """

    def __init__(self, make: Callable[[Any], T]):
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> cached_property[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance, owner):
        if instance is None:
            return self
        value = self._make(instance)
        return instance.__dict__.setdefault(self._name, value)
