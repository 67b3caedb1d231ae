"""A call as a handler sees it, how pages are cut, and what the account tells about people, set-up and single tickets.

Vendor sheet 2.4, 2.6, 2.8.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from adapters.freshdesk.simulator import rules
from adapters.freshdesk.simulator.records import Row
from adapters.freshdesk.simulator.rules import shown as deadlines
from adapters.freshdesk.simulator.state import Freshdesk
from adapters.simulation.answers import Record, Reply, stamp

USUAL, LARGEST = 30, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request after authentication. `base` is the address it came in under, without a path."""

    desk: Freshdesk
    agent: Record
    path: str
    query: QueryParams
    base: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None

    def takes(self, *names: str) -> None:
        """Refuse with 400 a query parameter that is none of these."""
        for name in self.query:
            if name not in names:
                raise rules.unknown_field(name)

    def number(self, name: str, default: int) -> int:
        """A whole number of the query from 1 on; Refused with 400 if it is none."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdigit() or int(text) < 1:
            raise rules.invalid((name, "It should be a Positive Integer", "datatype_mismatch"))
        return int(text)

    def includes(self, allowed: Set[str], played: Set[str]) -> set[str]:
        """What `include` asks for; Refused with 400, or 501 where Freshdesk knows it and this does not."""
        wanted = set(self.query.get("include", "").split(",")) - {""}
        if wanted - allowed:
            text = f"It should be one of these values: '{','.join(sorted(allowed))}'"
            raise rules.invalid(("include", text, "invalid_value"))
        if wanted - played:
            raise rules.not_played(f"include={','.join(sorted(wanted - played))} on {self.path}")
        return wanted

    def need_admin(self) -> None:
        """Refuse with 403 unless the caller is an administrator."""
        if not self.agent["admin"]:
            raise rules.denied()


def paged(call: Call, rows: Iterable[Record], *, last: int | None = None) -> Reply:
    """One page of a bare list. `Link` is there when another follows; its spelling is the vendor's."""
    size, page = call.number("per_page", USUAL), call.number("page", 1)
    if size > LARGEST:
        text = f"It should be a Positive Integer less than or equal to {LARGEST}"
        raise rules.invalid(("per_page", text, "invalid_value"))
    if last is not None and page > last:
        text = f"You cannot access tickets beyond the {last}th page. Please provide a smaller page number."
        raise rules.invalid(("page", text, "invalid_value"))
    listed = list(rows)
    part = listed[(page - 1) * size : page * size]
    headers = {}
    if page * size < len(listed):
        kept = [(name, value) for name, value in call.query.multi_items() if name != "page"]
        address = f"{call.base}{call.path}?{urlencode([*kept, ('page', page + 1)])}"
        headers["Link"] = f'< {address}>;rel="next"'
    return Reply(body=part, headers=headers)


EMBEDS = {"conversations", "requester", "company", "stats"}
EMBEDDED = 10  # conversations that `include` shows, the oldest
OWN_GROUPS = ("group_ids", "role_ids", "skill_ids")


def me(call: Call) -> Reply:
    """GET /agents/me: whom the key acts as; for every agent."""
    return Reply(body=shown_agent(call.agent))


def agents(call: Call) -> Reply:
    """GET /agents: for administrators, and without the agents' groups."""
    call.need_admin()
    call.takes("page", "per_page", "email", "state")
    rows = [shown_agent(row) for _, row in sorted(call.desk.people.agents.items())]
    if not call.desk.switches.agents_list_groups:
        rows = [{name: row[name] for name in row if name not in OWN_GROUPS} for row in rows]
    return paged(call, rows)


def agent(call: Call) -> Reply:
    """GET /agents/{id}."""
    call.need_admin()
    return Reply(body=shown_agent(_one(call.desk.people.agents, call)))


def shown_agent(row: Record) -> Record:
    """An agent as Freshdesk shows one: whether they are an administrator hides in their roles."""
    return {name: value for name, value in row.items() if name != "admin"}


def groups(call: Call) -> Reply:
    """GET /groups: without the groups' agents."""
    call.takes("page", "per_page")
    rows = [shown_group(call, row) for _, row in sorted(call.desk.people.groups.items())]
    if not call.desk.switches.groups_list_members:
        rows = [{name: row[name] for name in row if name != "agent_ids"} for row in rows]
    return paged(call, rows)


def group(call: Call) -> Reply:
    """GET /groups/{id}."""
    return Reply(body=shown_group(call, _one(call.desk.people.groups, call)))


def shown_group(call: Call, row: Record) -> Record:
    """A group; whether it assigns by itself was a yes or no once."""
    assigns = row["auto_ticket_assign"]
    return {**row, "auto_ticket_assign": bool(assigns) if call.desk.switches.yes_no_assignment else assigns}


def contact(call: Call) -> Reply:
    """GET /contacts/{id}. An agent who asked is no contact."""
    return Reply(body=_one(call.desk.people.contacts, call))


def ticket_fields(call: Call) -> Reply:
    """GET /ticket_fields: the whole form at once."""
    if call.desk.switches.fields == "forbidden":
        raise rules.denied()
    rows = []
    for name, row in call.desk.people.fields.items():
        choices = call.desk.people.choices(name)
        if name == "status" and call.desk.switches.status_timers == "form":
            choices = call.desk.people.timed_statuses()
        rows.append(row if choices is None else {**row, "choices": choices})
    return Reply(body=rows)


def ticket_field(call: Call) -> Reply:
    """GET /admin/ticket_fields/{id}: one field with all that administrators see of it."""
    call.need_admin()
    row = _one({row["id"]: row for row in call.desk.people.fields.values()}, call)
    if row["name"] != "status" or call.desk.switches.status_timers == "hidden":
        return Reply(body=row)
    return Reply(body={**row, "choices": call.desk.people.timed_statuses()})


def sla_policies(call: Call) -> Reply:
    """GET /sla_policies: for administrators."""
    call.need_admin()
    if call.desk.switches.slas == "forbidden":
        raise rules.not_in_plan("Sla Management")
    return paged(call, call.desk.people.sla_policies.values())


def business_hours(call: Call) -> Reply:
    """GET /business_hours: for administrators."""
    call.need_admin()
    return paged(call, call.desk.people.business_hours.values())


def update_rules(call: Call) -> Reply:
    """GET /automations/4/rules: those on ticket updates, the webhooks' own among them."""
    call.need_admin()
    if call.desk.switches.rules == "forbidden":
        raise rules.denied()
    rows = [
        {
            "id": hook.id,
            "name": "Tell Uptier",
            "active": True,
            "actions": [{"field_name": "trigger_webhook", "request_type": "POST", "url": hook.url}],
        }
        for hook in call.desk.hooks.hooks
    ]
    return Reply(body={"rules": rows, "meta": {"count": len(rows), "cascading_rules": False}})


def one_ticket(call: Call) -> Reply:
    """GET /tickets/{id}: also of a deleted one, as the account's switch says."""
    call.takes("include")
    wanted = call.includes(EMBEDS, EMBEDS)
    row = found(call)
    if row.archived:
        if call.desk.switches.archived_get == "missing":
            raise rules.missing()
        return Reply(status=301, headers={"Location": f"{call.base}/api/v2/tickets/archived/{row.id}"})
    if row.removed == "deleted":
        if call.desk.switches.deleted_get == "missing":
            raise rules.missing()
        if call.desk.switches.deleted_get == "forbidden":
            raise rules.denied()
    return Reply(body=shown_ticket(call, row, wanted))


def conversations(call: Call) -> Reply:
    """GET /tickets/{id}/conversations: all kinds, the oldest first."""
    call.takes("page", "per_page")
    row = found(call)
    if row.archived:
        raise rules.missing()
    return paged(call, [shown_conversation(call, each) for each in row.conversations])


def satisfaction_ratings(call: Call) -> Reply:
    """GET /tickets/{id}/satisfaction_ratings: what the requester answered, the oldest first."""
    call.takes("page", "per_page")
    row = found(call)
    return paged(call, [{**each, "created_at": stamp(each["created_at"])} for each in row.ratings])


def archived(call: Call) -> Reply:
    """GET /tickets/archived/{id}: on plans that have an archive."""
    if call.desk.switches.archive == "forbidden":
        raise rules.not_in_plan("Archive Tickets")
    row = found(call)
    if not row.archived:
        raise rules.missing()
    return Reply(body={**shown_ticket(call, row, set()), "archived": True})


def found(call: Call) -> Row:
    """The ticket of the path, whatever has become of it; Refused with 404 if there never was one."""
    text = str(call.params["id"])
    if not text.isdigit() or int(text) not in call.desk.tickets:
        raise rules.missing()
    return call.desk.tickets[int(text)]


def shown_ticket(call: Call, row: Row, wanted: set[str]) -> Record:
    """A ticket as this caller sees it, with what is embedded. Only a deleted one says whether it is."""
    desk = call.desk
    shown = {**row.json, **deadlines(row, desk.now())}
    if row.removed == "deleted":
        shown["deleted"] = True
    if "stats" in wanted:
        shown["stats"] = dict(row.stats)
    if "requester" in wanted:
        shown["requester"] = _brief(desk.people.contacts.get(row.json["requester_id"]))
    if "company" in wanted:
        company = desk.people.companies.get(row.json["company_id"])
        shown["company"] = {} if company is None else {"id": company["id"], "name": company["name"]}
    if "conversations" in wanted:
        shown["conversations"] = [shown_conversation(call, each) for each in row.conversations[:EMBEDDED]]
    return {name: value for name, value in (shown | row.shows).items() if name not in row.hides}


def shown_conversation(call: Call, row: Record) -> Record:
    """A conversation; the undocumented keys may be missing."""
    if call.desk.switches.tells_automation:
        return row
    return {name: row[name] for name in row if name not in ("automation_id", "auto_response", "category")}


def _brief(row: Record | None) -> Any:
    return None if row is None else {name: row[name] for name in ("id", "name", "email", "mobile", "phone")}


def _one(table: dict[int, Record], call: Call) -> Record:
    text = str(call.params["id"])
    if not text.isdigit() or int(text) not in table:
        raise rules.missing()
    return table[int(text)]
