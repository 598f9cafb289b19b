"""Writes every file that stands beside ``plan.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from geodata.area import Area
from routing.checker import Report
from routing.evaluation import Kpis
from routing.export.features import features_to_bytes, plan_features
from routing.export.manifest_pdf import manifests_pdf
from routing.export.manifests import manifest_tables
from routing.export.map_data import map_data
from routing.export.map_page import map_page
from routing.export.report_file import report_content, report_to_bytes
from routing.export.scene import Scene
from routing.export.sheets import carrier_sheets, station_sheets
from routing.export.staging import scene_of
from routing.export.tables import orders_csv, routes_csv
from routing.export.wording import wording_of
from routing.model.plan import PlanDocument
from routing.plan_io import plan_to_bytes
from routing.scenario import Scenario

PRINTED_KINDS = ("vehicle", "courier", "bus", "drone")
"""Kinds of carrier in the order of the printed manifests."""


def write_outputs(
    out: Path,
    document: PlanDocument,
    scenario: Scenario,
    area: Area,
    report: Report,
    kpis: Mapping[str, object] | Kpis,
    lang: str,
    timings_s: Mapping[str, float] | None = None,
    notes: Sequence[Mapping[str, object]] = (),
) -> None:
    """Write ``plan.geojson``, tables, manifests, ``map.html`` and ``report.json`` into an existing folder.

    Parameters
    ----------
    out
        Existing folder; files of the same names are overwritten.
    kpis
        Key figures, copied into the report; those under ``owed`` by operator.
    lang
        Language of manifests and map: ``en`` or ``zh``. Programs' files do not depend on it.
    timings_s
        Wall-clock seconds by stage for the report. Without them equal plans give equal bytes.
    notes
        What a reader of the plan should know, JSON-ready, copied into the report.

    Raises
    ------
    ValueError
        If the language is unknown.
    OSError
        If the folder cannot be written to.
    """
    scene = scene_of(document, scenario, area)
    for name, content in output_files(scene, lang).items():
        path = out / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (out / "report.json").write_bytes(report_to_bytes(report_content(scene, report, kpis, timings_s or {}, notes)))


def output_files(scene: Scene, lang: str) -> dict[str, bytes]:
    """Return the content of every file that follows from the plan alone, by its name in the output folder."""
    wording = wording_of(lang)
    scenario = scene.document.scenario
    pdf = manifests_pdf(
        carrier_sheets(scene, wording, PRINTED_KINDS),
        station_sheets(scene, wording),
        wording,
        title=scenario.name,
        date=scenario.service_date,
    )
    return {
        **_for_programs(scene),
        **{f"manifests/{name}": table for name, table in manifest_tables(scene, wording).items()},
        "manifests/manifests.pdf": pdf,
        "map.html": map_page(map_data(scene), lang),
    }


def program_files(document: PlanDocument, scenario: Scenario, area: Area) -> dict[str, bytes]:
    """Return ``plan.json`` and what programs read beside it by name: quick to make, unlike map and manifests."""
    return {"plan.json": plan_to_bytes(document), **_for_programs(scene_of(document, scenario, area))}


def _for_programs(scene: Scene) -> dict[str, bytes]:
    return {
        "plan.geojson": features_to_bytes(plan_features(scene)),
        "routes.csv": routes_csv(scene),
        "orders.csv": orders_csv(scene),
    }
