"""The special engines, in the order they are asked."""

from __future__ import annotations

from routing.solver.echelons.engine import ENGINE as ECHELONS
from routing.solver.pairs.engine import ENGINE as PAIRS
from routing.solver.portfolio import Engine
from routing.solver.relay.engine import ENGINE as RELAY
from routing.solver.rounds_pool.engine import ENGINE as ROUNDS_POOL

ENGINES: tuple[Engine, ...] = (ECHELONS, ROUNDS_POOL, PAIRS, RELAY)
