"""Whatever places a map has, the network of sites holds together."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.location import Level
from geodata.matrix import UNREACHABLE_S, TravelMatrix
from geodata.osm_features import PLACE_KINDS, OsmBoundary, OsmPlace
from routing.generation.pads import PAD_COUNT
from routing.generation.population import PopulationRow, populations
from routing.generation.sites import build_network, choose_hub

coordinates = st.floats(0, 0.3).map(lambda x: round(x, 4))


@st.composite
def maps(draw: st.DrawFn) -> tuple[list[OsmPlace], list[OsmBoundary], TravelMatrix, list[PopulationRow]]:
    """Draw places, areas with or without seats, road times with gaps, and a population file."""
    kinds = draw(st.lists(st.sampled_from(PLACE_KINDS), min_size=1, max_size=12))
    places = [
        OsmPlace(
            osm_id=f"n{k}",
            kind=kind,
            name=draw(st.sampled_from(["", "Twin", f"Place {k}"])),
            lon=100 + draw(coordinates),
            lat=27 + draw(coordinates),
            names={},
            population=draw(st.none() | st.integers(0, 60_000)),
            capital=draw(st.sampled_from([None, None, "no", "yes", "6"])),
        )
        for k, kind in enumerate(kinds)
    ]
    boundaries = [
        OsmBoundary(
            f"r{k}",
            draw(st.sampled_from(["", "Twin"])),
            8,
            draw(st.none() | st.just(shapely.box(100, 27, 100 + draw(coordinates), 27 + draw(coordinates)))),
            seat=draw(st.none() | st.sampled_from([place.osm_id for place in places])),
        )
        for k in range(draw(st.integers(0, 3)))
    ]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    size = len(places)
    duration = rng.integers(1, 9_999, (size, size))
    duration[rng.random((size, size)) < 0.3] = UNREACHABLE_S
    np.fill_diagonal(duration, 0)
    road = TravelMatrix("van", tuple(p.osm_id for p in places), duration, duration * 0, duration * 0.0)
    rows = [PopulationRow("Twin", 100 + draw(coordinates), 27.1, draw(st.integers(0, 9_999))) for _ in range(2)]
    return places, boundaries, road, rows


@given(drawn=maps())
@settings(max_examples=100, deadline=None)
def test_the_network_holds_together(
    drawn: tuple[list[OsmPlace], list[OsmBoundary], TravelMatrix, list[PopulationRow]],
) -> None:
    """Tests that ids are unique, there is one hub with a town beside it, and parents exist one or more levels above."""
    places, boundaries, road, rows = drawn
    people, unmatched = populations(places, rows)
    network = build_network(places, boundaries, people, road)
    by_id = {site.id: site for site in network.sites}
    assert len(by_id) == len(network.sites) == len(places) + 1
    assert [site.id for site in network.sites if site.level is Level.COUNTY] == [network.hub_id]
    hub_place = choose_hub(places, people)[0].osm_id
    assert f"{hub_place}-town" in by_id
    for site in network.sites:
        if site.level is not Level.COUNTY:
            assert by_id[site.parent or ""].level.depth < site.level.depth
        assert site.name
    assert all((by_id[site.id].parent == network.hub_id) for site in network.sites if site.level is Level.TOWN)
    assert sum(figure.source == "file" for figure in people.values()) + len(unmatched) == len(rows)
    assert len(network.pads) <= PAD_COUNT
    assert all(by_id[pad].level in (Level.COUNTY, Level.TOWN) for pad in network.pads)
    assert {site.id for site in network.sites if site.drone_pads} == set(network.pads)
