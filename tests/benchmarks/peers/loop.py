"""A hand-written loop with httpx, one connection, one ticket after the other: read, read the history, write.

python -m tests.benchmarks.peers.loop VENDOR URL SECRETS TICKET...
"""

import json
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx

NOTE = "urgent-unanswered, Second line: nobody has answered for 30 minutes. Owner: Tier 2."


def zendesk(client: httpx.Client, ticket: str) -> None:
    """The ticket, its audits, one PUT with note, tag and group."""
    row = client.get(f"/api/v2/tickets/{ticket}").json()["ticket"]
    client.get(f"/api/v2/tickets/{ticket}/audits")
    change = {
        "comment": {"body": NOTE, "public": False},
        "tags": [*row["tags"], "escalated"],
        "group_id": second_line(client, "/api/v2/groups")["id"],
        "safe_update": True,
        "updated_stamp": row["updated_at"],
    }
    client.put(f"/api/v2/tickets/{ticket}", json={"ticket": change}).raise_for_status()


def freshdesk(client: httpx.Client, ticket: str) -> None:
    """The ticket, its conversations, a PUT, a note."""
    row = client.get(f"/api/v2/tickets/{ticket}").json()
    client.get(f"/api/v2/tickets/{ticket}/conversations")
    change = {
        "tags": [*row["tags"], "escalated"],
        "group_id": second_line(client, "/api/v2/groups")["id"],
    }
    client.put(f"/api/v2/tickets/{ticket}", json=change).raise_for_status()
    said = {"body": NOTE, "private": True}
    client.post(f"/api/v2/tickets/{ticket}/notes", json=said).raise_for_status()


def servicenow(client: httpx.Client, ticket: str) -> None:
    """The record, its journal, a PATCH."""
    row = client.get(f"/api/now/table/incident/{ticket}").json()["result"]
    said = {"sysparm_query": f"element_id={ticket}"}
    client.get("/api/now/table/sys_journal_field", params=said)
    change = {
        "work_notes": NOTE,
        "correlation_display": row["correlation_display"] + ", escalated",
        "assignment_group": second_line(client, "/api/now/table/sys_user_group")["sys_id"],
    }
    client.patch(f"/api/now/table/incident/{ticket}", json=change).raise_for_status()


@cache
def second_line(client: httpx.Client, path: str) -> Any:
    """The group, whose list is read once; what the list stands in differs."""
    listed = client.get(path).json()
    rows = listed if isinstance(listed, list) else listed.get("groups") or listed["result"]
    return next(each for each in rows if each["name"] == "Tier 2")


ESCALATE: dict[str, Callable[[httpx.Client, str], None]] = {
    "zendesk": zendesk,
    "freshdesk": freshdesk,
    "servicenow": servicenow,
}


def signed_on(vendor: str, url: str, secrets: dict[str, str]) -> httpx.Client:
    """A client with the account's credentials."""
    if vendor == "zendesk":
        return httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {secrets['UPTIER_SECRET_ACME_TOKEN']}"}
        )
    if vendor == "freshdesk":
        return httpx.Client(base_url=url, auth=(secrets["UPTIER_SECRET_FRESH_KEY"], "X"))
    signed = ("uptier.bot", secrets["UPTIER_SECRET_NOW_PASSWORD"])
    return httpx.Client(base_url=url, auth=signed, headers={"Accept": "application/json"})


def main(vendor: str, url: str, secrets: str, tickets: list[str]) -> None:
    """Escalate each; prints seconds and CPU seconds."""
    with signed_on(vendor, url, json.loads(secrets)) as client:
        began, used = time.perf_counter(), time.process_time()
        for ticket in tickets:
            ESCALATE[vendor](client, ticket)
        told = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
