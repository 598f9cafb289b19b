"""Turn restrictions of OSM relations → TurnBan.

Read are ``type=restriction`` relations with ``restriction=no_*`` or ``only_*`` (also ``restriction:hgv`` and
``restriction:motorcar``, and ``except=*``), from one way to another over a node or over ways that follow each other.
What cannot be used is counted, not guessed: incomplete relations, ways that pass through the junction instead of ending
there, restrictions that hold at certain times only. Tag meanings: OpenStreetMap wiki, Relation:restriction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import osmium

from geodata.streets import StreetNetwork
from geodata.turns import Run, TurnBan

_MOTOR_EXCEPTIONS = frozenset(("motorcar", "motor_vehicle", "vehicle"))
_HEAVY_EXCEPTIONS = frozenset(("hgv", "goods", "motor_vehicle", "vehicle"))
_HEAVY_KEYS = ("restriction:hgv", "restriction:goods")
_MOTOR_KEYS = ("restriction:motorcar",)
_TIMED_KEYS = ("restriction:conditional", "day_on", "hour_on")

USED = "turn restrictions"
TIMED = "turn restrictions at certain times, ignored"
INCOMPLETE = "turn restrictions without from, via or to, ignored"
UNCLEAR = "turn restrictions whose ways do not end at the junction, ignored"
UNKNOWN = "turn restrictions of unknown kind, ignored"


@dataclass(frozen=True, slots=True)
class TurnRestriction:
    """One restriction relation as tagged; `via` holds a node id or, where `via_ways`, way ids in driving order."""

    relation_id: int
    kind: str
    motor: bool
    heavy: bool
    from_ways: tuple[int, ...]
    via: tuple[int, ...]
    via_ways: bool
    to_ways: tuple[int, ...]


def read_turn_restrictions(path: Path) -> tuple[list[TurnRestriction], Counter[str]]:
    """Return the restrictions that bind motor vehicles, and how many had to be left out, by why."""
    found, notes = [], Counter[str]()
    relations: Any = osmium.FileProcessor(str(path), osmium.osm.RELATION)
    for relation in relations.with_filter(osmium.filter.TagFilter(("type", "restriction"))):
        tags = {tag.k: tag.v for tag in relation.tags}
        members = [(member.type, member.role, member.ref) for member in relation.members]
        restriction, why_not = parse_restriction(relation.id, tags, members)
        if restriction is not None:
            found.append(restriction)
        elif why_not:
            notes[why_not] += 1
    return found, notes


def parse_restriction(
    relation_id: int, tags: Mapping[str, str], members: Sequence[tuple[str, str, int]]
) -> tuple[TurnRestriction | None, str]:
    """Return a relation's restriction, or None and why not ("" where it does not concern motor vehicles).

    Parameters
    ----------
    members
        (``n``, ``w`` or ``r``; role; id) in order.
    """
    kind, motor, heavy = _kind_and_modes(tags)
    if not kind:
        return None, TIMED if any(key in tags for key in _TIMED_KEYS) else ""
    if not (motor or heavy):
        return None, ""
    if any(key in tags for key in _TIMED_KEYS):
        return None, TIMED
    if not kind.startswith(("no_", "only_")):
        return None, UNKNOWN
    sources, targets = (tuple(ref for what, is_role, ref in members if (what, is_role) == ("w", role))
                        for role in ("from", "to"))  # fmt: skip
    via = [(what, ref) for what, role, ref in members if role == "via" and what in ("n", "w")]
    over_ways = bool(via) and all(what == "w" for what, _ in via)
    if not sources or not targets or not via or not (over_ways or (len(via) == 1 and via[0][0] == "n")):
        return None, INCOMPLETE
    nodes_or_ways = tuple(ref for _, ref in via)
    return TurnRestriction(relation_id, kind, motor, heavy, sources, nodes_or_ways, over_ways, targets), ""


def _kind_and_modes(tags: Mapping[str, str]) -> tuple[str, bool, bool]:
    """Return the kind of restriction and whether it binds light and heavy motor vehicles; "" for no kind."""
    exempt = {value.strip() for value in tags.get("except", "").split(";")}
    general = tags.get("restriction", "")
    for_heavy = next((tags[key] for key in _HEAVY_KEYS if key in tags), "")
    for_motor = next((tags[key] for key in _MOTOR_KEYS if key in tags), "")
    if general:
        return general, not exempt & _MOTOR_EXCEPTIONS, not exempt & _HEAVY_EXCEPTIONS
    return for_heavy or for_motor, bool(for_motor), bool(for_heavy)


def turn_bans(
    network: StreetNetwork, restrictions: Sequence[TurnRestriction], nodes_of_way: Mapping[int, Sequence[int]]
) -> tuple[tuple[TurnBan, ...], Counter[str]]:
    """Return the forbidden runs of edges of a network, and how many restrictions were used and left out, by why.

    ``only_*`` over a node forbids every other edge out of it; over ways, every other edge out of the last way once the
    from way and all via ways have been driven.

    Parameters
    ----------
    nodes_of_way
        OSM node ids of the ways of the extract, by way id.
    """
    bans: list[TurnBan] = []
    notes = Counter[str]()
    for restriction in restrictions:
        runs = list(_runs(network, restriction, nodes_of_way))
        if any(run is None for run in runs):
            notes[UNCLEAR] += 1
            continue
        notes[USED] += 1
        bans += [
            TurnBan(restriction.relation_id, run, restriction.motor, restriction.heavy)
            for run in sorted({run for run in runs if run is not None})
        ]
    return tuple(bans), notes


def _runs(
    network: StreetNetwork, restriction: TurnRestriction, nodes_of_way: Mapping[int, Sequence[int]]
) -> Iterator[Run | None]:
    """Yield the forbidden runs of a restriction; None where its ways do not meet as they should."""
    for source in restriction.from_ways:
        chain = _via_nodes(restriction, source, nodes_of_way)
        if chain is None:
            yield None
            continue
        index = network.node_index(chain).tolist()
        if min(index) < 0:
            continue  # nobody may drive there, so that nothing needs forbidding
        via_edges = _edges_along(network, index, restriction.via if restriction.via_ways else ())
        into = [edge for edge in network.edges_into(index[0]).tolist() if network.edge_way_id[edge] == source]
        out = network.edges_out_of(index[-1]).tolist()
        meant = [edge for edge in out if network.edge_way_id[edge] in restriction.to_ways]
        only = restriction.kind.startswith("only_")
        forbidden = [edge for edge in out if edge not in meant] if only else meant
        if via_edges is None or not meant:
            continue  # the run cannot be driven anyhow, or what is prescribed cannot
        for first in into:
            for last in forbidden:
                yield (first, *via_edges, last)


def _via_nodes(
    restriction: TurnRestriction, source: int, nodes_of_way: Mapping[int, Sequence[int]]
) -> list[int] | None:
    """Return the OSM nodes driven from the end of the from way to the beginning of the to way, None if unclear."""
    ways = [nodes_of_way.get(way, ()) for way in (source, *restriction.to_ways)]
    ends = [{nodes[0], nodes[-1]} if nodes and nodes[0] != nodes[-1] else set() for nodes in ways]
    if not restriction.via_ways:
        via = restriction.via[0]
        return [via] if all(via in pair for pair in ends) else None
    chain: list[int] = []
    at = ends[0]
    for way in restriction.via:
        nodes = list(nodes_of_way.get(way, ()))
        shared = [node for node in nodes[:1] + nodes[-1:] if node in at]
        if len(nodes) < 2 or nodes[0] == nodes[-1] or len(shared) != 1:
            return None
        if shared[0] == nodes[-1]:
            nodes.reverse()
        chain += nodes if not chain else nodes[1:]
        at = {nodes[-1]}
    return chain if all(chain[-1] in pair for pair in ends[1:]) else None


def _edges_along(network: StreetNetwork, index: Sequence[int], ways: Sequence[int]) -> Run | None:
    """Return the edges of some ways between nodes that follow each other, None where one is missing."""
    found = []
    for start, end in pairwise(index):
        edges = [edge for edge in network.edges_between(start, end) if network.edge_way_id[edge] in ways]
        if not edges:
            return None
        found.append(edges[0])
    return tuple(found)
