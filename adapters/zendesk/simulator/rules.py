"""Who may call and how often, what a change brings with it and may not do, and how Zendesk says no.

Statuses and bodies are those of the vendor sheet, section 1.4; where the sheet is unsure, a switch chooses.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adapters.simulation.answers import Record, Refused, Reply, html_page, instant, refused, stamp
from adapters.simulation.faults import Window, Windows
from adapters.simulation.oauth import Token, Tokens, basic_pair
from adapters.zendesk.simulator.records import CLOSED, LIMITS, Directory, Row, Switches, value_of

# the page of a proxy in front of the vendor; with 200, a sign-in page
HTML = "<html><head><title>{status}</title></head><body><h1>{status} {reason}</h1></body></html>"
REASONS = {
    200: "Sign in", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}  # fmt: skip


def unauthenticated() -> Refused:
    """401: unknown, expired or missing credentials."""
    return refused(401, {"error": "Couldn't authenticate you"})


def forbidden(*, as_object: bool) -> Refused:
    """403: a right, a scope or the plan is missing. `error` is a text, or an object."""
    text = "You do not have access to this page. Please contact the account owner for further help."
    body = {"error": {"title": "Forbidden", "message": text}} if as_object else {"error": text}
    return refused(403, body)


def not_found(*, empty: bool) -> Refused:
    """404: no such record for this caller; some of Zendesk's 404s carry no body at all."""
    return refused(404, None if empty else {"error": "RecordNotFound", "description": "Not found"})


def too_many_values(most: int) -> Refused:
    """400: more ids than one request may name. The two spaces are the vendor's."""
    text = f"Parameter  cannot specify more than {most} values"
    return refused(400, {"error": "TooManyValues", "description": text, "max_count": most})


def invalid_attribute(name: str, wanted: str, where: str) -> Refused:
    """400 whose `error` is an object: a value of the wrong type."""
    text = (
        f"You passed an invalid value for the {name} attribute. "
        f"Invalid parameter: {name} must be {wanted} from api/v2/{where}"
    )
    return refused(400, {"error": {"title": "Invalid attribute", "message": text}})


def invalid_value(description: str) -> Refused:
    """400 for a parameter that has the right type and a value that cannot be served."""
    return refused(400, {"error": "InvalidValue", "description": description})


def invalid_record(under: str, problems: Iterable[Mapping[str, Any]]) -> Refused:
    """422: the ticket would break a rule; each problem is listed below `details.<under>`."""
    body = {
        "error": "RecordInvalid",
        "description": "Record validation errors",
        "details": {under: list(problems)},
    }
    return refused(422, body)


def conflict(word: str) -> Refused:
    """409: safe_update met a newer ticket; what the vendor calls it is not confirmed."""
    text = (
        "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data."
    )
    return refused(409, {"error": word, "description": text})


def not_played(what: str) -> Refused:
    """501: the vendor may know this, the simulator does not. No Zendesk account answers so."""
    text = f"The simulator does not play {what}. See adapters/zendesk/simulator/app.py for what it plays."
    return refused(501, {"error": "NotPlayed", "description": text})


def rate_limited(wait: str | None) -> Reply:
    """429, with or without a Retry-After; `wait` goes into the header as it is."""
    text = "Number of allowed API requests per minute exceeded"
    headers = {} if wait is None else {"Retry-After": wait}
    return Reply(status=429, body={"error": "APIRateLimitExceeded", "description": text}, headers=headers)


def preset(status: int) -> Reply:
    """The usual answer of that status, for a scripted fault that gives no body of its own."""
    if status == 401:
        return unauthenticated().reply
    if status == 403:
        return forbidden(as_object=False).reply
    if status == 404:
        return not_found(empty=False).reply
    if status == 409:
        body = {"error": "DatabaseConflict", "description": "Database collision"}
        return Reply(status=409, body=body)
    if status == 429:
        return rate_limited(None)
    return html_page(status, HTML.format(status=status, reason=REASONS.get(status, "Error")))


class Access(Tokens):
    """The account's credentials: bearer tokens, OAuth clients and the older address/token pairs. Nothing is accepted
    until it was put here."""

    def __init__(self, now: Callable[[], int], switches: Switches) -> None:
        super().__init__(now, life=switches.token_life, refreshes=switches.refresh_tokens)
        self.clients: dict[str, tuple[str, int]] = {}  # client -> secret, the user its tokens act as
        self.keys: dict[str, tuple[str, int]] = {}  # address of an agent -> API token, user id

    def allow(self, token: str, user: int, *, scopes: str = "read write", until: int | None = None) -> None:
        """Accept a bearer token for this user."""
        self.tokens[token] = Token(owner=user, scopes=frozenset(scopes.split()), until=until)

    def revoke(self) -> None:
        """Every token and key stops working; OAuth clients may still ask for a new token."""
        self.tokens.clear()
        self.keys.clear()

    def caller(self, header: str) -> Token:
        """The token behind an Authorization header; Refused with 401 otherwise."""
        login, key = basic_pair(header)
        address, slash, word = login.rpartition("/")
        held, user = self.keys.get(address, ("", 0))
        if slash and word == "token" and key and key == held:
            return Token(owner=user, scopes=frozenset({"read", "write"}))
        token = self.bearer(header)
        if token is None:
            raise unauthenticated()
        return token

    def grant(self, body: Mapping[str, Any]) -> Reply:
        """Answer `POST /oauth/tokens`. A refresh ends the old access token and the old refresh token."""
        client = str(body.get("client_id"))
        secret, owner = self.clients.get(client, (None, 0))
        if secret is None or secret != body.get("client_secret"):
            raise refused(
                401, {"error": "invalid_client", "error_description": "Client authentication failed"}
            )
        if body.get("grant_type") == "refresh_token":
            word = str(body.get("refresh_token"))
            known = self.refreshes.get(word)
            if known is None or known.client != client:
                raise refused(
                    400, {"error": "invalid_grant", "error_description": "The refresh token is invalid"}
                )
            del self.refreshes[word]
            self.tokens.pop(known.access, None)
            owner = known.owner
        elif body.get("grant_type") != "client_credentials":
            raise refused(400, {"error": "unsupported_grant_type", "error_description": "Unknown grant_type"})
        scope = str(body.get("scope", "read write"))
        return self.issue(owner, {"token_type": "bearer", "scope": scope}, client=client, scopes=scope)


WHOLE = ("account", "webhooks", "webhooks-test")
"""Limits that are told as `X-Rate-Limit`. The webhooks' are apart from the account's: vendor sheet 3.3."""


class Limits:
    """Counts requests in fixed windows, told in headers; refused ones are not counted. Vendor sheet 3.3, 3.4."""

    def __init__(self, switches: Switches) -> None:
        self.totals = {**LIMITS, **switches.limits}
        self.switches = switches
        self.windows = Windows()

    def take(self, owners: Mapping[str, str], now: int) -> dict[str, str]:
        """Count one request at each limit, by whose it is ("" for the account), and give the headers; Refused with 429
        if one is full."""
        begun: dict[str, Window] = {}
        for name, owner in owners.items():
            total, span = self.totals[name]
            window = begun[name] = self.windows.at(f"{name} {owner}", now, span)
            if window.used >= total:
                reply = rate_limited(
                    str(window.begun + span - now) if self.switches.says_retry_after else None
                )
                known = {each: self.windows.windows.get(f"{each} {of}") for each, of in owners.items()}
                told = self._headers({each: held for each, held in known.items() if held}, now)
                raise refused(429, reply.body, {**reply.headers, **told})
        for window in begun.values():
            window.used += 1
        return self._headers(begun, now)

    def _headers(self, begun: Mapping[str, Window], now: int) -> dict[str, str]:
        spelling = self.switches.limit_headers
        headers: dict[str, str] = {}
        for name, window in begun.items():
            total, span = self.totals[name]
            left, resets = total - window.used, window.begun + span - now
            if name in WHOLE:
                headers |= {"X-Rate-Limit": str(total), "X-Rate-Limit-Remaining": str(left)}
            if name == "account":
                headers |= {
                    f"{spelling}-limit": str(total), f"{spelling}-remaining": str(left),
                    f"{spelling}-reset": str(resets),
                }  # fmt: skip
            elif name not in WHOLE:
                prefix = "zendesk-ratelimit" if spelling == "ratelimit" else "zendesk-rate-limit"
                headers[f"{prefix}-{name}"] = f"total={total}; remaining={left}; resets={resets}"
        return headers


PRIORITIES = ("low", "normal", "high", "urgent")
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
TYPES = ("problem", "incident", "question", "task")

Changes = dict[str | int, Any]


def complete(row: Row, fields: Changes, people: Directory, switches: Switches) -> Changes:
    """Add what Zendesk changes by itself along with `fields`."""
    whole = dict(fields)
    _complete_people(row, whole, people, switches)
    if switches.tagger_tags:
        _complete_tags(row, whole, people)
    opens = switches.assigning_opens and whole.get("assignee_id") is not None
    if opens and row.json["status"] in ("new", None) and "status" not in whole:
        whole["status"] = "open"
    return whole


def _complete_people(row: Row, fields: Changes, people: Directory, switches: Switches) -> None:
    if "group_id" in fields and "assignee_id" not in fields:
        assignee, group = row.json["assignee_id"], fields["group_id"]
        if assignee is not None and group != row.json["group_id"] and switches.group_alone != "keep":
            stays = group is not None and people.is_member(assignee, group)
            if switches.group_alone == "clear" or not stays:
                fields["assignee_id"] = None
    elif fields.get("assignee_id") is not None and "group_id" not in fields:
        group = row.json["group_id"]
        if group is None or not people.is_member(fields["assignee_id"], group):
            fields["group_id"] = people.users[fields["assignee_id"]]["default_group_id"]


def _complete_tags(row: Row, fields: Changes, people: Directory) -> None:
    before_tags = fields["tags"] if "tags" in fields else row.json["tags"]
    tags = list(before_tags)
    for name in [name for name in fields if isinstance(name, int)]:
        if people.ticket_fields[name]["type"] != "tagger":
            continue
        before, after = value_of(row, name), fields[name]
        tags = [tag for tag in tags if tag != before]
        if after is not None and after not in tags:
            tags.append(after)
    if tags != before_tags:
        fields["tags"] = tags


def refuse_closed(row: Row, switches: Switches) -> None:
    """A closed ticket takes no update any more."""
    if row.json["status"] == "closed":
        problem = {"description": "Status: closed prevents ticket update"}
        raise invalid_record(switches.closed_under, [problem])


def refuse_values(row: Row, fields: Mapping[str | int, Any]) -> None:
    """Words that the vendor does not know, and the way back to new."""
    for name, words in (("priority", PRIORITIES), ("status", STATUSES), ("type", TYPES)):
        value = fields.get(name)
        if name in fields and value not in words and not (value is None and name != "status"):
            raise _base(f"{name.capitalize()}: is invalid")
    if fields.get("status") == "new" and row.json["status"] != "new":
        raise invalid_record("status", [{"description": "Status: cannot be changed back to new"}])


def refuse_people(row: Row, fields: Mapping[str | int, Any], people: Directory) -> None:
    """The group must exist, and the assignee must be an agent in it who may answer in public."""
    group = fields.get("group_id", row.json["group_id"])
    if group is not None and (group not in people.groups or people.groups[group]["deleted"]):
        raise invalid_record("group", [{"description": "Group: is invalid"}])
    assignee = fields.get("assignee_id", row.json["assignee_id"])
    if assignee is None or not {"assignee_id", "group_id"} & fields.keys():
        return
    person = people.users[assignee] if people.is_staff(assignee) else None
    if person is None or not person["active"] or person["suspended"] or person["only_private_comments"]:
        raise invalid_record("assignee", [{"description": "Assignee: is invalid"}])
    if group is not None and not people.is_member(assignee, group):
        problem = {"description": "Assignee: is not a member of the group", "error": "InvalidValue"}
        raise invalid_record("assignee", [problem])


def refuse_solving(row: Row, fields: Mapping[str | int, Any], people: Directory) -> None:
    """Solving needs an assignee and every required custom field."""
    if fields.get("status") not in CLOSED or row.json["status"] in CLOSED:
        return
    if fields.get("assignee_id", row.json["assignee_id"]) is None:
        raise _base("Assignee: is required when solving a ticket")
    missing = [
        {
            "ticket_field_type": f"Field{field['type'].capitalize()}",
            "ticket_field_id": number,
            "description": f"{field['title']}: is required when solving a ticket",
            "error": None,
        }
        for number, field in people.ticket_fields.items()
        if field["required"]
        and field["removable"]
        and fields.get(number, value_of(row, number)) in (None, "")
    ]
    if missing:
        raise invalid_record("base", missing)


def _base(description: str) -> Exception:
    return invalid_record("base", [{"description": description}])


def policy_metrics(
    row: Row, policies: Iterable[Record], staff: Mapping[int, Any], now: int, lag: int
) -> list[Record]:
    """The ticket's SLA targets as the `slas` sideload shows them, worked out when they are read: a deadline passes
    silently, and breach_at is null for `lag` seconds after an update.

    Policies are taken in order of position and their filter and business hours are not imitated: the first policy that
    has the priority serves every ticket, in calendar minutes. `Row.targets` overrides a metric by hand.
    """
    minutes: dict[str, int] = {}
    for policy in sorted(policies, key=lambda policy: policy["position"]):
        wanted = (entry for entry in policy["policy_metrics"] if entry["priority"] == row.json["priority"])
        minutes = minutes or {entry["metric"]: entry["target"] for entry in wanted}
    opened, replied = instant(row.json["created_at"]), bool(row.metrics["replies"])
    begun = {  # whether it is achieved, and since when it is measured
        "first_reply_time": (replied, opened),
        "next_reply_time": _waiting(row, staff) if replied else None,
        "total_resolution_time": (row.json["status"] in CLOSED, opened),
    }
    targets: dict[str, tuple[str, int | None]] = {}
    for metric, measured in begun.items():
        if metric in minutes and measured is not None:
            achieved, since = measured
            due = None if since is None else since + minutes[metric] * 60
            targets[metric] = ("achieved" if achieved else "active", due)
    settled = now - instant(row.json["updated_at"]) >= lag
    return [
        _shown(metric, stage, due, now, settled) for metric, (stage, due) in (targets | row.targets).items()
    ]


def _waiting(row: Row, staff: Mapping[int, Any]) -> tuple[bool, int | None]:
    """Since the oldest customer comment after the last agent reply, once there was a first reply."""
    since: int | None = None
    for comment in row.comments[1:]:
        if comment["public"] and comment["author_id"] in staff:
            since = None
        elif comment["public"] and since is None:
            since = instant(comment["created_at"])
    return since is None, since


def _shown(metric: str, stage: str, due: int | None, now: int, settled: bool) -> Record:
    shown: Record = {"breach_at": stamp(due) if due is not None and settled else None}
    shown |= {"stage": stage, "metric": metric}
    if due is not None and settled:
        left = due - now
        unit, size = next(
            (pair for pair in (("days", 86400), ("hours", 3600)) if abs(left) >= pair[1]), ("minutes", 60)
        )
        shown[unit] = round(left / size)
    return shown
