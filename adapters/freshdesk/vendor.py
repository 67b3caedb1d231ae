"""Where Freshdesk keeps what the common fields show.

https://developers.freshdesk.com/api/#tickets
"""

from adapters.base import Census, Keys, Source, Vendor

NOT_TOLD = "not told by Freshdesk: a missing value"

VENDOR = Vendor(
    title="Freshdesk",
    auth={
        "key": Keys(
            needed=("key",),
            clicks="Signed in as that agent: the picture at the top right > Profile settings > View API key.",
        )
    },
    address="https://YOURS.freshdesk.com",
    user="Admin > Team > Agents > New agent. Full-time, role Administrator, ticket scope Global access, in no group, "
    "and nobody else uses it.",
    pasted="Admin > Workflows > Automations, under Ticket creation and under Ticket updates",
    plans={
        50: "a trial",
        200: "Growth",
        400: "Pro",
        700: "Enterprise",
        1000: "the add-on",
        2000: "the add-on",
    },
    census=Census(requests=3, bucket="tickets-list", of_all=True),  # with stats, which count as two more
    webhook=(Keys(needed=("secret",)), Keys(needed=("user", "password"))),
    sources={
        "status": Source(
            where="status, by its number",
            lossy="your own go by the account's `statuses`, then by their SLA timer; nothing is new",
            writing="never written",
        ),
        "status_name": Source(where="the label of the status, by /ticket_fields"),
        "priority": Source(where="priority", writing="priority, only ever raised"),
        "type": Source(where="type"),
        "channel": Source(where="source", lossy="a source of your own shows its label"),
        "account": Source(where="the account's name in the config file"),
        "subject": Source(where="subject"),
        "description": Source(where="description_text", lossy="plain text"),
        "phrases": Source(
            where="the requester's conversations, subject and description_text",
            lossy="quoted replies and signatures are left out",
        ),
        "tags": Source(
            where="tags",
            lossy="Freshdesk takes upper and lower case for the same tag",
            writing="the union with the tags as read in front of the write; one with a comma or over 32 characters "
            "is left out and said",
        ),
        "group": Source(where="group_id, named by /groups", writing="group_id"),
        "assignee": Source(where="responder_id, named by /agents", writing="responder_id"),
        "assignee_away": Source(
            where="absences of the config; agents' `available` where Freshdesk assigns by itself"
        ),
        "requester.name": Source(where="the contact's name"),
        "requester.address": Source(where="the contact's email", lossy="the primary address only"),
        "requester.organization": Source(where="the contact's company"),
        "requester.tags": Source(where="the contact's tags"),
        "requester.vip": Source(where="a `vip` tag on the contact, or the account's VIP lists"),
        "requester.recent_tickets": Source(
            where="counted by Uptier from the tickets it has seen",
            lossy="deleted and merged tickets are left out",
        ),
        "organization": Source(where="the ticket's company"),
        "organization_recent_tickets": Source(
            where="counted by Uptier from the tickets it has seen",
            lossy="deleted and merged tickets are left out",
        ),
        "language": Source(where="the contact's language", lossy="without the region: pt for pt-BR"),
        "satisfaction": Source(
            where="the newest of /tickets/ID/satisfaction_ratings",
            lossy="a neutral answer is a missing value",
        ),
        "replies": Source(where="counted from the conversations"),
        "reopens": Source(where=NOT_TOLD),
        "reassignments": Source(where=NOT_TOLD),
        "bounces": Source(where=NOT_TOLD),
        "group_moves": Source(where=NOT_TOLD),
        "group_bounces": Source(where=NOT_TOLD),
        "custom.NAME": Source(
            where="custom_fields, by the name in the account's `fields`",
            lossy="an empty text is a missing value",
            writing="custom_fields",
        ),
    },
)
