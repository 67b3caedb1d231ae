"""Who may call and how often, what an instance does to an update before it is stored and writes down afterwards, and
how it says no.

Write filters, data policy, states, the priority lookup, customers' own rules, the journal, the audit: vendor sheet 1.5,
1.8, 2.2 to 2.4 and 2.7. Refusals: 1.9.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.servicenow.simulator.records import COLUMNS, JOURNALS, OVER, Record, Switches, stamp
from adapters.simulation.answers import Refused, Reply, html_page
from adapters.simulation.faults import Windows
from adapters.simulation.oauth import Tokens, basic_pair

if TYPE_CHECKING:
    from adapters.servicenow.simulator.state import ServiceNow


HTML = "<html><head><title>{title}</title></head><body class='{name}'><h1>{title}</h1></body></html>"
ACL = "ACL Exception {verb} Failed due to security constraints"
CANCELLED = "Transaction cancelled: maximum execution time exceeded"


def envelope(message: str, detail: str | None) -> dict[str, Any]:
    """The body of a refusal."""
    return {"error": {"message": message, "detail": detail}, "status": "failure"}


def refused(
    status: int, message: str, detail: str | None, headers: Mapping[str, str] | None = None
) -> Refused:
    """Make the exception that carries this answer."""
    return Refused(Reply(status=status, body=envelope(message, detail), headers=headers or {}))


def unauthenticated() -> Refused:
    """401: unknown, ended or missing credentials."""
    return refused(401, "User Not Authenticated", "Required to provide Auth information")


def no_table(name: str) -> Refused:
    """400: no such table."""
    return refused(400, f"Invalid table {name}", None)


def no_rights(detail: str) -> Refused:
    """403 to a query."""
    return refused(403, "Insufficient rights to query records", detail)


def no_write(verb: str) -> Refused:
    """403 to a write that an Access Control rule forbids."""
    return refused(403, "Operation Failed", ACL.format(verb=verb))


def mandatory(columns: str) -> Refused:
    """403 of a data policy."""
    return refused(
        403, "Operation Failed", f"Data Policy Exception: The following fields are mandatory: {columns}"
    )


def aborted(table: str, rule: str, sys_id: str) -> Refused:
    """403 of a Business Rule that aborts."""
    named = f"{rule}^{sys_id}"
    detail = (
        f"Operation against file '{table}' was aborted by Business Rule '{named}'. Business Rule Stack:{rule}"
    )
    return refused(403, "Operation Failed", detail)


def no_record() -> Refused:
    """404: gone, or hidden."""
    return refused(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")


def not_played(what: str) -> Refused:
    """501: the vendor may know this, the simulator does not. No instance answers so."""
    return refused(501, f"The simulator does not play {what}", "See adapters/servicenow/simulator/app.py")


def preset(status: int) -> Reply:
    """The usual answer of that status, for a scripted fault that gives no body of its own."""
    if status == 200:
        return html_page(200, HTML.format(title="Instance Hibernating", name="instance-hibernating-page"))
    if status == 302:
        return Reply(status=302, headers={"Location": "/login.do"})
    if status == 401:
        return unauthenticated().reply
    if status == 403:
        return no_write("Update").reply
    if status == 404:
        return no_record().reply
    if status == 429:
        return Reply(status=429, body=envelope("Rate limit exceeded", None))
    if status == 500:
        return Reply(status=500, body=envelope(CANCELLED, f"{CANCELLED} Check logs for error trace"))
    if status in (202, 204):
        return Reply(status=status)
    return html_page(status, HTML.format(title=f"{status}", name="proxy"))


COOKIE = "JSESSIONID"


class Access(Tokens):
    """The instance's credentials, and the server sessions behind the cookies. Nothing is accepted until it was put
    here. Vendor sheet 4.1 to 4.3 and 4.6."""

    def __init__(self, now: Callable[[], int], switches: Switches) -> None:
        super().__init__(now, life=switches.token_life, refreshes=switches.refresh_tokens)
        self.switches = switches
        self.passwords: dict[str, str] = {}
        self.keys: dict[str, str] = {}  # API key -> user name
        self.clients: dict[str, tuple[str, str]] = {}  # client -> secret, application user
        self.sessions: set[str] = set()

    def revoke(self) -> None:
        """Every password, key and token stops working; OAuth clients may still ask for a new token."""
        self.passwords.clear()
        self.keys.clear()
        self.tokens.clear()

    def end_sessions(self) -> None:
        """Every server session ends, as at a failover."""
        self.sessions.clear()

    def caller(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> str:
        """The user name behind a request; Refused with 401 otherwise."""
        if self.switches.strict_sessions and cookies.get(COOKIE, "") not in self.sessions | {""}:
            raise unauthenticated()
        header = headers.get("authorization", "")
        token, (login, password) = self.bearer(header), basic_pair(header)
        user = self.keys.get(headers.get("x-sn-apikey", ""))
        if user is None and token is not None:
            user = token.owner
        if user is None and password and self.passwords.get(login) == password:
            user = login
        if user is None:
            raise unauthenticated()
        return user

    def session(self, cookies: Mapping[str, str]) -> dict[str, str]:
        """The cookie that a call without a session gets."""
        if cookies.get(COOKIE) in self.sessions:
            return {}
        name = f"session-{next(self.numbers)}"
        self.sessions.add(name)
        return {"Set-Cookie": f"{COOKIE}={name}; Path=/; HttpOnly"}

    def grant(self, form: Mapping[str, str]) -> Reply:
        """Answer `POST /oauth_token.do`."""
        secret, owner = self.clients.get(form.get("client_id", ""), ("", ""))
        kind, user = form.get("grant_type"), form.get("username", "")
        if not secret or secret != form.get("client_secret"):
            body = {"error": "invalid_client", "error_description": "The client is unknown"}
            return Reply(status=401, body=body)
        whose: str | None
        if kind == "client_credentials":
            whose = owner if self.switches.application_user else None
        elif kind == "password" and self.passwords.get(user) == form.get("password"):
            whose = user
        elif kind == "refresh_token" and (known := self.refreshes.pop(form.get("refresh_token", ""), None)):
            whose = known.owner
        else:
            body = {"error": "invalid_grant", "error_description": "The grant is refused"}
            return Reply(status=401, body=body)
        return self.issue(whose, {"scope": "useraccount", "token_type": "Bearer"})


class Limits:
    """The rate rules, one for all requests and one a table, in clock hours. Vendor sheet 4.5: the headers tell the
    total and the end of the hour of the rule that was hit, never what is left."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.windows = Windows()

    def take(self, now: int, table: str) -> dict[str, str]:
        """Count one request to a table and give the headers; Refused with 429 if the hour is full. A rule for the
        table goes before the one for all."""
        own = self.switches.hourly_of.get(table)
        total, name = (self.switches.hourly, "") if own is None else (own, table)
        if total is None:
            return {}
        window = self.windows.at(name, now, HOUR, by_the_clock=True)
        ends = window.begun + HOUR
        headers = {
            "X-RateLimit-Limit": str(total), "X-RateLimit-Reset": str(ends), "X-RateLimit-Rule": f"{RULE}{name}",
        }  # fmt: skip
        if window.used >= total:
            wait = {"Retry-After": str(ends - now)} if self.switches.says_retry_after else {}
            detail = f"Rate limit of {total} requests per hour for Table API exceeded"
            raise refused(429, "Rate limit exceeded", detail, headers | wait)
        window.used += 1
        return headers


HOUR = 3600
RULE = "5f2d8e6b1b0b2010c3d8a8e3604bcb11"
MATRIX = {(i, u): i + u - 1 for i in (1, 2, 3) for u in (1, 2, 3)}
RESOLVED, HELD, AWAITING_CALLER, WORKED_ON = "6", "3", "1", "2"
UNAUDITED = frozenset({"sys_id", "sys_tags"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A Business Rule: on an update after which the record equals `when`, it sets `fields` before the record
    is stored, as whoever updates it, or aborts with its name."""

    name: str = "Customer rule"
    when: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    abort: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What somebody wants of a record. `rest` says that it came over the Table API, with its write filters."""

    user: str
    fields: Mapping[str, str]
    rest: bool = False


def save(desk: "ServiceNow", table: str, row: Record, update: Update) -> bool:
    """Store an update with everything that follows from it; whether anything was stored. Refused if not."""
    closed = desk.protected.get(table, set()) if update.rest else set()
    said = {name: update.fields[name] for name in JOURNALS if update.fields.get(name) and name not in closed}
    after = {**row, **_writable(desk, table, update)}
    if update.rest:
        _check(desk, table, row, after)
    _follow(desk, table, row, after, said, update.user)
    for rule in desk.rules:
        if all(after.get(name) == value for name, value in rule.when.items()):
            if rule.abort:
                raise aborted(table, rule.name, after["sys_id"])
            after.update(rule.fields)
    changed = {name: (row[name], after[name]) for name in after if after[name] != row[name]}
    if not (changed or said or (update.rest and desk.switches.noop_bumps)):
        return False
    row.update(after)
    row["sys_updated_on"], row["sys_updated_by"] = stamp(desk.now()), update.user
    row["sys_mod_count"] = str(int(row["sys_mod_count"]) + 1)
    for name, text in said.items():
        desk.put(
            "sys_journal_field",
            {
                "name": table, "element": name, "element_id": row["sys_id"], "value": text,
                "sys_created_on": stamp(desk.now()), "sys_created_by": update.user,
            },
        )  # fmt: skip
    audit(desk, table, row, update.user, {**changed, **{name: ("", text) for name, text in said.items()}})
    desk.hooks_hear(table, row, "update", update.user)
    return True


def _writable(desk: "ServiceNow", table: str, update: Update) -> dict[str, str]:
    """The columns that are let through; the Table API drops the others without a word."""
    kept = {name: value for name, value in update.fields.items() if name not in JOURNALS}
    if not update.rest:
        return kept
    closed = desk.protected.get(table, set()) | {"sys_tags", "number"}
    return {
        name: value
        for name, value in kept.items()
        if name in COLUMNS[table] and name not in closed and not name.startswith("sys_")
    }


def _check(desk: "ServiceNow", table: str, row: Record, after: Record) -> None:
    """Access Control on the record, and the data policy of resolving."""
    if table in desk.unwritable:
        raise no_write("Update")
    if row["state"] in OVER[table] and after["state"] != row["state"]:
        raise no_write("Update")
    ends = (
        table == "incident" and after["state"] in (RESOLVED, *OVER[table]) and after["state"] != row["state"]
    )
    missing = [
        label
        for name, label in (("close_code", "Resolution code"), ("close_notes", "Resolution notes"))
        if not after.get(name)
    ]
    if desk.switches.data_policy and ends and missing:
        raise mandatory(", ".join(missing))


def _follow(
    desk: "ServiceNow", table: str, row: Record, after: Record, said: Mapping[str, str], user: str
) -> None:
    """States that follow from others, the priority, and the counters."""
    if table == "incident":
        by_caller = user == desk.user_name(row["caller_id"])
        waits = row["state"] == HELD and row["hold_reason"] == AWAITING_CALLER
        if "comments" in said and by_caller and waits and after["state"] == HELD:
            after["state"] = WORKED_ON
        if after["state"] != HELD:
            after["hold_reason"] = ""
        after["incident_state"] = after["state"]
        if row["state"] == RESOLVED and after["state"] == WORKED_ON:
            after["reopen_count"] = str(int(row["reopen_count"] or 0) + 1)
        if desk.switches.lookup_runs:
            pair = int(after["impact"] or 3), int(after["urgency"] or 3)
            after["priority"] = str(desk.matrix.get(pair, after["priority"]))
    after["active"] = "false" if after["state"] in OVER[table] else "true"
    if any(after[name] != row[name] for name in ("assignment_group", "assigned_to")):
        after["reassignment_count"] = str(int(row["reassignment_count"] or 0) + 1)


def audit(
    desk: "ServiceNow", table: str, row: Record, user: str, changed: Mapping[str, tuple[str, str]]
) -> None:
    """One row of the audit for each column."""
    by_name = desk.switches.audit_users == "name"
    author = desk.full_name(user) if by_name else user
    for name, (before, after) in changed.items():
        if name not in UNAUDITED and not name.startswith("sys_"):
            entry = {
                "tablename": table, "documentkey": row["sys_id"], "fieldname": name, "oldvalue": before,
                "newvalue": after, "user": author, "sys_created_on": stamp(desk.now()),
            }  # fmt: skip
            if desk.switches.audit_checkpoints:
                entry["record_checkpoint"] = row["sys_mod_count"]
            desk.put("sys_audit", entry)
