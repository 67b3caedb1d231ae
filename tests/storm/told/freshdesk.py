"""Odd, broken or unknowable answers of Freshdesk, each told as one change of one honest answer."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from typing import Any

Answer = dict[str, Any]
Row = dict[str, Any]
Mutation = Callable[[str, str, str, Answer], Answer | None]

HTML = "<!DOCTYPE html><html><head><title>Freshdesk</title></head><body><h1>502</h1></body></html>"


def _good(answer: Answer) -> bool:
    """Whether the honest answer was a success."""
    return 200 <= int(answer["status"]) < 300


def _named(path: str, ticket: str) -> bool:
    """Whether the path names this one ticket."""
    return re.search(rf"/tickets/(?:archived/)?{re.escape(ticket)}(?=[/?]|$)", path) is not None


def _itself(path: str, ticket: str) -> bool:
    """Whether the path is the ticket itself and not something below it."""
    return re.search(rf"/tickets/(?:archived/)?{re.escape(ticket)}(?:\?.*)?$", path) is not None


def _alone(path: str) -> bool:
    """Whether the path names any one ticket."""
    return re.search(r"/tickets/(?:archived/)?\d+(?=[/?]|$)", path) is not None


def _listing(path: str) -> bool:
    """Whether the path is a list or a search of tickets."""
    return re.search(r"/api/v2/(?:search/)?tickets(?:\?.*)?$", path) is not None


def _list(path: str, answer: Answer) -> list[Any]:
    """The list of tickets of a list or search, or an empty one."""
    body = answer["json"]
    if not _good(answer) or not _listing(path):
        return []
    if isinstance(body, dict):
        body = body.get("results")
    return body if isinstance(body, list) else []


def _is(row: object, ticket: str) -> bool:
    """Whether this is the row of the ticket."""
    return isinstance(row, dict) and str(row.get("id")) == ticket


def _single(path: str, ticket: str, answer: Answer) -> Row:
    """The one ticket of an answer about it, or an empty table."""
    body = answer["json"]
    return body if _good(answer) and _itself(path, ticket) and isinstance(body, dict) else {}


def _rows(path: str, ticket: str, answer: Answer) -> list[Row]:
    """All rows of the ticket in an answer."""
    found = [row for row in _list(path, answer) if _is(row, ticket)]
    single = _single(path, ticket, answer)
    return [*found, single] if _is(single, ticket) else found


def _each(rows: list[Row], answer: Answer, change: Callable[[Row], bool]) -> Answer | None:
    """Change every row given; None if no row let itself be changed."""
    done = [change(row) for row in rows]
    return answer if any(done) else None


def _set(value: object, *fields: str) -> Callable[[Row], bool]:
    """A change that puts a value where the fields are."""

    def change(row: Row) -> bool:
        """Put the value."""
        found = [field for field in fields if field in row]
        for field in found:
            row[field] = deepcopy(value)
        return bool(found)

    return change


def _drop(*fields: str) -> Callable[[Row], bool]:
    """A change that takes fields away."""

    def change(row: Row) -> bool:
        """Take them away."""
        found = [row.pop(field, ...) is not ... for field in fields]
        return any(found)

    return change


def _turn(how: Callable[[Any], Any], *fields: str) -> Callable[[Row], bool]:
    """A change that turns values that are there and not null into others."""

    def change(row: Row) -> bool:
        """Turn them."""
        found = [field for field in fields if row.get(field) is not None]
        for field in found:
            row[field] = how(row[field])
        return bool(found)

    return change


def _raw(answer: Answer, text: str, kind: str | None = None, status: int | None = None) -> Answer:
    """The answer with a raw body."""
    answer["json"], answer["text"] = None, text
    if kind is not None:
        answer["headers"]["content-type"] = kind
    if status is not None:
        answer["status"] = status
    return answer


def _spliced(answer: Answer, mark: str, text: str) -> Answer:
    """The body as raw text in which a quoted mark became other text."""
    return _raw(answer, json.dumps(answer["json"]).replace(json.dumps(mark), text))


def _talk(method: str, path: str, ticket: str, answer: Answer) -> list[Any]:
    """The list of conversations of the ticket, or an empty one."""
    body = answer["json"]
    if method != "GET" or not _good(answer) or not _named(path, ticket):
        return []
    if re.search(r"/conversations(?:\?.*)?$", path):
        return body if isinstance(body, list) else []
    embedded = body.get("conversations") if isinstance(body, dict) else None
    return embedded if isinstance(embedded, list) else []


def _said(method: str, path: str, ticket: str, answer: Answer) -> list[Row]:
    """Only the conversations that are tables."""
    return [row for row in _talk(method, path, ticket, answer) if isinstance(row, dict)]


def _read(method: str, path: str, ticket: str, answer: Answer) -> bool:
    """Whether this is a good reading of the ticket itself."""
    return method == "GET" and _itself(path, ticket) and _good(answer)


def _wrote(method: str, path: str, ticket: str, answer: Answer) -> bool:
    """Whether this is a write to the ticket that was carried out."""
    return method in ("PUT", "POST") and _named(path, ticket) and _good(answer)


def _elsewhere(stamp: Any) -> str:
    """The same moment told with the offset of Calcutta."""
    try:
        moment = datetime.fromisoformat(str(stamp))
        return moment.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
    except (ValueError, OverflowError):
        return str(stamp)


def _nested(value: Any) -> Any:
    """Every value of a table inside a table of its own."""
    return {key: {"value": one} for key, one in value.items()} if isinstance(value, dict) else value


def _directory(path: str, answer: Answer, name: str) -> list[Row]:
    """The rows of a directory list."""
    body = answer["json"]
    if not _good(answer) or re.search(rf"/{name}(?:\?.*)?$", path) is None or not isinstance(body, list):
        return []
    return [row for row in body if isinstance(row, dict)]


def row_id_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The id is text."""
    return _each(_rows(path, ticket, answer), answer, _turn(str, "id"))


def row_id_float(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The id is a number with a fraction of nought."""
    return _each(_rows(path, ticket, answer), answer, _turn(float, "id"))


def row_id_display(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The id is written as in Freshservice, INC and a number."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda v: f"INC-{v}", "id"))


def row_wrapped(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists the row is wrapped in a table of its own, as Freshservice does."""
    rows, done = _list(path, answer), False
    for place, row in enumerate(rows):
        if _is(row, ticket):
            rows[place], done = {"ticket": row}, True
    return answer if done else None


def row_bare_id(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists the row is the bare id and no table."""
    rows, done = _list(path, answer), False
    for place, row in enumerate(rows):
        if _is(row, ticket):
            rows[place], done = row["id"], True
    return answer if done else None


def row_twice_stripped(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists the row comes a second time with nothing but id and subject."""
    rows = _list(path, answer)
    found = [row for row in rows if _is(row, ticket)]
    rows.extend({"id": row["id"], "subject": row.get("subject")} for row in found)
    return answer if found else None


def row_twice_older(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists the row comes a second time as it was when it was made."""
    rows = _list(path, answer)
    found = [row for row in rows if _is(row, ticket)]
    for row in found:
        rows.append({**deepcopy(row), "updated_at": row.get("created_at"), "status": 2, "responder_id": None})
    return answer if found else None


def row_status_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is its number as text."""
    return _each(_rows(path, ticket, answer), answer, _turn(str, "status"))


def row_status_label(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is a word that no list of labels has."""
    return _each(_rows(path, ticket, answer), answer, _set("??? missing translation", "status"))


def row_status_pair(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is a pair of the number and null."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda v: [v, None], "status"))


def row_status_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is null."""
    return _each(_rows(path, ticket, answer), answer, _set(None, "status"))


def row_status_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("status"))


def row_status_true(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is true."""
    return _each(_rows(path, ticket, answer), answer, _set(True, "status"))


def row_status_float(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is a number with a fraction of nought."""
    return _each(_rows(path, ticket, answer), answer, _turn(float, "status"))


def row_priority_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The priority is null."""
    return _each(_rows(path, ticket, answer), answer, _set(None, "priority"))


def row_priority_nought(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The priority is nought, which no account has."""
    return _each(_rows(path, ticket, answer), answer, _set(0, "priority"))


def row_priority_table(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The priority is a table."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda v: {"id": v, "name": None}, "priority"))


def row_tags_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The tags are missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("tags"))


def row_tags_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The tags are null."""
    return _each(_rows(path, ticket, answer), answer, _set(None, "tags"))


def row_tags_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The tags are one text with commas."""
    change = _turn(lambda v: ",".join(str(tag) for tag in v) if isinstance(v, list) else v, "tags")
    return _each(_rows(path, ticket, answer), answer, change)


def row_tags_tables(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The tags are tables with names, and null stands among them."""
    change = _turn(lambda v: [None, *({"name": tag} for tag in v)] if isinstance(v, list) else v, "tags")
    return _each(_rows(path, ticket, answer), answer, change)


def row_due_blank(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The due times are empty texts and not null."""
    return _each(_rows(path, ticket, answer), answer, _set("", "due_by", "fr_due_by"))


def row_due_first(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The due times lie in the year one, far in the east: before the calendar."""
    change = _set("0001-01-01T00:00:00+14:00", "due_by", "fr_due_by", "nr_due_by")
    return _each(_rows(path, ticket, answer), answer, change)


def row_due_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The due times are missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("due_by", "fr_due_by", "nr_due_by"))


def row_stamps_offset(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """All stamps are told with the offset of Calcutta; the moments are the same."""
    change = _turn(_elsewhere, "created_at", "updated_at", "due_by", "fr_due_by")
    return _each(_rows(path, ticket, answer), answer, change)


def row_stamps_naive(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The stamps have no zone, a blank for the T, and milliseconds."""
    change = _turn(lambda v: str(v).removesuffix("Z").replace("T", " ") + ".000", "created_at", "updated_at")
    return _each(_rows(path, ticket, answer), answer, change)


def row_stamps_utc(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The stamps are written as in app events, with a blank and UTC."""
    change = _turn(lambda v: str(v).removesuffix("Z").replace("T", " ") + " UTC", "created_at", "updated_at")
    return _each(_rows(path, ticket, answer), answer, change)


def row_updated_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Updated_at is null."""
    return _each(_rows(path, ticket, answer), answer, _set(None, "updated_at"))


def row_updated_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Updated_at is missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("updated_at"))


def row_updated_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Updated_at is a number beyond every calendar."""
    return _each(_rows(path, ticket, answer), answer, _set(10**17, "updated_at"))


def row_updated_impossible(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Updated_at is the thirty-first of February."""
    return _each(_rows(path, ticket, answer), answer, _set("2026-02-31T10:00:00Z", "updated_at"))


def row_people_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The ids of agent, group, requester and company are text."""
    change = _turn(str, "responder_id", "group_id", "requester_id", "company_id")
    return _each(_rows(path, ticket, answer), answer, change)


def row_people_float(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The ids of agent, group and requester are numbers with a fraction of nought."""
    change = _turn(float, "responder_id", "group_id", "requester_id")
    return _each(_rows(path, ticket, answer), answer, change)


def row_people_false(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The ids of requester and company are false."""
    return _each(_rows(path, ticket, answer), answer, _set(False, "requester_id", "company_id"))


def row_people_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Responder_id and group_id are missing, which is not null."""
    return _each(_rows(path, ticket, answer), answer, _drop("responder_id", "group_id"))


def row_people_tables(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Responder_id and group_id are tables with the id in them."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda v: {"id": v}, "responder_id", "group_id"))


def row_custom_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The custom fields are null."""
    return _each(_rows(path, ticket, answer), answer, _set(None, "custom_fields"))


def row_custom_pairs(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The custom fields are a list of pairs."""
    change = _turn(lambda v: [[k, x] for k, x in v.items()] if isinstance(v, dict) else v, "custom_fields")
    return _each(_rows(path, ticket, answer), answer, change)


def row_custom_nested(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every custom field holds a table with the value in it."""
    return _each(_rows(path, ticket, answer), answer, _turn(_nested, "custom_fields"))


def row_stats_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The stats embed is null."""
    return _each(_rows(path, ticket, answer), answer, _set(None, "stats"))


def row_stats_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The stats embed was asked for and is missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("stats"))


def row_stats_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The stats embed is an empty list."""
    return _each(_rows(path, ticket, answer), answer, _set([], "stats"))


def row_stats_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The times in the stats embed are empty texts, false and words."""
    done = False
    for row in _rows(path, ticket, answer):
        if isinstance(row.get("stats"), dict):
            for place, key in enumerate(sorted(row["stats"])):
                row["stats"][key] = ("", False, "never")[place % 3]
            done = True
    return answer if done else None


def row_requester_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The requester embed is null."""
    return _each(_rows(path, ticket, answer), answer, _set(None, "requester", "company"))


def row_requester_hollow(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The requester embed has no id and a null name."""
    return _each(_rows(path, ticket, answer), answer, _set({"name": None, "email": None}, "requester"))


def row_marks_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Spam and the escalation marks are the texts false or true."""
    change = _turn(lambda v: str(v).lower(), "spam", "is_escalated", "fr_escalated", "deleted")
    return _each(_rows(path, ticket, answer), answer, change)


def row_marks_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Spam and the escalation marks are null."""
    change = _set(None, "spam", "is_escalated", "fr_escalated", "nr_escalated")
    return _each(_rows(path, ticket, answer), answer, change)


def row_marks_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Spam and the escalation marks are missing."""
    change = _drop("spam", "is_escalated", "fr_escalated", "nr_escalated")
    return _each(_rows(path, ticket, answer), answer, change)


def row_source_word(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The source is a word."""
    return _each(_rows(path, ticket, answer), answer, _set("Email", "source"))


def row_source_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The source is null."""
    return _each(_rows(path, ticket, answer), answer, _set(None, "source"))


def row_type_table(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The type is a table."""
    return _each(_rows(path, ticket, answer), answer, _set({"name": "Incident"}, "type"))


def row_subject_surrogate(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Subject and description hold half a character, a NUL and a change of direction."""
    change = _set("half \ud83d nul \x00 turn \u202e", "subject", "description_text")
    return _each(_rows(path, ticket, answer), answer, change)


def row_subject_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The subject is a number."""
    return _each(_rows(path, ticket, answer), answer, _set(404, "subject"))


def row_addresses_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The lists of addresses are null, and one is a table as in v1."""
    change = _set({"cc_emails": []}, "cc_emails", "fwd_emails", "reply_cc_emails", "to_emails")
    return _each(_rows(path, ticket, answer), answer, change)


def row_endless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The product id is 1e999, which most readers take for infinity."""
    rows = [row for row in _rows(path, ticket, answer) if "product_id" in row]
    for row in rows:
        row["product_id"] = "@@endless@@"
    return _spliced(answer, "@@endless@@", "1e999") if rows else None


def row_key_twice(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The key status stands twice in the row, the second time with null."""
    rows = [row for row in _rows(path, ticket, answer) if "status" in row]
    for row in rows:
        row["@@twice@@"] = None
    return _spliced(answer, "@@twice@@", '"status"') if rows else None


def row_v1(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The row has the names of the old API: frDueBy, isescalated, custom_field, ticket_type."""
    names = {"fr_due_by": "frDueBy", "is_escalated": "isescalated", "custom_fields": "custom_field"}
    names |= {"type": "ticket_type", "cc_emails": "cc_email"}
    done = False
    for row in _rows(path, ticket, answer):
        for new, old in names.items():
            if new in row:
                row[old], done = row.pop(new), True
    return answer if done else None


def talk_private_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """No conversation says whether it is private."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _drop("private"))


def talk_private_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Private is null in every conversation."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _set(None, "private"))


def talk_private_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Private is the text true or false."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _turn(lambda v: str(v).lower(), "private"))


def talk_incoming_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Incoming is null in every conversation."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _set(None, "incoming"))


def talk_incoming_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Incoming is missing in every conversation."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _drop("incoming"))


def talk_incoming_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Incoming is the text true or false."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _turn(lambda v: str(v).lower(), "incoming"))


def talk_author_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The authors are text."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _turn(str, "user_id"))


def talk_author_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The authors are null."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _set(None, "user_id"))


def talk_author_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The authors are missing."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _drop("user_id"))


def talk_time_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """No conversation says when."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _drop("created_at", "updated_at"))


def talk_time_bad(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The newest conversation has a time that is none."""
    rows = _said(method, path, ticket, answer)
    return _each(rows[-1:], answer, _set("2026-11-31T24:61:00Z", "created_at"))


def talk_time_offset(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The times are told with the offset of Calcutta; the moments are the same."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _turn(_elsewhere, "created_at", "updated_at"))


def talk_source_unknown(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The source of every conversation is an unknown number."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _set(99, "source"))


def talk_source_word(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The source of every conversation is a word."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _set("note", "source"))


def talk_body_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Both bodies of every conversation are null."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _set(None, "body", "body_text"))


def talk_text_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Body_text is missing, body is there."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _drop("body_text"))


def talk_id_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """No conversation has an id."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _drop("id"))


def talk_other_ticket(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every conversation names another ticket."""
    rows = _said(method, path, ticket, answer)
    return _each(rows, answer, _set(987654321, "ticket_id"))


def talk_auto_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every conversation has auto_response as the text false and a blank automation id."""
    rows = _said(method, path, ticket, answer)
    for row in rows:
        row["auto_response"], row["automation_id"], row["automation_type_id"] = "false", "", None
    return answer if rows else None


def talk_odd_rows(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Between the conversations stand null, a text and an empty table."""
    rows = _talk(method, path, ticket, answer)
    if not rows:
        return None
    rows[:] = [None, *rows, "deleted", {}]
    return answer


def talk_doubled(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The conversations come twice, the second time backwards."""
    rows = _talk(method, path, ticket, answer)
    if not rows:
        return None
    rows.extend(deepcopy(rows[::-1]))
    return answer


def talk_wrapped(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The list of conversations is wrapped in a table."""
    if not _talk(method, path, ticket, answer) or not isinstance(answer["json"], list):
        return None
    answer["json"] = {"conversations": answer["json"], "meta": None}
    return answer


def talk_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The whole list of conversations is the JSON word null."""
    if not _talk(method, path, ticket, answer) or not isinstance(answer["json"], list):
        return None
    return _raw(answer, "null", "application/json")


def talk_404(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The conversations give 404 with an empty body, though the ticket reads well."""
    if not _talk(method, path, ticket, answer) or not isinstance(answer["json"], list):
        return None
    return _raw(answer, "", None, 404)


def talk_403(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The conversations are refused with 403 and a null message."""
    if not _talk(method, path, ticket, answer) or not isinstance(answer["json"], list):
        return None
    answer["status"], answer["json"] = 403, {"code": "access_denied", "message": None}
    return answer


def talk_loop(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every page of the conversations names itself as the next."""
    if not _talk(method, path, ticket, answer) or not isinstance(answer["json"], list):
        return None
    answer["headers"]["link"] = f'< {path}>;rel="next"'
    return answer


def talk_link_broken(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The link head of the conversations is broken off."""
    if not _talk(method, path, ticket, answer) or not isinstance(answer["json"], list):
        return None
    answer["headers"]["link"] = "<https://elsewhere.example/api/v2/tickets/1/conver"
    return answer


def path_read_html(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the ticket gives 200 with an HTML page."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, HTML, "text/html; charset=utf-8")


def path_read_empty(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the ticket gives 200 with an empty body."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, "")


def path_read_204(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the ticket gives 204."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, "", None, 204)


def path_read_require_login(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the ticket gives 200 with the old word that a login is needed."""
    if not _read(method, path, ticket, answer):
        return None
    answer["json"] = {"require_login": True}
    return answer


def path_read_error_200(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the ticket gives 200 with the body of an error."""
    if not _read(method, path, ticket, answer):
        return None
    answer["json"] = {"code": "internal_error", "message": "We're sorry, but something went wrong."}
    return answer


def path_read_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the ticket gives a list of one."""
    if not _read(method, path, ticket, answer):
        return None
    answer["json"] = [answer["json"]]
    return answer


def path_read_wrapped(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the ticket gives it wrapped, as Freshservice does."""
    if not _read(method, path, ticket, answer):
        return None
    answer["json"] = {"ticket": answer["json"]}
    return answer


def path_read_login(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the ticket leads with 302 to a login page on another host."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["location"] = "https://login.elsewhere.example/support/login"
    return _raw(answer, "", "text/html", 302)


def path_read_301_self(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the ticket leads with 301 to itself."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["location"] = path
    return _raw(answer, "", None, 301)


def path_read_401(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 401 with an empty body."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, "", None, 401)


def path_read_403(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 403 with the body of a validation, its errors null."""
    if not _read(method, path, ticket, answer):
        return None
    answer["status"], answer["json"] = 403, {"description": "Validation failed", "errors": None}
    return answer


def path_read_405(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 405 with an HTML page."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, HTML, "text/html", 405)


def path_read_429_fraction(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 429 with a Retry-After of a fraction."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["retry-after"] = "1.5"
    return _raw(answer, "", None, 429)


def path_read_429_negative(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 429 with a negative Retry-After."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["retry-after"] = "-30"
    return _raw(answer, "", None, 429)


def path_read_429_bare(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 429 without any Retry-After."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"].pop("retry-after", None)
    return _raw(answer, "null", "application/json", 429)


def path_read_206(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 206 with half a body."""
    if not _read(method, path, ticket, answer):
        return None
    text = json.dumps(answer["json"])
    return _raw(answer, text[: len(text) // 2], None, 206)


def path_read_half(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The body of the one ticket stops in its middle."""
    if not _read(method, path, ticket, answer):
        return None
    text = json.dumps(answer["json"])
    return _raw(answer, text[: len(text) // 2])


def path_read_mark(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The body of the one ticket starts with a byte order mark."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, "\ufeff" + json.dumps(answer["json"]))


def path_read_gzip(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head says the body is packed with gzip, and it is not."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["content-encoding"] = "gzip"
    return answer


def path_read_charset(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head claims UTF-16 for a body in UTF-8."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["content-type"] = "application/json; charset=utf-16"
    return answer


def path_read_typeless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head says nothing of the kind of the body."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["content-type"] = ""
    return answer


def path_other_ticket(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A mixed-up cache answers the reading with a ticket of another id."""
    if not _read(method, path, ticket, answer) or not isinstance(answer["json"], dict):
        return None
    answer["json"]["id"] = 987654321
    return answer


def path_bad_bytes(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The subject of the one ticket holds bytes that are no UTF-8."""
    single = _single(path, ticket, answer)
    if not single:
        return None
    single["subject"] = "@@bytes@@"
    return _spliced(answer, "@@bytes@@", '"Z\udcfcrich \udcff"')


def path_deep(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A field of the one ticket is a list in a list in a list, very deep."""
    single = _single(path, ticket, answer)
    if not single:
        return None
    single["structured_description"] = "@@deep@@"
    return _spliced(answer, "@@deep@@", "[" * 100_000 + "]" * 100_000)


def path_long_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A field of the one ticket is a number of five thousand digits."""
    single = _single(path, ticket, answer)
    if not single:
        return None
    single["email_config_id"] = "@@long@@"
    return _spliced(answer, "@@long@@", "9" * 5000)


def path_write_empty(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 200 with an empty body."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _raw(answer, "", None, 200)


def path_write_204(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 204."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _raw(answer, "", None, 204)


def path_write_202(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 202 with a job nobody asked for."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["status"], answer["json"] = 202, {"job_id": "0f", "href": None}
    return answer


def path_write_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the body is the JSON word null."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _raw(answer, "null", "application/json")


def path_write_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the body is a list of one."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["json"] = [answer["json"]]
    return answer


def path_write_500(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 500 with internal_error."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["status"], answer["json"] = 500, {"code": "internal_error", "message": None}
    return answer


def path_write_504(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 504 with an HTML page."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _raw(answer, HTML, "text/html", 504)


def path_write_html(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 200 with an HTML page."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _raw(answer, HTML, "text/html")


def path_write_408(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 408 with an empty body."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _raw(answer, "", None, 408)


def path_write_404(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 404 with an empty body, though it reads well."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _raw(answer, "", None, 404)


def path_write_303(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer leads with 303 back to the ticket."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["headers"]["location"] = path
    return _raw(answer, "", None, 303)


def path_write_half(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the body stops in its middle."""
    if not _wrote(method, path, ticket, answer):
        return None
    text = json.dumps(answer["json"])
    return _raw(answer, text[: len(text) // 2])


def path_write_lean(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The update was carried out, and the answer lacks tags, custom fields, company, agent and group."""
    body = answer["json"]
    if not _wrote(method, path, ticket, answer) or not isinstance(body, dict):
        return None
    gone = _drop("tags", "custom_fields", "company_id", "responder_id", "group_id")
    return answer if method == "PUT" and gone(body) else None


def path_note_idless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The note or reply was carried out, and the answer has no id and no times."""
    body = answer["json"]
    if not _wrote(method, path, ticket, answer) or not isinstance(body, dict):
        return None
    gone = _drop("id", "created_at", "updated_at")
    return answer if method == "POST" and gone(body) else None


def path_note_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The note or reply was carried out, and the answer has a text id and null for author and bodies."""
    body = answer["json"]
    if not _wrote(method, path, ticket, answer) or not isinstance(body, dict):
        return None
    if method != "POST":
        return None
    body.update(id=str(body.get("id")), user_id=None, body=None, body_text=None, notified_to=None)
    return answer


def envelope_page_wrapped(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets is wrapped, as Freshservice does."""
    if not _list(path, answer):
        return None
    answer["json"] = {"tickets": _list(path, answer)}
    return answer


def envelope_page_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets is the JSON word null."""
    if not _list(path, answer):
        return None
    return _raw(answer, "null", "application/json")


def envelope_page_table(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets is an empty table."""
    if not _list(path, answer):
        return None
    answer["json"] = {}
    return answer


def envelope_page_require_login(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets gives 200 with the old word that a login is needed."""
    if not _list(path, answer):
        return None
    answer["json"] = {"require_login": True}
    return answer


def envelope_page_html(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets is HTML with status 200 and the head of JSON."""
    if not _list(path, answer):
        return None
    return _raw(answer, HTML, "application/json; charset=utf-8")


def envelope_page_204(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets is 204."""
    if not _list(path, answer):
        return None
    return _raw(answer, "", None, 204)


def envelope_page_half(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets stops in its middle, with status 200."""
    if not _list(path, answer):
        return None
    text = json.dumps(answer["json"])
    return _raw(answer, text[: len(text) // 2])


def envelope_page_trailing(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """After a good page of tickets follows a second document, an error."""
    if not _list(path, answer):
        return None
    return _raw(answer, json.dumps(answer["json"]) + '{"code":"internal_error"}')


def envelope_page_mark(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets starts with a byte order mark."""
    if not _list(path, answer):
        return None
    return _raw(answer, "\ufeff" + json.dumps(answer["json"]))


def envelope_page_gzip(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head says a page is packed with gzip, and it is not."""
    if not _list(path, answer):
        return None
    answer["headers"]["content-encoding"] = "gzip"
    return answer


def envelope_page_429(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets is 429 without any Retry-After and with an HTML body."""
    if not _list(path, answer):
        return None
    answer["headers"].pop("retry-after", None)
    return _raw(answer, HTML, "text/html", 429)


def envelope_page_400(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets is refused with 400 and errors that are null."""
    if not _list(path, answer):
        return None
    answer["status"], answer["json"] = 400, {"description": "Validation failed", "errors": None}
    return answer


def envelope_page_strange_rows(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Between the tickets of a page stand null, an empty table, a list and a row with a null id."""
    if not _list(path, answer):
        return None
    rows = _list(path, answer)
    rows[:] = [None, {}, *rows, [], {"id": None, "status": 2, "updated_at": None}]
    return answer


def envelope_page_doubled(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every ticket of the page comes twice, the second time backwards."""
    if not _list(path, answer):
        return None
    rows = _list(path, answer)
    rows.extend(deepcopy(rows[::-1]))
    return answer


def envelope_link_loop(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every page of tickets names itself as the next, for ever."""
    if not _list(path, answer):
        return None
    answer["headers"]["link"] = f'<{path}>; rel="next"'
    return answer


def envelope_link_foreign(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The link head leads to another host."""
    if not _list(path, answer):
        return None
    answer["headers"]["link"] = f'<https://elsewhere.example{path}>; rel="next"'
    return answer


def envelope_link_bare(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The link head, where there is one, has blanks, no quotes and capitals."""
    link = answer["headers"].get("link")
    if not _list(path, answer) or not link:
        return None
    answer["headers"]["link"] = str(link).replace("<", "< ").replace('rel="next"', "REL = next")
    return answer


def envelope_total_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The total of a search is text with a comma, or more than there is."""
    if "/search/" not in path or not _good(answer) or not isinstance(answer["json"], dict):
        return None
    answer["json"]["total"] = "1,234"
    return answer


def envelope_results_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A search has a total and null for results."""
    body = answer["json"]
    if "/search/" not in path or not isinstance(body, dict) or not body.get("results"):
        return None
    body["results"] = None
    return answer


def envelope_rate_words(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The heads that count requests hold words, blanks and not-a-number."""
    if _alone(path) or not _good(answer):
        return None
    answer["headers"].update(
        {
            "x-ratelimit-total": "nan",
            "x-ratelimit-remaining": "",
            "x-ratelimit-used-currentrequest": "inf",
        }
    )
    return answer


def envelope_rate_minus(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The heads say a total of 50.0, less than nothing left, and half a request used."""
    if _alone(path) or not _good(answer):
        return None
    answer["headers"].update(
        {
            "x-ratelimit-total": "50.0",
            "x-ratelimit-remaining": "-3.0",
            "x-ratelimit-used-currentrequest": "0.5",
        }
    )
    return answer


def envelope_rate_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The heads do not count requests at all."""
    if _alone(path) or not _good(answer):
        return None
    names = [name for name in answer["headers"] if name.startswith("x-ratelimit")]
    for name in names:
        del answer["headers"][name]
    return answer if names else None


def envelope_date_word(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head's date is no date."""
    if _alone(path) or not _good(answer):
        return None
    answer["headers"]["date"] = "Yesterday, 30 Feb 2026 25:61:00 GMT"
    return answer


def envelope_me_contactless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Who-am-I has null for contact, groups and roles."""
    body = answer["json"]
    if "/agents/me" not in path or not _good(answer) or not isinstance(body, dict):
        return None
    body.update(contact=None, group_ids=None, role_ids=None, ticket_scope=None)
    return answer


def envelope_me_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Who-am-I has its id as text."""
    body = answer["json"]
    if "/agents/me" not in path or not _good(answer) or not isinstance(body, dict):
        return None
    body["id"] = str(body.get("id"))
    return answer


def envelope_me_idless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Who-am-I has no id."""
    body = answer["json"]
    if "/agents/me" not in path or not _good(answer) or not isinstance(body, dict):
        return None
    return answer if _drop("id")(body) else None


def envelope_me_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Who-am-I is a list of one."""
    body = answer["json"]
    if "/agents/me" not in path or not _good(answer) or not isinstance(body, dict):
        return None
    answer["json"] = [body]
    return answer


def envelope_agents_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Agents have null for contact and groups, text for available; null stands among them."""
    rows = _directory(path, answer, "agents")
    for row in rows:
        row.update(contact=None, group_ids=None, available="false", type=None)
    if rows:
        answer["json"].insert(0, None)
    return answer if rows else None


def envelope_agents_nameless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Agents have text ids, no name and the text true for active."""
    rows = _directory(path, answer, "agents")
    for row in rows:
        row["id"], row["contact"] = str(row.get("id")), {"name": None, "email": None, "active": "true"}
    return answer if rows else None


def envelope_groups_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Groups have text ids, null names, and text among the agents."""
    rows = _directory(path, answer, "groups")
    for row in rows:
        row.update(id=str(row.get("id")), name=None, agent_ids=["1", None], auto_ticket_assign="1")
    if rows:
        answer["json"].insert(0, None)
    return answer if rows else None


def envelope_fields_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Ticket fields have null for choices, names and types."""
    rows = _directory(path, answer, "ticket_fields")
    for row in rows:
        row.update(choices=None, type=None, label=None, required_for_agents=None)
    if rows:
        answer["json"].insert(0, None)
    return answer if rows else None


def envelope_fields_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Choices are tables of texts, half pairs and numbers where labels should be."""
    rows = _directory(path, answer, "ticket_fields")
    for row in rows:
        row["choices"] = {"2": "Open", "x": [None], "": [], "4": 4, "5": {"label": ["Closed"]}}
    return answer if rows else None


def envelope_hours_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Business hours have an unknown zone, a day that is null and times without am or pm."""
    rows = _directory(path, answer, "business_hours")
    for row in rows:
        row["time_zone"] = "Atlantis (Deep)"
        row["business_hours"] = {"monday": None, "tuesday": {"start_time": "25:00", "end_time": ""}}
    if rows:
        answer["json"].insert(0, None)
    return answer if rows else None


def envelope_policies_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """SLA policies have null targets, text positions and a list for applicable_to."""
    rows = _directory(path, answer, "sla_policies")
    for row in rows:
        row.update(sla_target=None, applicable_to=[], position="first", escalation=None, active="true")
    if rows:
        answer["json"].insert(0, None)
    return answer if rows else None


def envelope_companies_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Companies have null names and custom fields, and text ids."""
    rows = _directory(path, answer, "companies")
    for row in rows:
        row.update(id=str(row.get("id")), name=None, custom_fields=None, account_tier={})
    if rows:
        answer["json"].insert(0, None)
    return answer if rows else None


def envelope_contacts_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Contacts have null names and addresses, and text ids."""
    rows = _directory(path, answer, "contacts")
    for row in rows:
        row.update(id=str(row.get("id")), name=None, email=None, tags=None, custom_fields=None)
    if rows:
        answer["json"].insert(0, None)
    return answer if rows else None


def envelope_directory_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A directory list of agents, groups or fields is the JSON word null."""
    if not any(_directory(path, answer, name) for name in ("agents", "groups", "ticket_fields")):
        return None
    return _raw(answer, "null", "application/json")


def envelope_directory_403(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A directory list is refused with 403, an HTML page and the head of JSON."""
    if not any(_directory(path, answer, name) for name in ("agents", "groups", "ticket_fields")):
        return None
    return _raw(answer, HTML, "application/json", 403)


MUTATIONS: tuple[tuple[str, str, Mutation], ...] = (
    ("the id is text", "row", row_id_text),
    ("the id is a float", "row", row_id_float),
    ("the id is a display id", "row", row_id_display),
    ("the row is wrapped", "row", row_wrapped),
    ("the row in a list is its bare id", "row", row_bare_id),
    ("the row comes again, stripped", "row", row_twice_stripped),
    ("the row comes again, older", "row", row_twice_older),
    ("status as text", "row", row_status_text),
    ("status a label", "row", row_status_label),
    ("status a pair", "row", row_status_pair),
    ("status null", "row", row_status_null),
    ("status missing", "row", row_status_gone),
    ("status true", "row", row_status_true),
    ("status a float", "row", row_status_float),
    ("priority null", "row", row_priority_null),
    ("priority 0", "row", row_priority_nought),
    ("priority a table", "row", row_priority_table),
    ("tags missing", "row", row_tags_gone),
    ("tags null", "row", row_tags_null),
    ("tags one text with commas", "row", row_tags_text),
    ("tags as tables", "row", row_tags_tables),
    ("due times an empty text", "row", row_due_blank),
    ("due times in the year one", "row", row_due_first),
    ("due times missing", "row", row_due_gone),
    ("stamps with an offset", "row", row_stamps_offset),
    ("stamps without a zone", "row", row_stamps_naive),
    ("stamps with the letters UTC", "row", row_stamps_utc),
    ("updated_at null", "row", row_updated_null),
    ("updated_at missing", "row", row_updated_gone),
    ("updated_at a huge number", "row", row_updated_number),
    ("updated_at an impossible day", "row", row_updated_impossible),
    ("people as text", "row", row_people_text),
    ("people as floats", "row", row_people_float),
    ("people false", "row", row_people_false),
    ("agent and group missing", "row", row_people_gone),
    ("agent and group tables", "row", row_people_tables),
    ("custom fields null", "row", row_custom_null),
    ("custom fields a list of pairs", "row", row_custom_pairs),
    ("custom fields with tables as values", "row", row_custom_nested),
    ("stats null", "row", row_stats_null),
    ("stats missing", "row", row_stats_gone),
    ("stats a list", "row", row_stats_list),
    ("stats with blanks and nonsense times", "row", row_stats_odd),
    ("requester embed null", "row", row_requester_null),
    ("requester embed hollow", "row", row_requester_hollow),
    ("marks as text", "row", row_marks_text),
    ("marks null", "row", row_marks_null),
    ("marks missing", "row", row_marks_gone),
    ("source a word", "row", row_source_word),
    ("source null", "row", row_source_null),
    ("type a table", "row", row_type_table),
    ("half characters in the subject", "row", row_subject_surrogate),
    ("subject a number", "row", row_subject_number),
    ("addresses odd", "row", row_addresses_odd),
    ("an endless number", "row", row_endless),
    ("the key status twice", "row", row_key_twice),
    ("a row in the shape of v1", "row", row_v1),
    ("private missing", "history", talk_private_gone),
    ("private null", "history", talk_private_null),
    ("private as text", "history", talk_private_text),
    ("incoming null", "history", talk_incoming_null),
    ("incoming missing", "history", talk_incoming_gone),
    ("incoming as text", "history", talk_incoming_text),
    ("authors as text", "history", talk_author_text),
    ("authors null", "history", talk_author_null),
    ("authors missing", "history", talk_author_gone),
    ("times missing", "history", talk_time_gone),
    ("the newest time impossible", "history", talk_time_bad),
    ("times with an offset", "history", talk_time_offset),
    ("source unknown", "history", talk_source_unknown),
    ("source a word", "history", talk_source_word),
    ("bodies null", "history", talk_body_null),
    ("body_text missing", "history", talk_text_gone),
    ("ids missing", "history", talk_id_gone),
    ("ticket_id of another", "history", talk_other_ticket),
    ("auto_response as text", "history", talk_auto_text),
    ("null, text and empty rows between", "history", talk_odd_rows),
    ("doubled and backwards", "history", talk_doubled),
    ("wrapped list", "history", talk_wrapped),
    ("list null", "history", talk_null),
    ("list 404 empty", "history", talk_404),
    ("list 403 with a plan message", "history", talk_403),
    ("list names itself as next", "history", talk_loop),
    ("link broken", "history", talk_link_broken),
    ("reading gives 200 HTML", "path", path_read_html),
    ("reading gives 200 empty", "path", path_read_empty),
    ("reading gives 204", "path", path_read_204),
    ("reading gives require_login", "path", path_read_require_login),
    ("reading gives an error with 200", "path", path_read_error_200),
    ("reading gives a list of one", "path", path_read_list),
    ("reading gives a wrapped ticket", "path", path_read_wrapped),
    ("reading leads to a login", "path", path_read_login),
    ("reading leads to itself", "path", path_read_301_self),
    ("reading gives 401 empty", "path", path_read_401),
    ("reading gives 403 with a list of errors", "path", path_read_403),
    ("reading gives 405", "path", path_read_405),
    ("reading gives 429 with a fraction", "path", path_read_429_fraction),
    ("reading gives 429 with a negative", "path", path_read_429_negative),
    ("reading gives 429 with nothing", "path", path_read_429_bare),
    ("reading gives 206", "path", path_read_206),
    ("half a body", "path", path_read_half),
    ("a byte order mark first", "path", path_read_mark),
    ("gzip claimed, plain sent", "path", path_read_gzip),
    ("a wrong charset claimed", "path", path_read_charset),
    ("no content type", "path", path_read_typeless),
    ("another ticket is told", "path", path_other_ticket),
    ("bytes that are no UTF-8", "path", path_bad_bytes),
    ("a very deep list", "path", path_deep),
    ("a number of five thousand digits", "path", path_long_number),
    ("write done, 200 empty", "path", path_write_empty),
    ("write done, 204", "path", path_write_204),
    ("write done, 202 with a job", "path", path_write_202),
    ("write done, null", "path", path_write_null),
    ("write done, a list", "path", path_write_list),
    ("write done, 500 internal_error", "path", path_write_500),
    ("write done, 504 HTML", "path", path_write_504),
    ("write done, 200 HTML", "path", path_write_html),
    ("write done, 408 empty", "path", path_write_408),
    ("write done, 404 empty", "path", path_write_404),
    ("write done, 303 to the ticket", "path", path_write_303),
    ("write done, half a body", "path", path_write_half),
    ("write done, few keys", "path", path_write_lean),
    ("note done, no id", "path", path_note_idless),
    ("note done, odd receipt", "path", path_note_odd),
    ("a page wrapped in a table", "envelope", envelope_page_wrapped),
    ("a page that is null", "envelope", envelope_page_null),
    ("a page that is an empty table", "envelope", envelope_page_table),
    ("a page of require_login", "envelope", envelope_page_require_login),
    ("a page of HTML called JSON", "envelope", envelope_page_html),
    ("a page 204", "envelope", envelope_page_204),
    ("half a page", "envelope", envelope_page_half),
    ("a page followed by a second document", "envelope", envelope_page_trailing),
    ("a page with a byte order mark", "envelope", envelope_page_mark),
    ("a page with gzip claimed", "envelope", envelope_page_gzip),
    ("a page 429 with nothing", "envelope", envelope_page_429),
    ("a page 400 with errors null", "envelope", envelope_page_400),
    ("strange rows between", "envelope", envelope_page_strange_rows),
    ("every ticket of a page twice", "envelope", envelope_page_doubled),
    ("the link names the page itself", "envelope", envelope_link_loop),
    ("the link leads to another host", "envelope", envelope_link_foreign),
    ("the link without quotes", "envelope", envelope_link_bare),
    ("the search total as text", "envelope", envelope_total_text),
    ("the search results null", "envelope", envelope_results_null),
    ("rate heads with words", "envelope", envelope_rate_words),
    ("rate heads with fractions and minus", "envelope", envelope_rate_minus),
    ("rate heads gone", "envelope", envelope_rate_gone),
    ("date head no date", "envelope", envelope_date_word),
    ("who-am-I without contact", "envelope", envelope_me_contactless),
    ("who-am-I with a text id", "envelope", envelope_me_text),
    ("who-am-I without an id", "envelope", envelope_me_idless),
    ("who-am-I a list", "envelope", envelope_me_list),
    ("agents odd", "envelope", envelope_agents_odd),
    ("agents with contact odd", "envelope", envelope_agents_nameless),
    ("groups odd", "envelope", envelope_groups_odd),
    ("ticket fields with null choices", "envelope", envelope_fields_null),
    ("ticket fields with odd choices", "envelope", envelope_fields_odd),
    ("business hours odd", "envelope", envelope_hours_odd),
    ("SLA policies odd", "envelope", envelope_policies_odd),
    ("companies odd", "envelope", envelope_companies_odd),
    ("contacts odd", "envelope", envelope_contacts_odd),
    ("a directory list null", "envelope", envelope_directory_null),
    ("a directory list with require_feature as HTML", "envelope", envelope_directory_403),
)
