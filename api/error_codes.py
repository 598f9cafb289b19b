"""Every error code of the service: its status, its title and what to do. ``docs/reference/api.md`` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ErrorCode(StrEnum):
    """Stable codes of problem documents."""

    MALFORMED_BODY = "MALFORMED_BODY"
    INVALID_REQUEST = "INVALID_REQUEST"
    INVALID_SCENARIO = "INVALID_SCENARIO"
    INVALID_PLAN = "INVALID_PLAN"
    UNANSWERABLE = "UNANSWERABLE"
    UPLOAD_REFUSED = "UPLOAD_REFUSED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    INVALID_TOKEN = "INVALID_TOKEN"  # noqa: S105 - a code
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - a code
    IDENTITY_PROVIDER_DOWN = "IDENTITY_PROVIDER_DOWN"
    FORBIDDEN = "FORBIDDEN"
    FOREIGN_ORIGIN = "FOREIGN_ORIGIN"
    UNKNOWN_HOST = "UNKNOWN_HOST"
    NOT_FOUND = "NOT_FOUND"
    PLAN_NOT_FOUND = "PLAN_NOT_FOUND"
    NETWORK_NOT_FOUND = "NETWORK_NOT_FOUND"
    SITING_NOT_FOUND = "SITING_NOT_FOUND"
    SCENARIO_NOT_FOUND = "SCENARIO_NOT_FOUND"
    ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
    DAY_FILE_NOT_FOUND = "DAY_FILE_NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    RESULT_NOT_READY = "RESULT_NOT_READY"
    NO_RESULT = "NO_RESULT"
    NETWORK_NOT_READY = "NETWORK_NOT_READY"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    TOO_MANY_ORDERS = "TOO_MANY_ORDERS"
    TOO_MANY_PLACES = "TOO_MANY_PLACES"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    RATE_LIMITED = "RATE_LIMITED"
    TOO_MANY_JOBS = "TOO_MANY_JOBS"
    NOT_READY = "NOT_READY"
    BROKEN_PLAN = "BROKEN_PLAN"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """What a code means: HTTP status, title and suggested action."""

    status: int
    title: str
    action: str


ERROR_KINDS: dict[ErrorCode, ErrorKind] = {
    ErrorCode.MALFORMED_BODY: ErrorKind(400, "The body cannot be read.", "Mend the syntax at the place named."),
    ErrorCode.INVALID_REQUEST: ErrorKind(
        422, "The request is not of the documented form.", "Mend every fault listed; each names its place."
    ),
    ErrorCode.INVALID_SCENARIO: ErrorKind(
        422, "The scenario has faults.", "Mend every fault listed, or set reject_bad_rows to set faulty orders aside."
    ),
    ErrorCode.INVALID_PLAN: ErrorKind(
        422, "The document is not a plan.", "Send a plan.json as docs/reference/formats.md describes it."
    ),
    ErrorCode.UNANSWERABLE: ErrorKind(
        422, "The question cannot be asked or met.", "Look at each fault: it says the least that would do."
    ),
    ErrorCode.UPLOAD_REFUSED: ErrorKind(
        422, "The upload is refused.", "Send a plain zip of the scenario folder, within the limits named."
    ),
    ErrorCode.UNAUTHENTICATED: ErrorKind(
        401, "A valid API key is needed.", "Send 'Authorization: Bearer KEY' with a key of 'shanlu keys create'."
    ),
    ErrorCode.INVALID_TOKEN: ErrorKind(
        401, "The token of the identity provider is not valid here.", "Get a token of the issuer for this audience."
    ),
    ErrorCode.TOKEN_EXPIRED: ErrorKind(401, "The token has expired.", "Get a new token from the identity provider."),
    ErrorCode.IDENTITY_PROVIDER_DOWN: ErrorKind(
        503, "The identity provider does not answer.", "Try again as Retry-After says, or use an API key."
    ),
    ErrorCode.FORBIDDEN: ErrorKind(403, "The key's scopes do not allow this.", "Use a key with the scope named."),
    ErrorCode.FOREIGN_ORIGIN: ErrorKind(
        403, "Requests from pages of other sites are refused.", "Call the service from a server or its own page."
    ),
    ErrorCode.UNKNOWN_HOST: ErrorKind(
        421, "The service does not answer under this host name.", "Use a known name, or set SHANLU_ALLOWED_HOSTS."
    ),
    ErrorCode.NOT_FOUND: ErrorKind(404, "There is nothing at this path.", "See /openapi.json for all paths."),
    ErrorCode.PLAN_NOT_FOUND: ErrorKind(404, "There is no such plan.", "List the plans with GET /v1/plans."),
    ErrorCode.NETWORK_NOT_FOUND: ErrorKind(
        404, "There is no such network.", "List the networks with GET /v1/networks."
    ),
    ErrorCode.SITING_NOT_FOUND: ErrorKind(404, "There is no such siting.", "List the sitings with GET /v1/sitings."),
    ErrorCode.SCENARIO_NOT_FOUND: ErrorKind(
        404, "There is no such scenario folder.", "Name a folder below SHANLU_SCENARIOS, or upload the scenario."
    ),
    ErrorCode.ORDER_NOT_FOUND: ErrorKind(404, "No finished plan has such an order.", "Check the id of the order."),
    ErrorCode.DAY_FILE_NOT_FOUND: ErrorKind(404, "The network has no such file.", "Send one with PUT."),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorKind(
        405, "The method is not allowed here.", "Use one of the methods in the Allow header."
    ),
    ErrorCode.NOT_ACCEPTABLE: ErrorKind(
        406, "The result is not made in an acceptable media type.", "Accept one of the types named."
    ),
    ErrorCode.RESULT_NOT_READY: ErrorKind(409, "The plan is not finished.", "Wait for the state 'successful'."),
    ErrorCode.NO_RESULT: ErrorKind(
        409, "The plan ended without a result.", "Look at its 'error', mend the cause and plan again."
    ),
    ErrorCode.NETWORK_NOT_READY: ErrorKind(
        409, "The network is not prepared.", "Wait for its state 'successful', or look at its 'error'."
    ),
    ErrorCode.PRECONDITION_FAILED: ErrorKind(
        412, "The resource has changed since.", "Read it again and decide anew; then send its ETag."
    ),
    ErrorCode.IDEMPOTENCY_MISMATCH: ErrorKind(
        422, "The Idempotency-Key was used with another request.", "Use a new key for a new request."
    ),
    ErrorCode.BODY_TOO_LARGE: ErrorKind(413, "The body is too large.", "Stay below the limit named."),
    ErrorCode.TOO_MANY_ORDERS: ErrorKind(422, "The plan has too many orders.", "Split the orders over several plans."),
    ErrorCode.TOO_MANY_PLACES: ErrorKind(422, "The matrix has too many places.", "Ask for several smaller matrices."),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: ErrorKind(
        415, "The body's media type is not read here.", "Send one of the types named."
    ),
    ErrorCode.RATE_LIMITED: ErrorKind(429, "Too many requests.", "Wait as long as Retry-After says."),
    ErrorCode.TOO_MANY_JOBS: ErrorKind(
        429, "Too many unfinished jobs.", "Wait until one finishes, or stop one with DELETE."
    ),
    ErrorCode.NOT_READY: ErrorKind(503, "The service is not ready.", "Try again in a few seconds."),
    ErrorCode.BROKEN_PLAN: ErrorKind(
        500, "The plan made breaks its own rules.", "Report this as a bug with the scenario, if you may share it."
    ),
    ErrorCode.TOO_MANY_ATTEMPTS: ErrorKind(
        500, "The job's worker died too often.", "Look at the workers' memory and logs; then plan again."
    ),
    ErrorCode.INTERNAL: ErrorKind(500, "Something went wrong inside.", "Report this with the request id."),
}
