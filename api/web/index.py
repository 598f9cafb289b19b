"""The page at ``/``: the newest plans with their state and links to their maps. No script, nothing from outside."""

from __future__ import annotations

from html import escape

from api.schemas import moment
from api.store import Job

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c2a22}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.4rem .8rem;border-bottom:1px solid #dde5df}"
    "code{background:#eef3ef;padding:.1rem .3rem}a{color:#1d6b45}"
)


def index_page(jobs: list[Job]) -> str:
    """Return the page."""
    rows = "".join(_row(job) for job in jobs)
    table = (
        f"<table><tr><th>Plan</th><th>State</th><th>Made</th><th>Served</th><th>Cost</th><th></th></tr>{rows}</table>"
        if jobs
        else "<p>No plan yet. Send one: <code>curl -F scenario=@county.zip 'http://HOST/v1/plans'</code></p>"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shanlu</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f'<h1>Shanlu 山路</h1>{table}<p><a href="/openapi.json">OpenAPI</a> · <a href="/metrics">Metrics</a></p>'
        "</body></html>"
    )


def _row(job: Job) -> str:
    result = job.result or {}
    served = f"{result['served']} of {result['orders']}" if result else ""
    cost = f"{result['cost'] / 100:,.2f} {result['currency']}" if result else ""
    own = f"/v1/plans/{job.id}"
    links = f'<a href="{own}/map">map</a> <a href="{own}/manifests">manifests</a>' if result else ""
    made = moment(job.created_s)
    cells = (
        f'<a href="{own}">{escape(job.name)}</a>',
        escape(job.state.value),
        escape(f"{made:%Y-%m-%d %H:%M} UTC"),
        escape(served),
        escape(cost),
        links,
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
