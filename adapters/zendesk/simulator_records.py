"""Blank Zendesk records, with every key the vendor always sends. Shapes: vendor sheet 1.1, 1.2, 1.6, 1.7."""

import html
import re
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]

SYSTEM = -1  # the author of what an account does by itself
BRAND, FORM = 360000000001, 360000000002


def stamp(at: int) -> str:
    """Write epoch seconds as Zendesk does: UTC, whole seconds, Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> int:
    """Read a stamp back; ValueError if it is none."""
    return int(datetime.fromisoformat(text).timestamp())


def via(channel: str) -> Record:
    """Where something came from. What a trigger did says `rule` and names the trigger."""
    if channel == "rule":
        source = {"from": {"id": 1, "title": "Trigger", "deleted": False}, "to": {}, "rel": "trigger"}
        return {"channel": "rule", "source": source}
    return {"channel": channel, "source": {"from": {}, "to": {}, "rel": None}}


def user(number: int, at: int, name: str, email: str | None, role: str) -> Record:
    """A person without group, organization or tags."""
    return {
        "id": number,
        "name": name,
        "email": email,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "time_zone": "Eastern Time (US & Canada)",
        "iana_time_zone": "America/New_York",
        "phone": None,
        "photo": None,
        "locale_id": 1,
        "locale": "en-US",
        "organization_id": None,
        "role": role,
        "role_type": None if role != "agent" else 0,
        "custom_role_id": None,
        "verified": True,
        "external_id": None,
        "tags": [],
        "alias": None,
        "active": True,
        "shared": False,
        "shared_agent": False,
        "last_login_at": None,
        "two_factor_auth_enabled": None,
        "signature": None,
        "details": None,
        "notes": None,
        "default_group_id": None,
        "ticket_restriction": "requested" if role == "end-user" else None,
        "only_private_comments": False,
        "restricted_agent": role == "end-user",
        "moderator": role == "admin",
        "suspended": False,
        "user_fields": {},
    }


def group(number: int, at: int, name: str) -> Record:
    """A team."""
    return {
        "id": number,
        "name": name,
        "description": "",
        "default": False,
        "is_public": True,
        "deleted": False,
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }


def membership(number: int, at: int, person: int, team: int, default: bool) -> Record:
    """That an agent belongs to a group."""
    return {
        "id": number,
        "user_id": person,
        "group_id": team,
        "default": default,
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }


def organization(number: int, at: int, name: str) -> Record:
    """A customer's company."""
    return {
        "id": number,
        "name": name,
        "shared_tickets": False,
        "shared_comments": False,
        "external_id": None,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "domain_names": [],
        "details": None,
        "notes": None,
        "group_id": None,
        "tags": [],
        "organization_fields": {},
    }


def custom_status(number: int, at: int, category: str, label: str) -> Record:
    """A status of the account's own, in one of Zendesk's categories."""
    return {
        "id": number,
        "status_category": category,
        "agent_label": label,
        "end_user_label": label,
        "description": "",
        "end_user_description": "",
        "active": True,
        "default": False,
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }


def ticket_field(number: int, at: int, kind: str, title: str) -> Record:
    """A field of the ticket form; system fields are listed like custom ones."""
    return {
        "id": number,
        "type": kind,
        "title": title,
        "raw_title": title,
        "description": "",
        "raw_description": "",
        "position": 0,
        "active": True,
        "required": False,
        "collapsed_for_agents": False,
        "regexp_for_validation": None,
        "title_in_portal": title,
        "raw_title_in_portal": title,
        "visible_in_portal": False,
        "editable_in_portal": False,
        "required_in_portal": False,
        "tag": None,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "removable": True,
        "key": None,
        "agent_description": None,
    }


def ticket(number: int, at: int) -> Record:
    """A ticket before its first save, which sets its status."""
    return {
        "id": number,
        "external_id": None,
        "via": via("web"),
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "generated_timestamp": at,
        "type": None,
        "subject": None,
        "raw_subject": None,
        "description": None,
        "priority": None,
        "status": None,
        "recipient": None,
        "requester_id": None,
        "submitter_id": None,
        "assignee_id": None,
        "organization_id": None,
        "group_id": None,
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "forum_topic_id": None,
        "problem_id": None,
        "has_incidents": False,
        "is_public": True,
        "due_at": None,
        "tags": [],
        "custom_fields": [],
        "satisfaction_rating": None,
        "sharing_agreement_ids": [],
        "custom_status_id": None,
        "followup_ids": [],
        "ticket_form_id": FORM,
        "brand_id": BRAND,
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
    }


def metric_set(number: int, ticket_id: int, at: int) -> Record:
    """The counters of a ticket. Durations stay null until they are known."""
    unknown = {"calendar": None, "business": None}
    return {
        "id": number,
        "ticket_id": ticket_id,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "group_stations": 0,
        "assignee_stations": 0,
        "reopens": 0,
        "replies": 0,
        "assignee_updated_at": None,
        "requester_updated_at": None,
        "status_updated_at": stamp(at),
        "initially_assigned_at": None,
        "assigned_at": None,
        "solved_at": None,
        "latest_comment_added_at": None,
        "custom_status_updated_at": stamp(at),
        "reply_time_in_minutes": dict(unknown),
        "first_resolution_time_in_minutes": dict(unknown),
        "full_resolution_time_in_minutes": dict(unknown),
        "agent_wait_time_in_minutes": dict(unknown),
        "requester_wait_time_in_minutes": dict(unknown),
        "on_hold_time_in_minutes": {"calendar": 0, "business": 0},
    }


def plain(markup: str) -> str:
    """The text of a comment that came as HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<br ?/?>|</p>", "\n", markup))).strip()


def markup(body: str) -> str:
    """The HTML that Zendesk makes of a plain comment."""
    text = html.escape(body, quote=False).replace("\n", "<br>")
    return f'<div class="zd-comment" dir="auto"><p dir="auto">{text}</p></div>'
