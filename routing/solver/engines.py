"""The special engines, in the order they are asked."""

from __future__ import annotations

from routing.solver.portfolio import Engine
from routing.solver.rounds_pool.engine import ENGINE as ROUNDS_POOL

ENGINES: tuple[Engine, ...] = (ROUNDS_POOL,)
