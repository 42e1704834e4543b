# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays kept for their next use, the longest unused ones dropped first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from numpy.typing import NDArray


class ByteCache:
    """Holds arrays up to a number of bytes; may be used from several threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """Bytes."""
        self._size = 0
        self._arrays: OrderedDict[Hashable, NDArray] = OrderedDict()
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Bytes held now; never more than `limit`."""
        return self._size

    def get(self, key: Hashable, make: Callable[[], NDArray]) -> NDArray:
        """Return the array of this key, made by `make` unless it is held.

        Two threads that ask for one key at the same time may both make it; what is larger than
        the limit is returned and not held.
        """
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key]
        array = make()
        with self._lock:
            if key not in self._arrays and array.nbytes <= self.limit:
                self._arrays[key] = array
                self._size += array.nbytes
                while self._size > self.limit:
                    _, dropped = self._arrays.popitem(last=False)
                    self._size -= dropped.nbytes
        return array
