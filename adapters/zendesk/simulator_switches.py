"""The doubtful facts: what the vendor sheet does not confirm and a decision may depend on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Gate = Literal["open", "forbidden", "missing"]

# Requests and seconds. Vendor sheet 3.3 and 3.4: Suite Enterprise, PUT ticket, one user on one ticket.
LIMITS: Mapping[str, tuple[int, int]] = {
    "account": (700, 60),
    "tickets-index": (100, 60),
    "tickets-update": (100, 60),
    "per-ticket-updates": (30, 600),
    "incremental-exports": (10, 60),
    "search-export": (100, 60),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How this account behaves where Zendesk accounts differ or the sheet is unsure. Spans are seconds."""

    # Plans and rights
    slas: Gate = "open"
    schedules: Gate = "open"
    search_export: Gate = "open"
    admin_only_export: bool = True
    custom_statuses: Gate = "open"
    error_objects: bool = False  # 403 with an object under `error` instead of a text
    empty_404: bool = False

    # Reading
    audits_newest_first: bool = False  # the order of audits when the caller asks for none
    audits_sortable: bool = True  # whether sort=-created_at and sort_order=desc are honoured on audits
    empty_last_page: bool = True  # a full last page says has_more and an empty one follows
    search_lag: int = 0  # how old a ticket is before search finds it
    sla_lag: int = 0  # how long targets read null after an update
    export_lag: int = 60
    export_repeats: bool = False  # each page begins with the last row of the page before it
    export_null_cursor: bool = False  # an empty page gives no cursor
    recent_start: Literal["refuse", "empty"] = "refuse"  # start_time inside the export lag

    hidden_keys: tuple[str, ...] = ()  # keys of a ticket that this account does not show
    # Where a conversation stands: in the ChatStartedEvent with author and time, without them, or elsewhere
    chat_history: Literal["told", "unsigned", "absent"] = "told"
    chat_transcript: bool = False  # when a chat has ended its whole text comes as one more public comment

    # Writing
    dropped_keys: tuple[str, ...] = ()  # keys of a PUT that are taken without a word and not carried out
    dropped_are_warned_of: bool = False  # X-Zendesk-API-Warn names them
    group_alone: Literal["clear_if_not_member", "clear", "keep"] = "clear_if_not_member"
    assigning_opens: bool = True  # a new ticket that gets an assignee becomes open
    keeps_metadata: bool = True  # metadata comes back as audit.metadata.custom
    tag_verbs_on_put: bool = False  # additional_tags and remove_tags work on a single PUT
    tagger_tags: bool = True  # the value of a drop-down field is also a tag
    empty_update_makes_audit: bool = False
    conflict_error: str = "UpdateConflict"  # the word for a stale stamp
    closed_under: Literal["status", "base"] = "status"  # where a closed ticket's refusal sits

    # Limits
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # by name, over LIMITS
    says_retry_after: bool = True
    limit_headers: Literal["ratelimit", "rate-limit"] = "ratelimit"

    # Access
    token_life: int = 1800
    refresh_tokens: bool = True
