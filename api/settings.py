"""Settings of the service: environment variables that begin with ``SHANLU_``, or arguments of ``shanlu serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
MEGABYTE = 1_000_000
SignatureAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a private key only: with a shared secret, or none, whoever verifies could also sign."""


class Settings(BaseSettings):
    """Everything that can be set; each field is also the variable ``SHANLU_<NAME>`` in capitals."""

    model_config = SettingsConfigDict(env_prefix="SHANLU_", extra="ignore", frozen=True)

    data: Path = Field(default=Path("shanlu-data"), description="folder of the database, uploads and results")
    database_url: str | None = Field(default=None, description="SQLAlchemy URL; default: SQLite in the data folder")
    artifacts: str | None = Field(
        default=None,
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$",
        description="s3://bucket/prefix for inputs and results, which the data folder then only mirrors",
    )
    scenarios: Path | None = Field(default=None, description="folder whose subfolders requests may name as scenarios")
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65_535, description="port to listen on")
    workers: int = Field(default=1, ge=0, le=256, description="worker processes that `serve` keeps running")
    plan_workers: int | None = Field(
        default=None, ge=1, le=256, description="processes that search one plan; default: one, on a cluster all it has"
    )
    cluster: str | None = Field(default=None, description="Dask scheduler whose workers search beside ours")
    worker_niceness: int = Field(
        default=10, ge=0, le=19, description="how far workers and calculations give way to the server, as of `nice`"
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="names of the service in URLs; empty: any (with keys)"
    )
    max_body_bytes: int = Field(default=200 * MEGABYTE, ge=1, description="largest request body")
    max_unpacked_bytes: int = Field(default=2_000 * MEGABYTE, ge=1, description="largest unpacked size of an upload")
    max_upload_files: int = Field(default=2_000, ge=1, description="most files in an upload")
    max_day_file_bytes: int = Field(default=20 * MEGABYTE, ge=1, description="largest file of the day of a network")
    max_orders: int = Field(default=20_000, ge=1, description="most orders of one plan")
    max_matrix_places: int = Field(default=500, ge=2, description="most places of one matrix")
    max_vroom_tasks: int = Field(default=1_000, ge=1, description="most jobs and shipment ends of one VROOM request")
    max_vroom_vehicles: int = Field(default=200, ge=1, description="most vehicles of one VROOM request")
    max_time_limit_s: float = Field(default=3_600.0, gt=0, description="longest search of one plan, seconds")
    vroom_time_limit_s: float = Field(default=5.0, gt=0, description="search time of a VROOM request, seconds")
    vroom_network: str | None = Field(
        default=None, description="id of the network that routes VROOM coordinates; default: the newest"
    )
    prefer_held_s: float = Field(
        default=30.0,
        ge=0,
        description="how long jobs may wait while workers prefer jobs on networks they hold, seconds",
    )
    max_active_jobs: int = Field(default=20, ge=1, description="most unfinished jobs of one tenant")
    max_attempts: int = Field(default=25, ge=1, description="how often a job is begun anew when its worker dies")
    rate_limit: str = Field(default="1200/minute", description="requests of one key or address, as `count/period`")
    max_wait_s: int = Field(default=60, ge=0, description="longest time that `Prefer: wait` holds a request")
    lost_worker_s: float = Field(default=30.0, gt=0, description="silence after which a worker counts as dead, seconds")

    oidc_issuer: str | None = Field(default=None, description="issuer of bearer tokens taken beside API keys")
    oidc_audience: str | None = Field(default=None, description="audience those tokens must be for")
    oidc_jwks_url: str | None = Field(
        default=None, description="where the issuer's keys are; default: as its discovery document says"
    )
    oidc_algorithms: tuple[SignatureAlgorithm, ...] = Field(
        default=("RS256", "ES256"), min_length=1, description="signatures taken"
    )
    oidc_scope_claim: str = Field(default="scope", description="claim with the scopes: words, or a list of them")
    oidc_scope_prefix: str = Field(default="shanlu:", description="what stands before `read`, `plan`, `admin` there")
    oidc_tenant_claim: str = Field(default="tenant", description="claim that names the tenant")
    oidc_leeway_s: float = Field(default=30.0, ge=0, le=300, description="how far clocks may differ, seconds")

    @model_validator(mode="after")
    def _tokens_are_for_us(self) -> Settings:
        if (self.oidc_issuer is None) != (self.oidc_audience is None):
            msg = "oidc_issuer and oidc_audience are set together: a token for others must not open this service"
            raise ValueError(msg)
        return self

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{(self.data / 'shanlu.sqlite').resolve()}"

    @property
    def binds_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return self.host in LOOPBACK_HOSTS

    def job_folder(self, job_id: str) -> Path:
        """Folder of everything one plan or network consists of."""
        return self.data / "jobs" / job_id

    @property
    def staging_folder(self) -> Path:
        """Folder where uploads are unpacked before they are accepted; on the same file system as the jobs."""
        return self.data / "staging"
