"""Small matrices on one thread: OpenBLAS's threads wait by spinning, which costs more than they bring."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

_P = ParamSpec("_P")
_T = TypeVar("_T")


def on_one_thread(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """A decorator: products of matrices inside run on one thread; their sums then are the same on any machine."""
    one_thread = threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[no-untyped-call]
    limited: Callable[_P, _T] = one_thread(function)
    return limited
