"""The service's commands: ``shanlu serve``, ``shanlu worker`` and ``shanlu keys create | list | revoke``."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from api.terminal import EXIT_INPUT, EXIT_UNAVAILABLE, exit_codes

if TYPE_CHECKING:
    from api.settings import Settings
    from api.store import Store

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

DataFolder = Annotated[Path | None, typer.Option(help="Folder of database, uploads and results [SHANLU_DATA].")]
DatabaseUrl = Annotated[
    str | None, typer.Option(help="Database instead of SQLite in the data folder [SHANLU_DATABASE_URL].")
]
ArtifactsUrl = Annotated[
    str | None, typer.Option(help="s3://bucket/prefix instead of the data folder [SHANLU_ARTIFACTS].")
]
PlanWorkers = Annotated[
    int | None, typer.Option(help="Processes that search one plan, parts of it side by side [SHANLU_PLAN_WORKERS, 1].")
]
Cluster = Annotated[
    str | None, typer.Option(help="Dask scheduler, such as tcp://10.0.0.1:8786, to search on [SHANLU_CLUSTER].")
]


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on [SHANLU_HOST, 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [SHANLU_PORT, 8000].")] = None,
    data: DataFolder = None,
    database_url: DatabaseUrl = None,
    artifacts: ArtifactsUrl = None,
    scenarios: Annotated[
        Path | None, typer.Option(help="Folder of scenario folders that requests may name [SHANLU_SCENARIOS].")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; 0: none here [SHANLU_WORKERS, 1].")] = None,
    plan_workers: PlanWorkers = None,
    cluster: Cluster = None,
    oidc_issuer: Annotated[
        str | None, typer.Option(help="Identity provider whose tokens are taken beside keys [SHANLU_OIDC_ISSUER].")
    ] = None,
    oidc_audience: Annotated[
        str | None, typer.Option(help="Audience those tokens must be for [SHANLU_OIDC_AUDIENCE].")
    ] = None,
) -> None:
    """Serve the API, with a pool of workers: nothing else is needed."""
    import uvicorn  # noqa: PLC0415 - `shanlu --help` answers at once

    from api.app import create_app  # noqa: PLC0415
    from api.artifacts import artifacts_of  # noqa: PLC0415
    from api.jobs import DurableQueue  # noqa: PLC0415
    from api.oidc import TokenJudge  # noqa: PLC0415
    from api.processes import Calculator, Supervisor, process_pool  # noqa: PLC0415
    from api.service import Service  # noqa: PLC0415
    from api.tracing import tracing_of_environment  # noqa: PLC0415
    from routing.trips.search import prepare  # noqa: PLC0415

    _log()
    settings = _settings(
        host=host,
        port=port,
        data=data,
        database_url=database_url,
        artifacts=artifacts,
        scenarios=scenarios,
        workers=workers,
        plan_workers=plan_workers,
        cluster=cluster,
        oidc_issuer=oidc_issuer,
        oidc_audience=oidc_audience,
    )
    store = _open(settings)
    is_open = not store.has_keys() and settings.oidc_issuer is None
    if is_open and not settings.binds_loopback:
        _fail(
            f"without an API key the service only listens on this machine, not on {settings.host}. "
            "Make a key with 'shanlu keys create TENANT', or leave out --host."
        )
    names = [f"{socket.gethostname()}-serve-{number}" for number in range(1, settings.workers + 1)]
    supervisor = Supervisor(names, _environment(settings))
    calculator = Calculator(lambda: process_pool(1, settings.worker_niceness))
    calculator.prepare(prepare)
    with exit_codes():
        tracing = tracing_of_environment()
        artifacts_of(settings)  # an address that cannot be used is told now
        judge = None if settings.oidc_issuer is None else TokenJudge(settings)
    service = Service(settings, store, DurableQueue(settings), calculator, is_open, tracing, judge)
    supervisor.start()
    try:
        uvicorn.run(
            create_app(service),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,  # it would write addresses and order ids into the log
            server_header=False,
            timeout_keep_alive=75,  # longer than proxies keep theirs: they must not send into a connection just closed
            timeout_graceful_shutdown=5,
        )
    finally:
        supervisor.stop()


def worker(
    database_url: DatabaseUrl = None,
    data: DataFolder = None,
    artifacts: ArtifactsUrl = None,
    name: Annotated[
        str | None, typer.Option(help="Name of this worker, its own on every machine [host name and process].")
    ] = None,
    plan_workers: PlanWorkers = None,
    cluster: Cluster = None,
) -> None:
    """Take jobs from the queue of a service that shares the database and the data folder; run one per process."""
    from api.worker_main import run_worker  # noqa: PLC0415

    _log()
    settings = _settings(
        database_url=database_url, data=data, artifacts=artifacts, plan_workers=plan_workers, cluster=cluster
    )
    _open(settings)
    with exit_codes():
        run_worker(settings, name or f"{socket.gethostname()}-{os.getpid()}")
    logging.shutdown()
    os._exit(0)  # the thread of a job in work would hold the process; another worker takes the job up


keys = typer.Typer(help="API keys of the service.", no_args_is_help=True, rich_markup_mode=None)


@keys.command("create")
def create_key(
    tenant: Annotated[str, typer.Argument(help="Whose key it is; tenants do not see each other's data.")],
    scope: Annotated[list[str] | None, typer.Option(help="read, plan or admin; repeatable [plan].")] = None,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    data: DataFolder = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key and print it, this once: only its hash is kept. From then on every request needs a key."""
    from api.service import Scope  # noqa: PLC0415

    wanted = scope or [Scope.PLAN.value]
    unknown = sorted(set(wanted) - {known.value for known in Scope})
    if unknown:
        _fail(f"there is no scope {', '.join(unknown)}; known are {', '.join(known.value for known in Scope)}")
    typer.echo(_open(_settings(data=data, database_url=database_url)).add_key(tenant, wanted, label))


@keys.command("list")
def list_keys(data: DataFolder = None, database_url: DatabaseUrl = None) -> None:
    """List all keys by id, without their secrets."""
    from api.schemas import moment  # noqa: PLC0415

    for row in _open(_settings(data=data, database_url=database_url)).all_keys():
        state = "valid" if row.revoked_s is None else f"revoked {moment(row.revoked_s):%Y-%m-%d}"
        typer.echo(
            f"{row.id}  {row.tenant}  {','.join(row.scopes)}  {moment(row.created_s):%Y-%m-%d}  {state}  {row.label}"
        )


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.")],
    data: DataFolder = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key invalid from now on."""
    if not _open(_settings(data=data, database_url=database_url)).revoke_key(key_id):
        _fail(f"there is no valid key with the id {key_id}")
    typer.echo(f"revoked {key_id}")


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT)
    for noisy in ("dbos", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _settings(**given: Any) -> Settings:
    """Return the settings: arguments go before the environment."""
    from pydantic import ValidationError  # noqa: PLC0415

    from api.settings import Settings  # noqa: PLC0415

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        _fail("; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()))


def _environment(settings: Settings) -> dict[str, str]:
    """Return the settings as variables for a worker process."""
    kept = {
        "data": settings.data.resolve(),
        "database_url": settings.database_url,
        "plan_workers": settings.plan_workers,
        "cluster": settings.cluster,
        "artifacts": settings.artifacts,
    }
    return {f"SHANLU_{name.upper()}": str(value) for name, value in kept.items() if value is not None}


def _open(settings: Settings) -> Store:
    """Open the database and bring it to the tables of this version."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from api import schema  # noqa: PLC0415
    from api.store import Store, open_engine  # noqa: PLC0415

    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        engine = open_engine(settings.url)
        schema.upgrade(engine)
    except (SQLAlchemyError, OSError) as error:
        typer.echo(f"error: the database or the data folder cannot be opened: {error}", err=True)
        raise typer.Exit(EXIT_UNAVAILABLE) from None
    return Store(engine)


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(EXIT_INPUT)
