"""Lets tests make hundreds of applications quickly; whoever makes one calls `use`.

FastAPI works out anew what each of some two hundred routes takes whenever an application gets its
first request. That depends on the route alone, so it is kept. Passwords are hashed at the least
cost, still as argon2id; `tests/ingest/test_accounts.py` holds the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from argon2 import PasswordHasher
from fastapi import routing

from ingest.accounts import passwords

REAL, REAL_NOBODY = passwords._HASHER, passwords._NOBODY
_work_out = routing._build_dependant_with_parameterless_dependencies
_known: dict[tuple[object, ...], tuple[object, Any]] = {}


def _kept(*, path: str, call: Callable[..., Any], dependencies: Sequence[Any]) -> Any:
    key = (path, call, *map(id, dependencies))
    if key not in _known:  # with the dependencies, so that nothing else gets their ids
        found = _work_out(path=path, call=call, dependencies=dependencies)
        _known[key] = (list(dependencies), found)
    return _known[key][1]


def use() -> None:
    """Hurry from now on."""
    if passwords._HASHER is REAL:
        routing._build_dependant_with_parameterless_dependencies = _kept
        passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        passwords._NOBODY = passwords._HASHER.hash("nobody's")
