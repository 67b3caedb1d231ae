"""The API described as OpenAPI 3.1."""

from typing import Any

from connector.console.commands import VERBS


def _get(summary: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": ANSWERS}}


def _post(summary: str, schema: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {
        "post": {
            "summary": summary, "parameters": list(parameters), "requestBody": body, "responses": ANSWERS,
        }
    }  # fmt: skip


def _within(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": TEXT}


TEXT = {"type": "string"}
JSON: dict[str, Any] = {"application/json": {"schema": {}}}
ANSWERS = {
    "200": {"description": "Done.", "content": JSON},
    "400": {"description": "It was not asked in a way that can be done; the message says why."},
    "401": {"description": "No token, or one that is not known."},
    "403": {"description": "The token's user may not do this."},
    "404": {"description": "There is no such ticket."},
    "503": {"description": "The database cannot be used at the moment."},
}
TICKET = (_within("account"), _within("ticket"))
ORDER = {
    "type": "object",
    "required": ["verb"],
    "additionalProperties": TEXT,
    "properties": {
        "verb": {"enum": list(VERBS)},
        "policy": TEXT,
        "reason": TEXT,
        "level": TEXT,
        "for": {"type": "string", "description": "How long a snooze lasts, such as 2h."},
    },
}
RELEASE = {
    "type": "object",
    "required": ["account"],
    "properties": {"account": TEXT, "ticket": TEXT, "reason": TEXT},
}
AFTER = {"name": "after", "in": "query", "schema": {"type": "integer", "default": 0}}
DAYS = (
    {"name": "from", "in": "query", "schema": {"type": "string", "format": "date"}},
    {"name": "to", "in": "query", "schema": {"type": "string", "format": "date"}},
    {"name": "timezone", "in": "query", "schema": TEXT},
)

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Uptier", "version": "1"},
    "security": [{"bearer": []}],
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/api/v1/escalations": _get("What is escalated at this moment."),
        "/api/v1/watch": _get("The tickets nearest to a level."),
        "/api/v1/health": _get("How the service is doing."),
        "/api/v1/ledger": _get("The ledger's lines behind an id, at most 500.", AFTER),
        "/api/v1/policies": _get("Each policy in plain words, and how often it spoke in seven days."),
        "/api/v1/matrix": _get("Who answers for which tickets, when, and what is missing."),
        "/api/v1/report": _get("The measures of some days; the last thirty if none are named.", *DAYS),
        "/api/v1/tickets/{account}/{ticket}": _get("All about one ticket.", *TICKET),
        "/api/v1/tickets/{account}/{ticket}/orders": _post("Leave an order for a ticket.", ORDER, *TICKET),
        "/api/v1/holds/release": _post("Let what is held go on.", RELEASE),
    },
}
