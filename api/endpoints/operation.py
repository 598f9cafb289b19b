"""What operators and people in a browser ask: is it alive, is it ready, what are the plans."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.exc import SQLAlchemyError

from api.artifacts import artifacts_of
from api.error_codes import ErrorCode
from api.problem_json import ApiError, error_responses
from api.schemas import Health
from api.service import Reader, ServiceDep
from api.web.index import CONTENT_SECURITY_POLICY, index_page

router = APIRouter(tags=["operation"])
SHOWN_PLANS = 50


@router.get("/health")
def health() -> Health:
    """Answer as long as the process lives."""
    return Health(version=version("shanlu"))


@router.get("/ready", responses=error_responses(ErrorCode.NOT_READY))
def ready(service: ServiceDep) -> Health:
    """Answer when requests can be served: the database answers and inputs and results can be kept."""
    try:
        service.store.ping()
        artifacts_of(service.settings).ping()
    except (SQLAlchemyError, OSError) as error:
        raise ApiError(ErrorCode.NOT_READY, f"The storage does not answer: {type(error).__name__}.") from error
    return Health(version=version("shanlu"))


@router.get("/", response_class=HTMLResponse, responses=error_responses())
def index(service: ServiceDep, caller: Reader) -> Response:
    """Show the newest plans and open their maps."""
    page = index_page(service.store.jobs(caller.tenant, "plan", SHOWN_PLANS))
    return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})
