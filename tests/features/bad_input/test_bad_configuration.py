"""Every kind of fault in scenario.toml, fleet.toml and products.toml is named as what it is."""

from pathlib import Path

import pytest
from scenario_folders import CONFIG, FLEET, ORDERS, PRODUCTS, SITES, faults_of, only_fault, write_folder

from geodata.errors import InputError
from routing.scenario import read_scenario

BAD_CONFIGS = [
    # code, field, (text, its damage), what the message must say
    ("UNKNOWN_KEY", "curency", ("currency", "curency"), ["Did you mean 'currency'?"]),
    ("UNKNOWN_KEY", "files.order", ("[costs]", 'order = "a.csv"\n[costs]'), ["Did you mean 'orders'?"]),
    ("UNKNOWN_KEY", "costs.diesel", ("diesel_per_l", "diesel"), ["Did you mean 'diesel_per_l'?"]),
    ("MISSING_VALUE", "name", ('name = "Small day"', ""), ["name is empty"]),
    ("BAD_NAME", "name", ('"Small day"', '"a/b"'), ["folder"]),
    ("BAD_NAME", "currency", ('"EUR"', '"euro"'), ["ISO 4217", "CNY"]),
    ("BAD_DATE", "service_date", ("2025-03-03", '"3 March"'), ["YYYY-MM-DD"]),
    ("BAD_DATE", "service_date", ("2025-03-03", "20250303"), ["YYYY-MM-DD"]),
    ("UNKNOWN_TIMEZONE", "timezone", ("Europe/Andorra", "Europe/Andora"), ["Did you mean 'Europe/Andorra'?"]),
    ("MISSING_FILE", "files.streets", ('"area.osm"', '"aera.osm"'), ["Did you mean 'area.osm'?"]),
    ("MISSING_FILE", "files.terrain", ("[files]", '[files]\nterrain = ["N42E001.hgt"]'), ["no such file"]),
    ("MISSING_FILE", "files.orders", ('"orders.csv"', '"orders.json"'), ["Did you mean 'orders.csv'?"]),
    ("MISSING_VALUE", "files.orders", ('orders = "orders.csv"', ""), ["orders is empty"]),
    ("OUTSIDE_SCENARIO", "files.streets", ('"area.osm"', '"../area.osm"'), ["outside the scenario folder"]),
    ("OUTSIDE_SCENARIO", "files.streets", ('"area.osm"', '"/etc/passwd"'), ["outside the scenario folder"]),
    ("NEGATIVE", "costs.diesel_per_l", ("= 150", "= -150"), ["minor units"]),
    ("WRONG_TYPE", "costs", ("[costs]\ndiesel_per_l = 150\n", ""), ["not a table"]),
    ("BROKEN_FILE", None, ("[costs]", "[costs"), ["not TOML"]),
]


@pytest.mark.parametrize(("code", "field", "damage", "phrases"), BAD_CONFIGS)
def test_bad_configuration_is_named(
    tmp_path: Path, code: str, field: str | None, damage: tuple[str, str], phrases: list[str]
) -> None:
    """Tests that a faulty configuration gives one fault with its code and key; rejecting rows does not help."""
    assert damage[0] in CONFIG
    config = CONFIG.replace(*damage)
    folder = write_folder(tmp_path, config=f"costs = 3\n{config}" if field == "costs" else config)
    fault = only_fault(folder)
    assert (fault.code, fault.file, fault.field) == (code, "scenario.toml", field)
    for phrase in phrases:
        assert phrase in str(fault)
    assert faults_of(folder, reject_bad_rows=True) == (fault,)


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    """Tests that a syntax error in TOML is reported at its line."""
    fault = only_fault(write_folder(tmp_path, fleet='[[vehicle]]\nid = "van"\npreset = van_electric\n'))
    assert (fault.code, fault.file, fault.row) == ("BROKEN_FILE", "fleet.toml", 3)


def test_missing_folder_and_missing_configuration(tmp_path: Path) -> None:
    """Tests that a folder that is missing, or is no scenario, is told as that."""
    fault = only_fault(tmp_path / "nowhere")
    assert (fault.code, fault.file, fault.reason) == (
        "MISSING_FILE",
        "scenario.toml",
        "the folder 'nowhere' is missing",
    )
    assert only_fault(tmp_path).reason == "the file is missing"


def test_folder_given_for_a_table(tmp_path: Path) -> None:
    """Tests that a folder where a file belongs is told as that."""
    folder = write_folder(tmp_path)
    (folder / "sites.csv").unlink()
    (folder / "sites.csv").mkdir()
    fault = only_fault(folder)
    assert (fault.code, fault.file) == ("MISSING_FILE", "sites.csv")
    assert "directory" in fault.reason


DRONE = '[[drone]]\nid = "L"\npreset = "L"\n'
VAN = '[[vehicle]]\nid = "van"\npreset = "van_electric"\ncost_per_km = 45\n'
BAD_FLEETS = [
    # code, record, field, (text, its damage), what the message must say
    ("UNKNOWN_PRESET", 1, "vehicle.preset", ('"van_electric"', '"van_electrc"'), ["Did you mean 'van_electric'?"]),
    ("UNKNOWN_PRESET", 1, "drone.preset", ('preset = "L"', 'preset = "XXL"'), ["Did you mean 'XL'?"]),
    (
        "UNKNOWN_PROFILE",
        1,
        "vehicle.profile",
        (VAN, VAN + 'profile = "van_electic"\n'),
        ["Did you mean 'van_electric'?"],
    ),
    ("ENERGY_SOURCE", 1, "vehicle.energy_source", (VAN, VAN + 'energy_source = "diesel"\n'), ["runs on 'electric'"]),
    ("UNKNOWN_KEY", 1, "vehicle.cost_per_mile", ("cost_per_km", "cost_per_mile"), ["Did you mean 'cost_per"]),
    ("NO_COMPARTMENT", 1, "vehicle.compartments", (VAN, VAN + "compartments = []\n"), ["no compartments", "litres"]),
    ("NO_COMPARTMENT", 1, "vehicle.compartments", (VAN, VAN + "compartments = [3]\n"), ["not a list of tables"]),
    (
        "MISSING_VALUE",
        1,
        "vehicle.compartments[1].litres",
        (VAN, VAN + 'compartments = [{ id = "a", kg = 3 }]\n'),
        ["litres is empty"],
    ),
    (
        "DUPLICATE_ID",
        1,
        "vehicle.compartments[2].id",
        (VAN, VAN + 'compartments = [{ id = "a", kg = 3, litres = 3 }, { id = "a", kg = 3, litres = 3 }]\n'),
        ["already used"],
    ),
    ("WINDOW_ORDER", 1, "vehicle.shift", (VAN, VAN + 'shift = ["17:00", "07:00"]\n'), ["ends before it starts"]),
    ("WRONG_TYPE", 1, "vehicle.shift", (VAN, VAN + 'shift = "07:00"\n'), ["pair"]),
    ("DUPLICATE_ID", 2, "vehicle.id", (VAN, VAN + VAN), ["already used"]),
    ("DUPLICATE_ID", 1, "drone.id", (DRONE, DRONE.replace('id = "L"', 'id = "van"')), ["already used"]),
    ("OUT_OF_RANGE", 1, "drone.reserve", (DRONE, DRONE + "reserve = 20\n"), ["from 0 to 0.9"]),
    ("MISSING_VALUE", 1, "drone.id", (DRONE, DRONE.replace('id = "L"', "")), ["id is empty"]),
    ("UNKNOWN_TYPE", 1, "stand.type", ('type = "van"', 'type = "vam"'), ["Did you mean 'van'?"]),
    ("UNKNOWN_SITE", 1, "stand.site", ('site = "hub"\ncount', 'site = "hup"\ncount'), ["Did you mean 'hub'?"]),
    ("NO_PAD", 2, "stand.site", ('type = "L"\nsite = "hub"', 'type = "L"\nsite = "t1"'), ["without a drone pad"]),
    ("ZERO", 1, "stand.count", ("count = 2", "count = 0"), ["from 1"]),
    ("NOT_WHOLE", 1, "stand.count", ("count = 2", "count = 2.5"), ["whole"]),
    ("UNKNOWN_KEY", None, "stands", ("[[stand]]", "[[stands]]"), ["Did you mean 'stand'?"]),
    ("WRONG_TYPE", None, "drone", (DRONE, 'drone = "L"\n'), ["[[drone]]"]),
]


@pytest.mark.parametrize(("code", "record", "field", "damage", "phrases"), BAD_FLEETS)
def test_bad_fleet_is_named(
    tmp_path: Path, code: str, record: int | None, field: str, damage: tuple[str, str], phrases: list[str]
) -> None:
    """Tests that a faulty fleet gives its fault with code, number of the record and key."""
    assert damage[0] in FLEET
    fleet = FLEET.replace(*damage) if damage[1] != 'drone = "L"\n' else 'drone = "L"\n' + FLEET.replace(DRONE, "")
    folder = write_folder(tmp_path, fleet=fleet)
    fault = faults_of(folder)[0]
    assert (fault.code, fault.file, fault.row, fault.field) == (code, "fleet.toml", record, field)
    for phrase in phrases:
        assert phrase in str(fault)
    assert fault in faults_of(folder, reject_bad_rows=True)


def test_stands_of_a_faulty_type_are_not_blamed(tmp_path: Path) -> None:
    """Tests that a type that is named but faulty does not make its stands faulty as well."""
    assert only_fault(write_folder(tmp_path, fleet=FLEET.replace("= 45", "= -45"))).field == "vehicle.cost_per_km"


BAD_PRODUCTS = [
    # code, field, text, what the message must say
    ("UNKNOWN_KEY", "classes", "[classes.a]\n", ["Did you mean 'class'?"]),
    ("UNKNOWN_KEY", "class.vaccine.hi_c", "[class.vaccine]\nhi_c = 9\n", ["high_c"]),
    ("MISSING_VALUE", "class.own.name", "[class.own]\ncold = true\n", ["name is empty"]),
    ("UNKNOWN_CLASS", "class.own.like", '[class.own]\nname = "Own"\nlike = "frosen"\n', ["Did you mean 'frozen'?"]),
    ("UNKNOWN_BOX", "class.vaccine.box", '[class.vaccine]\nbox = "s_pmc5"\n', ["Did you mean 's_pcm5'?"]),
    ("UNKNOWN_CLASS", "class.frozen.incompatible_with", '[class.frozen]\nincompatible_with = ["x"]\n', ["no such"]),
    ("UNKNOWN_CHOICE", "class.frozen.store", '[class.frozen]\nstore = "freezer"\n', ["ambient, chilled, frozen"]),
    ("BAND_ORDER", "class.frozen.low_c", "[class.frozen]\nlow_c = -10\n", ["low_c below high_c"]),
    ("WRONG_TYPE", "class.frozen", '[class]\nfrozen = "cold"\n', ["[class.frozen]"]),
    ("WRONG_TYPE", "box", 'box = "s"\n', ["[box]"]),
    ("MISSING_VALUE", "box.own.inner_l", "[box.own]\n", ["inner_l is empty"]),
    ("BOX_SIZE", "box.m_ice.outer_l", "[box.m_ice]\nouter_l = 20\n", ["smaller outside than inside"]),
    ("OUT_OF_RANGE", "store_c.chilled", "[store_c]\nchilled = 40\n", ["°C"]),
]


@pytest.mark.parametrize(("code", "field", "text", "phrases"), BAD_PRODUCTS)
def test_bad_products_are_named(tmp_path: Path, code: str, field: str, text: str, phrases: list[str]) -> None:
    """Tests that faulty product classes and boxes give a fault with their code and key."""
    fault = faults_of(write_folder(tmp_path, products=text))[0]
    assert (fault.code, fault.file, fault.field) == (code, "products.toml", field)
    for phrase in phrases:
        assert phrase in str(fault)


def test_orders_of_a_faulty_class_are_not_blamed(tmp_path: Path) -> None:
    """Tests that a class that is named but faulty does not make its orders faulty as well."""
    folder = write_folder(
        tmp_path, products=PRODUCTS.replace("= 18", "= 180"), orders=ORDERS.replace("cool_produce", "chocolate")
    )
    assert only_fault(folder).field == "class.chocolate.high_c"


def test_faults_of_all_files_come_together(tmp_path: Path) -> None:
    """Tests that one refusal names the faults of every file, and shows them as text and as JSON."""
    folder = write_folder(
        tmp_path,
        config=CONFIG.replace("EUR", "euro").replace('"area.osm"', '"aera.osm"'),
        sites=SITES.replace("vill", "vil"),
        orders=ORDERS.replace("1.2", "-1.2"),
        fleet=FLEET.replace("count = 2", "count = -2"),
        products=PRODUCTS.replace("cool", "col"),
    )
    for reject in (False, True):
        with pytest.raises(InputError) as refused:
            read_scenario(folder, reject_bad_rows=reject)
        files = {fault.file for fault in refused.value.faults}
        assert files == {"scenario.toml", "sites.csv", "orders.csv", "fleet.toml", "products.toml"}
        assert len(str(refused.value).splitlines()) == len(refused.value.faults)
    record = refused.value.faults[0].to_dict()
    assert set(record) == {"code", "file", "row", "field", "value", "reason", "remedy"}


def test_faults_of_the_profiles_file_are_reported_too(tmp_path: Path) -> None:
    """Tests that a broken profiles file is reported together with the other faults."""
    config = CONFIG.replace("[files]", '[files]\nprofiles = "profiles.toml"')
    folder = write_folder(tmp_path, config=config, orders=ORDERS.replace("1.2", "-1.2"))
    (folder / "profiles.toml").write_text("[own\n")
    assert [fault.file for fault in faults_of(folder)] == ["profiles.toml", "orders.csv"]
