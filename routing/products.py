"""Product classes and boxes from TOML: the shipped defaults, and what a scenario adds or changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from geodata.errors import Fault, FaultCollector
from routing.fault_codes import FaultCode
from routing.model.product import Box, ProductClass, Products
from routing.records import Field, RecordType, Where, did_you_mean, read_record, unknown_keys
from routing.text_files import parse_toml, read_toml

BOX_RECORD: Final = RecordType(
    "box",
    "a passive (insulated) box, keyed by its id: `[box.<id>]`",
    (
        Field("inner_l", "number", "room inside", True, low=0, above_low=True, unit="litres"),
        Field("outer_l", "number", "room it takes up in a carrier", True, low=0, above_low=True, unit="litres"),
        Field("mass_kg", "number", "mass of box and coolant", True, low=0, unit="kg"),
        Field("ua_w_k", "number", "heat conductance of the walls", True, low=0, above_low=True, unit="W/K"),
        Field("coolant_j", "number", "heat the fresh coolant takes up or gives off", True, low=0, unit="J"),
        Field("hold_c", "number", "temperature inside while coolant lasts", True, low=-80, high=60, unit="°C"),
    ),
)
CLASS_RECORD: Final = RecordType(
    "class",
    "a product class, keyed by its id: `[class.<id>]`",
    (
        Field("name", "text", "name shown to people", True),
        Field("name_zh", "text", "Chinese name for `--lang zh`", default=""),
        Field("like", "text", "id of a class whose fields hold where none is given here"),
        Field("cold", "flag", "true when its temperature is checked at all", default=False),
        Field("low_c", "number", "lower end of the band", default=-100.0, low=-100, high=100, unit="°C"),
        Field("high_c", "number", "upper end of the band", default=100.0, low=-100, high=100, unit="°C"),
        Field("start_c", "number", "temperature when first loaded", default=20.0, low=-100, high=100, unit="°C"),
        Field(
            "lag_s",
            "number",
            "time constant of following its surroundings",
            default=7200.0,
            low=0,
            above_low=True,
            unit="seconds",
        ),
        Field(
            "max_out_of_band_s", "integer", "time it may be outside the band in total", default=0, low=0, unit="seconds"
        ),
        Field(
            "max_equivalent_h",
            "number",
            "budget of equivalent hours at 0 °C",
            default=1.0e9,
            low=0,
            above_low=True,
            unit="hours",
        ),
        Field(
            "loss_scale_h",
            "number",
            "H of loss = 1 − exp(−(h_eq/H)^β); absent: no predicted loss",
            low=0,
            above_low=True,
            unit="hours",
        ),
        Field("loss_shape", "number", "β of that curve", default=1.5, low=0, above_low=True),
        Field(
            "store",
            "choice",
            "kind of store that suits it",
            default="ambient",
            choices=("ambient", "chilled", "frozen"),
        ),
        Field("box", "text", "id of its passive box on carriers without a fitting compartment; empty: none"),
        Field("bus_allowed", "flag", "false for classes barred from passenger buses", default=True),
        Field("incompatible_with", "texts", "ids of classes that may not share a compartment with it", default=()),
    ),
)
STORE_RECORD: Final = RecordType(
    "store_c",
    "temperatures of the stores of all sites: `[store_c]`",
    (
        Field("chilled", "number", "temperature of chilled stores", default=None, low=-5, high=15, unit="°C"),
        Field("frozen", "number", "temperature of frozen stores", default=None, low=-60, high=-5, unit="°C"),
    ),
)
PRODUCTS_RECORD: Final = RecordType(
    "products",
    "products.toml; everything given adds to or overrides the shipped classes and boxes",
    (
        Field("class", "table", "product classes by id"),
        Field("box", "table", "boxes by id"),
        Field("store_c", "table", "temperatures of stores"),
    ),
)
UNREADABLE_BOX: Final = Box("", 1.0, 1.0, 0.0, 1.0, 0.0, 0.0)
"""Stands for a box that is named but faulty, so that those who refer to it are not blamed as well."""


def load_products() -> Products:
    """Return the product classes, boxes and store temperatures shipped with the package."""
    collector = FaultCollector()
    text = files("routing").joinpath("data", "products.toml").read_text(encoding="utf-8")
    document = parse_toml(text, Where("products.toml (shipped)"), collector) or {}
    products = _amend(Products({}, {}, {}), document, "products.toml (shipped)", collector)
    collector.raise_if_any()
    return products


def read_products(path: Path, file: str, collector: FaultCollector) -> Products:
    """Return the shipped products with what a scenario's file adds or changes; faults go to the collector."""
    shipped = load_products()
    document = read_toml(path, file, collector)
    return shipped if document is None else _amend(shipped, document, file, collector)


def _amend(base: Products, document: Mapping[str, Any], file: str, collector: FaultCollector) -> Products:
    for fault in unknown_keys(PRODUCTS_RECORD, document, Where(file)):
        collector.add(fault)
    boxes = dict(base.boxes)
    for box_id, values in _tables(document, "box", file, collector).items():
        box = _read_box(box_id, values, boxes.get(box_id), Where(file, prefix=f"box.{box_id}."), collector)
        boxes[box_id] = box or boxes.get(box_id, UNREADABLE_BOX)
    store_c = dict(base.store_c)
    stores, faults = read_record(
        STORE_RECORD, _table(document, "store_c", file, collector), Where(file, None, "store_c.")
    )
    store_c.update({name: value for name, value in stores.items() if value is not None})
    classes = dict(base.classes)
    for class_id, values in _tables(document, "class", file, collector).items():
        where = Where(file, prefix=f"class.{class_id}.")
        product = _read_class(class_id, values, classes, where, collector)
        classes[class_id] = product or classes.get(class_id, ProductClass(class_id, class_id, ""))
    for fault in [*faults, *_check_references(classes, boxes, file)]:
        collector.add(fault)
    return Products(_symmetric(classes), boxes, store_c)


def _table(document: Mapping[str, Any], key: str, file: str, collector: FaultCollector) -> Mapping[str, Any]:
    value = document.get(key, {})
    if isinstance(value, dict):
        return value
    collector.add(
        Where(file).fault(FaultCode.WRONG_TYPE, key, value, f"'{key}' is not a table", f"Write it as [{key}].")
    )
    return {}


def _tables(
    document: Mapping[str, Any], key: str, file: str, collector: FaultCollector
) -> Mapping[str, Mapping[str, Any]]:
    found = {}
    for name, value in _table(document, key, file, collector).items():
        if isinstance(value, dict):
            found[name] = value
        else:
            reason = f"'{key}.{name}' is not a table"
            remedy = f"Write it as [{key}.{name}]."
            collector.add(Where(file).fault(FaultCode.WRONG_TYPE, f"{key}.{name}", value, reason, remedy))
    return found


def _read_box(
    box_id: str, values: Mapping[str, Any], base: Box | None, where: Where, collector: FaultCollector
) -> Box | None:
    record = BOX_RECORD if base is None else BOX_RECORD.without_requirements()
    found, faults = read_record(record, values, where)
    for fault in faults:
        collector.add(fault)
    if faults:
        return None
    given = {name: value for name, value in found.items() if name in values}
    box = Box(id=box_id, **given) if base is None else replace(base, **given)
    if box.outer_l < box.inner_l:
        reason = f"the box is smaller outside than inside ({box.inner_l:g} L)"
        remedy = "Give outer_l above inner_l."
        collector.add(where.fault(FaultCode.BOX_SIZE, "outer_l", box.outer_l, reason, remedy))
    return box


def _read_class(
    class_id: str,
    values: Mapping[str, Any],
    classes: Mapping[str, ProductClass],
    where: Where,
    collector: FaultCollector,
) -> ProductClass | None:
    like = values.get("like")
    base = classes.get(like if isinstance(like, str) else class_id)
    record = CLASS_RECORD if base is None else CLASS_RECORD.without_requirements()
    found, faults = read_record(record, values, where)
    if like is not None and base is None:
        remedy = did_you_mean(str(like), classes, "known product classes")
        faults.append(where.fault(FaultCode.UNKNOWN_CLASS, "like", like, "there is no such product class", remedy))
    for fault in faults:
        collector.add(fault)
    if faults:
        return None
    found.pop("like")
    if base is None:
        product = ProductClass(id=class_id, **found)
    else:
        given = {name: value for name, value in found.items() if name in values}
        product = replace(base, id=class_id, **given)
    for fault in _check_class(product, where):
        collector.add(fault)
    return product


def _check_class(product: ProductClass, where: Where) -> list[Fault]:
    faults = []
    if product.low_c > product.high_c:
        reason = f"the band ends at {product.high_c:g} °C below its start at {product.low_c:g} °C"
        faults.append(where.fault(FaultCode.BAND_ORDER, "low_c", product.low_c, reason, "Give low_c below high_c."))
    return faults


def _check_references(classes: Mapping[str, ProductClass], boxes: Mapping[str, Box], file: str) -> list[Fault]:
    faults = []
    for product in classes.values():
        where = Where(file, prefix=f"class.{product.id}.")
        if product.box is not None and product.box not in boxes:
            remedy = did_you_mean(product.box, boxes, "known boxes")
            faults.append(where.fault(FaultCode.UNKNOWN_BOX, "box", product.box, "there is no such box", remedy))
        faults.extend(
            where.fault(
                FaultCode.UNKNOWN_CLASS,
                "incompatible_with",
                other,
                "there is no such product class",
                did_you_mean(other, classes, "known product classes"),
            )
            for other in product.incompatible_with
            if other not in classes
        )
    return faults


def _symmetric(classes: Mapping[str, ProductClass]) -> dict[str, ProductClass]:
    """Return the classes with every incompatibility told on both sides."""
    return {
        class_id: replace(
            product,
            incompatible_with=tuple(
                sorted(
                    {*product.incompatible_with}
                    | {other.id for other in classes.values() if class_id in other.incompatible_with}
                )
            ),
        )
        for class_id, product in classes.items()
    }
