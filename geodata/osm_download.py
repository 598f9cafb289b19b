"""Streets of a named place fetched from OpenStreetMap through osmnx; the one part of geodata that needs a network."""

from __future__ import annotations

from pathlib import Path

from geodata.errors import UnavailableError

OVERPASS_FILTER = '["highway"]'
"""Every way with a highway tag, as from an extract."""


def download_extract(place: str, path: Path) -> None:
    """Write an OSM XML extract of all streets of a named place.

    Parameters
    ----------
    place
        A name that OpenStreetMap's geocoder finds, for example ``"Andorra"``.
    path
        File to write (``.osm``); it appears whole or not at all.

    Raises
    ------
    UnavailableError
        If there is no network, the service does not answer, or it knows no such place.
    """
    import osmnx  # noqa: PLC0415 - takes seconds to load and is needed by this command only

    osmnx.settings.all_oneway = True  # keeps the ways' own direction, which the XML writer needs
    osmnx.settings.useful_tags_way = list(_WAY_TAGS)
    osmnx.settings.useful_tags_node = list(_NODE_TAGS)
    temporary = path.with_name(path.name + ".part.osm")
    try:
        graph = osmnx.graph_from_place(place, custom_filter=OVERPASS_FILTER, simplify=False, retain_all=True)
        osmnx.io.save_graph_xml(graph, filepath=temporary)
    except Exception as error:  # osmnx lets errors of requests, its own and of the parser through
        temporary.unlink(missing_ok=True)
        offline = isinstance(error, OSError)  # as are all errors of requests
        reason = "no connection to OpenStreetMap" if offline else f"{type(error).__name__}: {error}"
        msg = (
            f"Streets of {place!r} could not be downloaded ({reason}). "
            "Check the network connection and the name, or give an extract file (.osm.pbf) instead of --place."
        )
        raise UnavailableError(msg) from error
    temporary.replace(path)


_WAY_TAGS = (
    "highway", "name", "ref", "oneway", "oneway:motor_vehicle", "junction", "access", "vehicle", "motor_vehicle",
    "motorcar", "goods", "hgv", "foot", "motorroad", "route", "area", "service", "surface", "tracktype", "maxspeed",
    "maxspeed:forward", "maxspeed:backward", "width", "maxwidth", "maxwidth:physical", "maxheight",
    "maxheight:physical", "maxweight", "bridge", "tunnel", "layer",
)  # fmt: skip
_NODE_TAGS = (
    "barrier",
    "access",
    "vehicle",
    "motor_vehicle",
    "motorcar",
    "foot",
    "maxheight",
    "highway",
    "ele",
    "name",
)
