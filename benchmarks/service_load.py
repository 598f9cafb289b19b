"""Clients of the service under load: each asks at its own random moments, whether it was answered or not.

A client that waits for its answer before it plans its next request asks less of a slow server and flatters it; here
the moments are drawn beforehand and a time counts from the moment the request was due ("open loop"). All clients live
in one process over connections kept open, parsed as far as needed only, so that they leave the processor to the server.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import uvloop

PAUSE_S = 1.0
"""Mean time between two requests of a client: 200 clients ask 200 times a second."""
SUBMIT_SHARE = 0.01
"""Share of requests that submit a small plan instead of reading a status."""
SUBMITTED = {"scenario": {"folder": "tiny"}, "max_iterations": 0}
ANSWER_S = 30.0
"""A request not answered by then is an error."""


@dataclass
class Figures:
    """What the clients saw; times in seconds.

    Parameters
    ----------
    late_s
        By how much the clients' own process was late to send each request, once it was due and the client's
        request before it was answered; part of the times as well.
    client_cpu_s
        Processor of the clients' process.
    """

    reads_s: list[float] = field(default_factory=list)
    submits_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    client_cpu_s: float = 0.0


def run_clients(port: int, plans: Sequence[str], clients: int, seconds: float) -> Figures:
    """Let clients read the statuses of plans, and submit now and then, for some time.

    Parameters
    ----------
    port
        Of the service on this machine.
    plans
        Ids of the plans whose status is read.
    """
    figures = Figures()
    used_s = time.process_time()

    async def together() -> None:
        end = time.perf_counter() + seconds
        await asyncio.gather(*(_client(number, port, plans, end, figures) for number in range(clients)))

    uvloop.run(together())
    figures.client_cpu_s = time.process_time() - used_s
    return figures


async def _client(number: int, port: int, plans: Sequence[str], end: float, figures: Figures) -> None:
    draw = random.Random(number)
    connection = _Connection(port)
    free = time.perf_counter()
    due = free + draw.uniform(0.0, PAUSE_S)
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        figures.late_s.append(time.perf_counter() - max(due, free))
        submits = draw.random() < SUBMIT_SHARE
        request, wanted = (_SUBMIT, 202) if submits else (_read(draw.choice(plans)), 200)
        try:
            status = await asyncio.wait_for(connection.ask(request), ANSWER_S)
        except (OSError, EOFError, TimeoutError) as error:
            figures.errors.append(f"{type(error).__name__}: {error}")
            connection.close()
        else:
            (figures.submits_s if submits else figures.reads_s).append(time.perf_counter() - due)
            if status != wanted:
                figures.errors.append(f"status {status}")
        free = time.perf_counter()
        due += draw.expovariate(1.0 / PAUSE_S)
    connection.close()


def _read(plan_id: str) -> bytes:
    return f"GET /v1/plans/{plan_id} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n".encode()


def _submit() -> bytes:
    body = json.dumps(SUBMITTED)
    head = "POST /v1/plans HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


_SUBMIT = _submit()


class _Connection:
    """A connection that is opened when needed and kept as long as the server keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """Send a request and return the status of the answer, its body read."""
        if self._streams is None or self._streams[0].at_eof():  # the server closes what is silent for five seconds
            self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        return int(head[9:12])

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
