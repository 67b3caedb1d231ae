"""The doubtful facts: what the vendor sheet does not confirm (its section 10) and a decision may depend on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Gate = Literal["open", "forbidden", "query", "hidden", "silent", "missing"]
"""open; 403; 403 worded as a query ACL; a 200 with nothing in it; the same and a total of 0; no such table (400)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How this instance behaves where ServiceNow's instances differ or the sheet is unsure. Spans are seconds."""

    # Queries
    unknown_column: Literal["ignore", "none", "forbid"] = "ignore"  # a filter on a column that is not there
    query_range: bool = True  # whether the bot may use < > LIKE and ORDERBY
    says_total: bool = True  # X-Total-Count
    total_counts_hidden: bool = True
    cancel_above: int | None = None  # rows a list may ask for before it takes too long
    commit_lag: int = 0  # how long an update stays out of lists

    # Rights
    journal: Gate = "open"
    audit: Gate = "open"
    slas: Gate = "open"
    lookup: Gate = "open"
    choices: Gate = "open"
    labels: Literal["open", "forbidden", "blank"] = "forbidden"  # POST label_entry
    hidden_columns: Literal["omit", "blank"] = "omit"

    # Records
    noop_bumps: bool = False  # a PATCH that changes nothing counts as an update
    audit_checkpoints: bool = True
    audits_inserts: bool = False
    audit_users: Literal["user_name", "name"] = "user_name"  # what the audit calls a person
    lookup_runs: bool = True  # impact and urgency decide the priority
    data_policy: bool = True  # resolving needs close_code and close_notes
    display_offset: int = -18000  # the zone of the bot's display values

    # Plugins
    on_call: Literal["open", "missing", "forbidden"] = "missing"

    # Access
    token_life: int = 1800
    refresh_tokens: bool = False
    application_user: bool = True  # without one a token is given and every call fails
    strict_sessions: bool = False  # a cookie of a session that has ended answers 401

    # Limits
    hourly: int | None = None  # requests in an hour, told in headers
    hourly_of: Mapping[str, int] = field(
        default_factory=dict
    )  # the same by table, or by the last word of the path
    says_retry_after: bool = True
