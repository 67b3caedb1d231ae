"""Where ServiceNow keeps what the common fields show.

https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html
"""

from adapters.base import Census, Keys, Source, Vendor

PEOPLE = "counted from the audit, people's doings only"

VENDOR = Vendor(
    title="ServiceNow",
    auth={
        "oauth": Keys(
            needed=("client_id", "client_secret"),
            also=("user", "password"),
            clicks="System OAuth > Application Registry > New, grant client credentials, OAuth Application User: that "
            "user. Without one ServiceNow gives a token and then refuses every call.",
        ),
        "basic": Keys(needed=("user", "password"), clicks="That user's User ID and password."),
        "key": Keys(
            needed=("key",),
            clicks="System Web Services > API Access Policies: an API key for that user, and an access policy for the "
            "Table API.",
        ),
    },
    address="https://YOURS.service-now.com",
    user="User Administration > Users > New. Web service access only, time zone UTC, role itil (for cases: the agent "
    "role of their table), and nobody else uses it. docs/servicenow.md lists the tables that it must read.",
    pasted="System Definition > Business Rules, the rule for Uptier; sys_properties.list, uptier.ACCOUNT.endpoint and "
    "uptier.ACCOUNT.secret",
    webhook=(Keys(needed=("secret",)),),
    settings={
        "table": "The table below task that this account is; incident if not given.",
        "tags": "The text column in which tags are kept, or label_entry for ServiceNow's own.",
        "priority": "derived: written through impact and urgency; direct: written itself.",
        "matrix": "The priority of each impact and urgency, instead of the instance's own lookup.",
        "states": "States of your own, by number: new, open, pending, on_hold, solved or closed.",
        "requester": "The column that says who waits, or several to look in one after the other.",
        "overlap": "How many seconds each poll looks back; 300 if not given.",
        "timeout": "How many seconds to wait for an answer; 75 if not given.",
        "allow_unstamped": "true: webhooks that sign no time are taken too.",
    },
    target_start=True,
    census=Census(rows=200),
    sources={
        "status": Source(
            where="state and hold_reason",
            lossy="Awaiting Caller is pending, every other hold on_hold; a state that nobody names is closed where its "
            "label says cancelled or the record is not active, else open",
            writing="never written",
        ),
        "status_name": Source(where="the label of state"),
        "priority": Source(
            where="priority, 1 to 4",
            lossy="5 (Planning) counts as low",
            writing="through impact and urgency on incidents, directly on other tables; only ever raised",
        ),
        "type": Source(where="sys_class_name"),
        "channel": Source(where="contact_type"),
        "account": Source(where="the account's name in the config file"),
        "subject": Source(where="short_description"),
        "description": Source(where="description"),
        "phrases": Source(
            where="the caller's additional comments, short_description and description",
            lossy="quoted replies and signatures are left out",
        ),
        "tags": Source(
            where="the column in the account's `tags`, correlation_display if not given",
            lossy="only in a column that is empty or ours",
            writing="the union with the tags as read in front of the write, 100 characters in all; one with a comma "
            "or ^ is left out and said",
        ),
        "group": Source(
            where="assignment_group", lossy="groups of one name are NAME (SYS_ID)", writing="assignment_group"
        ),
        "assignee": Source(where="assigned_to", writing="assigned_to"),
        "assignee_away": Source(where="absences of the config; ServiceNow tells nobody's presence"),
        "requester.name": Source(
            where="the caller's name; requested_for, opened_for, contact and the like by table"
        ),
        "requester.address": Source(where="the caller's email"),
        "requester.organization": Source(where="the caller's company"),
        "requester.tags": Source(where="not told by ServiceNow: always empty"),
        "requester.vip": Source(where="the caller's VIP mark, or the account's VIP lists"),
        "requester.recent_tickets": Source(
            where="counted by Uptier from the tickets it has seen", lossy="deleted records are left out"
        ),
        "organization": Source(where="the record's company or account"),
        "organization_recent_tickets": Source(
            where="counted by Uptier from the tickets it has seen", lossy="deleted records are left out"
        ),
        "language": Source(where="not read: a missing value"),
        "satisfaction": Source(where="not told by ServiceNow: a missing value"),
        "replies": Source(where="counted from the journal, additional comments by staff"),
        "reopens": Source(where=PEOPLE),
        "reassignments": Source(where=PEOPLE),
        "bounces": Source(where=PEOPLE),
        "group_moves": Source(where=PEOPLE),
        "group_bounces": Source(where=PEOPLE),
        "custom.NAME": Source(
            where="the column in the account's `fields`",
            lossy="an empty text is a missing value",
            writing="that column; one that ServiceNow governs is refused",
        ),
    },
)
