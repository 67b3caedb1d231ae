"""Where Zendesk keeps what the common fields show.

https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/
"""

from adapters.base import Census, Keys, Source, Vendor
from adapters.zendesk.business_rules import carry

PEOPLE = "counted from the audits, people's doings only; Zendesk's own counters include ours"

VENDOR = Vendor(
    title="Zendesk",
    auth={
        "oauth": Keys(
            needed=("client_id", "client_secret"),
            also=("scope",),
            clicks="Signed in as that user: Apps and integrations > APIs > OAuth clients > Add OAuth client, client "
            "kind Confidential. Its Identifier is the client_id; the secret is shown once.",
        ),
        "bearer": Keys(
            needed=("token",), clicks="An OAuth access token of that user, with the scopes read and write."
        ),
        "token": Keys(
            needed=("user", "token"),
            clicks="An API token from before 27 October 2026; it stops on 30 April 2027. user is that user's address.",
        ),
    },
    address="https://YOURS.zendesk.com",
    user="Admin Center: People > Team > Team members > Create team member. Role Admin (Zendesk exports changed tickets "
    "to admins only), language English, and nobody else uses it.",
    plans={
        10: "Support Essential",
        200: "Suite Team or Support Team",
        400: "Growth or Professional",
        700: "Enterprise",
        2500: "Enterprise Plus, or the high-volume add-on",
    },
    census=Census(bucket="search-export"),
    webhook=(Keys(needed=("secret",)),),
    sources={
        "status": Source(
            where="ticket.status",
            lossy="a custom status shows as its category, unless the account's `statuses` say otherwise; hold is "
            "on_hold; a word not known here is hidden",
            writing="never written",
        ),
        "status_name": Source(
            where="ticket.status",
            lossy="the names of custom statuses are read only where the account's `statuses` use them",
        ),
        "priority": Source(where="ticket.priority", writing="ticket.priority, only ever raised"),
        "type": Source(where="ticket.type"),
        "channel": Source(
            where="ticket.via.channel", lossy="how the ticket came, not how it was last changed"
        ),
        "account": Source(where="the account's name in the config file"),
        "subject": Source(where="ticket.subject"),
        "description": Source(where="ticket.description", lossy="plain text"),
        "phrases": Source(
            where="the requester's public comments and chat messages, ticket.subject and ticket.description",
            lossy="quoted replies and signatures are left out",
        ),
        "tags": Source(
            where="ticket.tags",
            writing="the union with the tags as just read, refused if somebody changed the ticket meanwhile, "
            "left out and said while the tags are hidden; a tag with capitals, spaces, commas or quotes is left out "
            "and said",
        ),
        "group": Source(where="ticket.group_id, named by /groups", writing="ticket.group_id"),
        "assignee": Source(where="ticket.assignee_id, named by /users", writing="ticket.assignee_id"),
        "assignee_away": Source(where="absences of the config; Zendesk tells nobody's presence here"),
        "requester.name": Source(where="the user's name"),
        "requester.address": Source(where="the user's email", lossy="the primary address only"),
        "requester.organization": Source(where="the ticket's organization, else the user's"),
        "requester.tags": Source(where="the user's tags"),
        "requester.vip": Source(
            where="a `vip` tag on the user or the organization, or the account's VIP lists"
        ),
        "requester.recent_tickets": Source(
            where="counted by Uptier from the tickets it has seen",
            lossy="deleted and merged tickets are left out",
        ),
        "organization": Source(where="ticket.organization_id, named by the side-load"),
        "organization_recent_tickets": Source(
            where="counted by Uptier from the tickets it has seen",
            lossy="deleted and merged tickets are left out",
        ),
        "language": Source(where="the requester's locale", lossy="without the region: de for de-AT"),
        "satisfaction": Source(
            where="ticket.satisfaction_rating.score, good or bad",
            lossy="offered and unoffered are missing values",
        ),
        "replies": Source(where=PEOPLE),
        "reopens": Source(where=PEOPLE),
        "reassignments": Source(where=PEOPLE),
        "bounces": Source(where=PEOPLE),
        "group_moves": Source(where=PEOPLE),
        "group_bounces": Source(where=PEOPLE),
        "custom.NAME": Source(
            where="ticket.custom_fields, by the id in the account's `fields`",
            lossy="an empty text or list is a missing value; a field that Zendesk does not list is hidden",
            writing="ticket.custom_fields; a value that the field does not have is left out and said",
        ),
    },
    carry=carry,
)
