"""Reading the requests that may be JSON or a form with files, and making a day's scenario folder of them."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from api.artifacts import artifacts_of
from api.coordinates import Crs, wgs84_order
from api.error_codes import ErrorCode
from api.networks import FLEET_FILE, INLINE_FILES, ORDERS_FILE, DayRequest, compose_day, fleet_bytes, orders_bytes
from api.problem_json import ApiError, ProblemFault, invalid_scenario, validation_error
from api.schemas import FolderRef, PlanRequest, known_keys
from api.service import Caller, Service, find_job
from api.settings import Settings
from api.store import Job, JobState
from api.uploads import judge_file, unpack_scenario
from api.work import SCENARIO
from geodata.errors import InputError
from routing.scenario import Scenario, read_scenario

Body = TypeVar("Body", bound=BaseModel)
_JSON, _FORM = "application/json", "multipart/form-data"
_MAX_JSON_FIELD = 64_000_000
_ORDER_ENDINGS = (".csv", ".xlsx", ".json")


@dataclass(frozen=True)
class Received:
    """A request as it came: the JSON document, the files beside it, and a digest over both."""

    document: bytes
    files: Mapping[str, UploadFile]
    digest: str


@asynccontextmanager
async def receive(
    request: Request, file_names: tuple[str, ...], several: tuple[str, int] = ("", 1)
) -> AsyncIterator[Received]:
    """Yield the parts of a request that is JSON, or a form with a JSON field `request` and files.

    Parameters
    ----------
    several
        Name of the file that may come more than once, and how often; it is then received as `name`, `name.1`, ...

    Raises
    ------
    ApiError
        UNSUPPORTED_MEDIA_TYPE, or INVALID_REQUEST for fields that are not known.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == _JSON:
        document = await request.body()
        yield Received(document, {}, hashlib.sha256(document).hexdigest())
        return
    if media_type != _FORM:
        detail = f"The body is '{media_type[:100]}'; send {_JSON} or {_FORM}."
        raise ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, detail)
    async with request.form(
        max_files=len(file_names) + several[1] - 1, max_fields=1, max_part_size=_MAX_JSON_FIELD
    ) as form:
        yield await _of_form(form, file_names, several[0])


async def _of_form(form: FormData, file_names: tuple[str, ...], several: str) -> Received:
    files: dict[str, UploadFile] = {}
    document = b"{}"
    faults = []
    for name, value in form.multi_items():
        if name == "request" and isinstance(value, str):
            document = value.encode()
        elif name in file_names and isinstance(value, UploadFile) and (name not in files or name == several):
            files[name if name not in files else f"{name}.{len(files)}"] = value
        else:
            remedy = f"Send the field 'request' and the files {', '.join(file_names)}, each once."
            faults.append(
                ProblemFault(code="UNKNOWN_FIELD", reason="the field is not known", field=name, remedy=remedy)
            )
    if faults:
        raise ApiError(ErrorCode.INVALID_REQUEST, "The form has fields that are not known.", faults)
    whole = hashlib.sha256(document)
    for name in sorted(files):
        whole.update(name.encode())
        while block := await files[name].read(1 << 20):
            whole.update(block)
        await files[name].seek(0)
    return Received(document, files, whole.hexdigest())


def parse_body(document: bytes, model: type[Body]) -> Body:
    """Return the body of a request.

    Raises
    ------
    ApiError
        MALFORMED_BODY or INVALID_REQUEST with every fault.
    """
    try:
        return model.model_validate_json(document)
    except ValidationError as error:
        raise validation_error(_with_pointers(error), known_keys(model)) from None


def _with_pointers(error: ValidationError) -> list[Any]:
    return [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_url=False)]


def idempotency_key(request: Request) -> str | None:
    """Return the Idempotency-Key of a request, None where it has none.

    Raises
    ------
    ApiError
        INVALID_REQUEST for one that is empty, too long or has control characters.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not re.fullmatch(r"[\x20-\x7e]{1,200}", key):
        fault = ProblemFault(
            code="BAD_KEY", parameter="Idempotency-Key", reason="the key has other than 1 to 200 printable characters"
        )
        raise ApiError(ErrorCode.INVALID_REQUEST, fault.reason, [fault])
    return key


def earlier_job(service: Service, caller: Caller, kind: Any, key: str | None, digest: str) -> Job | None:
    """Return the job made by an earlier request with the same key.

    Raises
    ------
    ApiError
        IDEMPOTENCY_MISMATCH if that request was another one.
    """
    job = service.store.job_of_key(caller.tenant, kind, key)
    if job is not None and job.request_digest != digest:
        raise ApiError(ErrorCode.IDEMPOTENCY_MISMATCH, "The key belongs to an earlier, different request.")
    return job


def named_folder(settings: Settings, reference: FolderRef) -> Path:
    """Return the scenario folder of a name.

    Raises
    ------
    ApiError
        SCENARIO_NOT_FOUND also for names that lead out of the configured folder.
    """
    folder = _below(settings, reference.folder)
    if folder is None or not (folder / "scenario.toml").is_file():
        raise ApiError(ErrorCode.SCENARIO_NOT_FOUND, f"There is no scenario folder '{reference.folder}'.")
    return folder


def named_path(settings: Settings, name: str) -> Path:
    """Return the file of a name below the configured folder.

    Raises
    ------
    ApiError
        SCENARIO_NOT_FOUND also for names that lead out of it.
    """
    path = _below(settings, name)
    if path is None or not path.is_file():
        raise ApiError(ErrorCode.SCENARIO_NOT_FOUND, f"There is no file '{name}'.")
    return path


def _below(settings: Settings, reference: str) -> Path | None:
    """Return the path of a name below the configured folder; None where it leads out of it."""
    name = PurePosixPath(reference)
    if settings.scenarios is None or name.is_absolute() or ".." in name.parts or "\0" in reference:
        return None
    root = settings.scenarios.resolve()
    path = (root / name).resolve()
    return path if root in path.parents else None


def make_day(service: Service, caller: Caller, plan: PlanRequest, files: Mapping[str, UploadFile], stage: Path) -> None:
    """Make the scenario folder of a plan in an empty staging folder.

    Raises
    ------
    ApiError, InputError
        If the request names no scenario or several, or its files are refused.
    """
    target = stage / SCENARIO
    target.mkdir()
    sources = [plan.scenario is not None, plan.network is not None, "scenario" in files]
    if sum(sources) != 1:
        fault = ProblemFault(
            code="ONE_SOURCE",
            pointer="",
            reason="exactly one of 'scenario', 'network' and an uploaded scenario is needed",
        )
        raise ApiError(ErrorCode.INVALID_REQUEST, fault.reason, [fault])
    if plan.network is not None:
        _make_network_day(service, caller, plan, files, target)
        return
    _refuse_day_parts(plan, files)
    if plan.scenario is not None:
        shutil.copytree(named_folder(service.settings, plan.scenario), target, dirs_exist_ok=True)
    else:
        unpack_scenario(files["scenario"].file, target, service.settings)


def _refuse_day_parts(plan: PlanRequest, files: Mapping[str, UploadFile]) -> None:
    """Refuse parts that only a plan on a network takes, rather than pass over them."""
    given = [name for name in ("orders", "fleet", "service_date", "name") if getattr(plan, name) is not None]
    given += [name for name in ("orders", "fleet") if name in files]
    if given:
        faults = [
            ProblemFault(code="NEEDS_NETWORK", pointer=f"/{name}", reason=f"'{name}' is only taken with 'network'")
            for name in given
        ]
        raise ApiError(ErrorCode.INVALID_REQUEST, "A scenario has its own orders, fleet, name and date.", faults)


def _make_network_day(
    service: Service, caller: Caller, plan: PlanRequest, files: Mapping[str, UploadFile], target: Path
) -> None:
    assert plan.network is not None
    network = find_job(service, caller, plan.network, "network")
    if network.state is not JobState.SUCCESSFUL:
        raise ApiError(ErrorCode.NETWORK_NOT_READY, f"The network's state is '{network.state.value}'.")
    orders = None if plan.orders is None else orders_bytes(_orders_of(plan.orders, plan.crs))
    orders_name = ORDERS_FILE
    if "orders" in files:
        orders_name = "orders" + _ending(files["orders"])
        orders = files["orders"].file.read()
    fleet = None if plan.fleet is None else fleet_bytes(plan.fleet)
    if "fleet" in files:
        fleet = files["fleet"].file.read()
    day = DayRequest(plan.service_date, plan.name, orders, orders_name, fleet)
    compose_day(artifacts_of(service.settings).folder(network.id) / SCENARIO, target, day)
    for name in (orders_name, FLEET_FILE):
        if (target / name).is_file():
            judge_file(target / name, service.settings)


def _orders_of(orders: list[dict[str, Any]], crs: Crs) -> list[dict[str, Any]]:
    return orders if crs == "wgs84" else [wgs84_order(order) for order in orders]


def _ending(upload: UploadFile) -> str:
    ending = PurePosixPath(upload.filename or "").suffix.lower()
    if ending not in _ORDER_ENDINGS:
        fault = ProblemFault(
            code="UNSUPPORTED_FORMAT", field="orders", reason=f"orders must be a file of {', '.join(_ORDER_ENDINGS)}"
        )
        raise ApiError(ErrorCode.INVALID_REQUEST, fault.reason, [fault])
    return ending


def read_tables(folder: Path, plan: PlanRequest, settings: Settings) -> Scenario:
    """Read the tables of a day's scenario folder.

    Raises
    ------
    ApiError
        INVALID_SCENARIO with every fault, TOO_MANY_ORDERS.
    """
    inline = INLINE_FILES if plan.orders is not None else {}
    try:
        scenario = read_scenario(folder, reject_bad_rows=plan.reject_bad_rows)
    except InputError as error:
        raise invalid_scenario(error, inline) from None
    if len(scenario.orders) > settings.max_orders:
        detail = f"The plan has {len(scenario.orders)} orders; {settings.max_orders} are allowed."
        raise ApiError(ErrorCode.TOO_MANY_ORDERS, detail)
    return scenario


def request_record(plan: PlanRequest) -> dict[str, Any]:
    """Return what the store keeps of a request: its settings, not its orders, which are in the scenario folder."""
    kept = plan.model_dump(mode="json", exclude={"orders", "fleet"} | set(plan.options))
    return {**kept, "options": plan.options}
