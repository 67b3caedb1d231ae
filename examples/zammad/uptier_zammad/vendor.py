"""Where Zammad keeps what the common fields show. https://docs.zammad.org/en/latest/api/ticket/index.html"""

from adapters.base import Keys, Source, Vendor

PEOPLE = "counted from the ticket's history, people's doings only"
RECENT = Source(
    where="counted by Uptier from the tickets it has seen", lossy="deleted and merged tickets are left out"
)

VENDOR = Vendor(
    title="Zammad",
    auth={"token": Keys(needed=("token",)), "basic": Keys(needed=("user", "password"))},
    webhook=(Keys(needed=("secret",)),),
    settings={"priorities": 'What priorities of your own count as, by name: { "4 disaster" = "urgent" }.'},
    sources={
        "status": Source(
            where="state",
            lossy="both pending states are pending; closed is solved, or closed in a group that opens no ticket again; "
            "your own go by the account's `statuses`, then by their state type",
            writing="never written",
        ),
        "status_name": Source(where="the name of the state"),
        "priority": Source(
            where="priority, by the word in its name or the account's `priorities`",
            lossy="a new Zammad has none that is urgent",
            writing="priority_id, only ever raised",
        ),
        "type": Source(where="type"),
        "channel": Source(where="the type of the first article"),
        "account": Source(where="the account's name in the config file"),
        "subject": Source(where="title"),
        "description": Source(where="the first article", lossy="plain text"),
        "phrases": Source(where="the customer's articles and the title"),
        "tags": Source(where="/tags", writing="one request for each tag"),
        "group": Source(where="group", writing="group_id"),
        "assignee": Source(where="owner_id; the user with id 1 is nobody", writing="owner_id"),
        "assignee_away": Source(where="absences of the config, and the agent's out-of-office"),
        "requester.name": Source(where="the customer's first and last name"),
        "requester.address": Source(where="the customer's email"),
        "requester.organization": Source(where="the customer's organization"),
        "requester.tags": Source(where="not kept by Zammad: a missing value"),
        "requester.vip": Source(where="the customer's `vip`, or the account's VIP lists"),
        "requester.recent_tickets": RECENT,
        "organization": Source(where="the ticket's organization"),
        "organization_recent_tickets": RECENT,
        "language": Source(
            where="the customer's `preferences.locale`", lossy="without the region: de for de-at"
        ),
        "satisfaction": Source(where="not kept by Zammad: a missing value"),
        "replies": Source(where="counted from the articles"),
        "reopens": Source(where=PEOPLE),
        "reassignments": Source(where=PEOPLE),
        "bounces": Source(where=PEOPLE),
        "group_moves": Source(where=PEOPLE),
        "group_bounces": Source(where=PEOPLE),
        "custom.NAME": Source(
            where="the attribute of that name in the account's `fields`",
            lossy="an empty text is a missing value",
            writing="the attribute",
        ),
    },
)
