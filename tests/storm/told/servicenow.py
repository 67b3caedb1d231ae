"""Odd, broken or unknowable answers of ServiceNow, each told as one change of one honest answer."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from urllib.parse import unquote

Answer = dict[str, Any]
Row = dict[str, Any]
Mutation = Callable[[str, str, str, Answer], Answer | None]

HTML = "<!DOCTYPE html><html><body class='instance-hibernating-page'>Instance Hibernating</body></html>"
LOGIN = "<html><head><title>Log in | SSO</title></head><body><form action='/sso'></form></body></html>"
CANCELLED = {
    "message": "Transaction cancelled: maximum execution time exceeded",
    "detail": "Transaction cancelled: maximum execution time exceeded Check logs for error trace",
}
HIDDEN = "Record doesn't exist or ACL restricts the record retrieval"
LINKS = {"sys_audit": "documentkey", "sys_journal_field": "element_id", "task_sla": "task"}


def _good(answer: Answer) -> bool:
    """Whether the honest answer was a success."""
    return 200 <= int(answer["status"]) < 300


def _table(path: str) -> str:
    """The name of the table a path asks for, or an empty text."""
    found = re.match(r"/api/now/(?:v\d+/)?table/([A-Za-z0-9_]+)", path)
    return found.group(1) if found else ""


def _itself(path: str, ticket: str) -> bool:
    """Whether the path is the record itself."""
    return re.search(rf"/table/[A-Za-z0-9_]+/{re.escape(ticket)}(?:\?.*)?$", path) is not None


def _alone(path: str) -> bool:
    """Whether the path names any one record."""
    return re.search(r"/table/[A-Za-z0-9_]+/[^/?]+", path) is not None


def _text(value: Any) -> str:
    """The raw value of a column in any of its shapes."""
    if isinstance(value, dict):
        value = value.get("value")
    return "" if value is None else str(value)


def _result(answer: Answer) -> list[Any]:
    """The rows of an answer, be they many or one; a copy of the outer list only."""
    body = answer["json"]
    if not _good(answer) or not isinstance(body, dict):
        return []
    rows = body.get("result")
    return list(rows) if isinstance(rows, list) else [rows] if isinstance(rows, dict) else []


def _is(row: object, ticket: str) -> bool:
    """Whether this is the row of the ticket."""
    return isinstance(row, dict) and _text(row.get("sys_id")) == ticket


def _rows(path: str, ticket: str, answer: Answer) -> list[Row]:
    """All rows of the ticket itself; the row of a reading by its path may lack its sys_id."""
    rows = [] if not _table(path) or _table(path) in LINKS else _result(answer)
    return [row for row in rows if _is(row, ticket) or (_itself(path, ticket) and row)]


def _list(path: str, answer: Answer) -> list[Any]:
    """The very list of a list of records that are no history, or an empty one."""
    body = answer["json"]
    if not _good(answer) or not isinstance(body, dict) or not _table(path) or _table(path) in LINKS:
        return []
    rows = body.get("result")
    return rows if isinstance(rows, list) else []


def _each(rows: list[Row], answer: Answer, change: Callable[[Row], bool]) -> Answer | None:
    """Change every row given; None if no row let itself be changed."""
    done = [change(row) for row in rows]
    return answer if any(done) else None


def _put(row: Row, field: str, raw: Any, label: Any = ...) -> None:
    """Put a raw value into a column and keep the column's shape."""
    if isinstance(row[field], dict):
        row[field] = {"display_value": raw if label is ... else label, "value": raw}
    else:
        row[field] = raw


def _set(raw: Any, *fields: str) -> Callable[[Row], bool]:
    """A change that puts a raw value where the columns are, in the columns' shape."""

    def change(row: Row) -> bool:
        """Put the value."""
        found = [field for field in fields if field in row]
        for field in found:
            _put(row, field, deepcopy(raw))
        return bool(found)

    return change


def _whole(value: Any, *fields: str) -> Callable[[Row], bool]:
    """A change that puts a value where the columns are, whatever their shape."""

    def change(row: Row) -> bool:
        """Put the value."""
        found = [field for field in fields if field in row]
        for field in found:
            row[field] = deepcopy(value)
        return bool(found)

    return change


def _drop(*fields: str) -> Callable[[Row], bool]:
    """A change that takes columns away."""

    def change(row: Row) -> bool:
        """Take them away."""
        found = [row.pop(field, ...) is not ... for field in fields]
        return any(found)

    return change


def _turn(how: Callable[[str], Any], *fields: str) -> Callable[[Row], bool]:
    """A change that turns raw values that are not empty into others."""

    def change(row: Row) -> bool:
        """Turn them."""
        found = [field for field in fields if _text(row.get(field))]
        for field in found:
            _put(row, field, how(_text(row[field])))
        return bool(found)

    return change


def _american(raw: str) -> str:
    """A raw stamp in the format of an American account."""
    found = re.match(r"(\d{4})-(\d\d)-(\d\d) (.*)$", raw)
    return f"{found.group(2)}/{found.group(3)}/{found.group(1)} {found.group(4)} PM" if found else raw


def _iso(raw: str) -> str:
    """A raw stamp as ISO with a Z and milliseconds."""
    return raw.replace(" ", "T") + ".000Z"


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


def _failed(answer: Answer, status: int, message: Any, detail: Any) -> Answer:
    """The answer as an error in the vendor's envelope."""
    answer["status"] = status
    answer["json"] = {"error": {"message": message, "detail": detail}, "status": "failure"}
    return answer


def _past(path: str, ticket: str, answer: Answer, *tables: str) -> list[Row]:
    """The rows of the ticket in answers about the named history tables."""
    name = _table(path)
    if name not in tables:
        return []
    return [row for row in _result(answer) if isinstance(row, dict) and _text(row.get(LINKS[name])) == ticket]


def _past_only(path: str, ticket: str, answer: Answer, *tables: str) -> bool:
    """Whether a history answer is about this ticket and no other."""
    asked = set(re.findall(r"(?<![0-9a-fA-F])[0-9a-fA-F]{32}(?![0-9a-fA-F])", unquote(path)))
    rows = _past(path, ticket, answer, *tables)
    return bool(rows) and len(rows) == len(_result(answer)) and asked <= {ticket}


def _read(method: str, path: str, ticket: str, answer: Answer) -> bool:
    """Whether this is a good reading of the record by its path."""
    return method == "GET" and _itself(path, ticket) and _good(answer)


def _wrote(method: str, path: str, ticket: str, answer: Answer) -> bool:
    """Whether this is a write to the record that was carried out."""
    return method in ("PUT", "PATCH", "POST") and _itself(path, ticket) and _good(answer)


def _page(method: str, path: str, answer: Answer) -> list[Any]:
    """The very list of a page of any table but the histories, with no record in the path; or an empty one."""
    body = answer["json"]
    if method != "GET" or not _good(answer) or not isinstance(body, dict) or _table(path) in LINKS:
        return []
    if re.match(r"/api/now/(?:v\d+/)?table/[A-Za-z0-9_]+(?:\?.*)?$", path) is None:
        return []
    rows = body.get("result")
    return rows if isinstance(rows, list) else []


def _named(path: str, answer: Answer, name: str) -> list[Row]:
    """The rows of an answer about one directory table."""
    return [row for row in _result(answer) if isinstance(row, dict)] if _table(path) == name else []


def row_state_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The state is a number and not text."""
    change = _turn(lambda v: int(v) if v.lstrip("-").isdecimal() else v, "state")
    return _each(_rows(path, ticket, answer), answer, change)


def row_state_decimal(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The state is a decimal text."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda v: v + ".0", "state"))


def row_state_label(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The state is a bare label in another language, of no known list."""
    return _each(_rows(path, ticket, answer), answer, _whole("Wird gepr\u00fcft", "state", "incident_state"))


def row_state_valueless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The state has its label and no value."""
    change = _whole({"display_value": ""}, "state", "incident_state")
    return _each(_rows(path, ticket, answer), answer, change)


def row_state_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The state is null within its shape."""
    return _each(_rows(path, ticket, answer), answer, _set(None, "state", "incident_state"))


def row_state_bare_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The state is the JSON word null, whatever the shape."""
    return _each(_rows(path, ticket, answer), answer, _whole(None, "state", "incident_state"))


def row_state_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The state is missing, as an ACL does."""
    return _each(_rows(path, ticket, answer), answer, _drop("state", "incident_state"))


def row_state_blank(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The state is an empty text, as an ACL does on some instances."""
    return _each(_rows(path, ticket, answer), answer, _set("", "state", "incident_state"))


def row_state_unknown(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The state is a negative number no list knows."""
    return _each(_rows(path, ticket, answer), answer, _set("-77", "state", "incident_state"))


def row_state_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The state is a list of one."""
    return _each(_rows(path, ticket, answer), answer, _whole(["2"], "state"))


def row_stamp_american(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The stamps come in the format of an American account, raw value too."""
    change = _turn(_american, "sys_updated_on", "sys_created_on", "opened_at")
    return _each(_rows(path, ticket, answer), answer, change)


def row_stamp_iso(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The stamps come as ISO with Z and milliseconds; the moments are the same."""
    change = _turn(_iso, "sys_updated_on", "sys_created_on", "opened_at")
    return _each(_rows(path, ticket, answer), answer, change)


def row_stamp_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sys_updated_on is missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("sys_updated_on"))


def row_stamp_blank(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sys_updated_on is an empty text."""
    return _each(_rows(path, ticket, answer), answer, _set("", "sys_updated_on"))


def row_stamp_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sys_updated_on is the JSON word null."""
    return _each(_rows(path, ticket, answer), answer, _whole(None, "sys_updated_on"))


def row_stamp_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sys_updated_on is a number beyond every calendar."""
    return _each(_rows(path, ticket, answer), answer, _set(10**17, "sys_updated_on"))


def row_stamp_day(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The stamps have lost their time of day."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda v: v[:10], "opened_at", "sys_created_on"))


def row_stamp_nought(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Opened_at and sys_created_on are the day nought."""
    change = _set("0000-00-00 00:00:00", "opened_at", "sys_created_on")
    return _each(_rows(path, ticket, answer), answer, change)


def row_stamp_impossible(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Opened_at is a second that no clock has."""
    return _each(_rows(path, ticket, answer), answer, _set("2026-02-31 24:61:61", "opened_at"))


def row_stamp_label(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Opened_at has its label and no raw value."""
    change = _whole({"display_value": "31.12.2025 23.59.59"}, "opened_at")
    return _each(_rows(path, ticket, answer), answer, change)


def row_count_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sys_mod_count is missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("sys_mod_count"))


def row_count_blank(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sys_mod_count is an empty text."""
    return _each(_rows(path, ticket, answer), answer, _set("", "sys_mod_count"))


def row_count_comma(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sys_mod_count has a comma for the thousands."""
    return _each(_rows(path, ticket, answer), answer, _set("1,234", "sys_mod_count"))


def row_count_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sys_mod_count is a number."""
    change = _turn(lambda v: int(v) if v.isdecimal() else v, "sys_mod_count")
    return _each(_rows(path, ticket, answer), answer, change)


def row_count_word(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sys_mod_count is a superscript two, which is a digit and no number."""
    return _each(_rows(path, ticket, answer), answer, _set("\u00b2", "sys_mod_count"))


def row_id_upper(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The sys_id is in upper case."""
    return _each(_rows(path, ticket, answer), answer, _turn(str.upper, "sys_id"))


def row_id_blanks(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The sys_id has blanks around it."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda v: f" {v} ", "sys_id"))


def row_id_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The sys_id is missing, the number is there."""
    return _each(_rows(path, ticket, answer), answer, _drop("sys_id"))


def row_id_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The sys_id is null within its shape."""
    return _each(_rows(path, ticket, answer), answer, _set(None, "sys_id"))


def row_id_label(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The sys_id has a label and no value."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda _: None, "sys_id"))


def row_number_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The number is missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("number"))


def row_number_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The number is null."""
    return _each(_rows(path, ticket, answer), answer, _whole(None, "number"))


def row_references_links(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Group, assignee and caller are links without value and label."""

    def change(row: Row) -> bool:
        """Leave only the link."""
        found = [f for f in ("assigned_to", "assignment_group", "caller_id") if _text(row.get(f))]
        for field in found:
            row[field] = {"link": f"https://elsewhere.example/api/now/table/sys_user/{_text(row[field])}"}
        return bool(found)

    return _each(_rows(path, ticket, answer), answer, change)


def row_references_labels(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Group, assignee and caller have a label and a link and no value."""

    def change(row: Row) -> bool:
        """Leave label and link."""
        found = [f for f in ("assigned_to", "assignment_group", "caller_id") if _text(row.get(f))]
        for field in found:
            row[field] = {"display_value": "Lee, Ann", "link": None}
        return bool(found)

    return _each(_rows(path, ticket, answer), answer, change)


def row_references_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Group, assignee and caller are the JSON word null."""
    change = _whole(None, "assigned_to", "assignment_group", "caller_id")
    return _each(_rows(path, ticket, answer), answer, change)


def row_references_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Group, assignee and caller are missing, as an ACL does."""
    return _each(_rows(path, ticket, answer), answer, _drop("assigned_to", "assignment_group", "caller_id"))


def row_references_dangling(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Group and assignee are names that are no sys_id and exist nowhere."""
    return _each(_rows(path, ticket, answer), answer, _set("glide.maint", "assigned_to", "assignment_group"))


def row_priority_caption(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The raw priority has its caption behind it."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda v: f"{v} - ???", "priority"))


def row_priority_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The priority is the JSON word null."""
    return _each(_rows(path, ticket, answer), answer, _whole(None, "priority"))


def row_priority_unknown(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The priority is 99."""
    return _each(_rows(path, ticket, answer), answer, _set("99", "priority", "impact", "urgency"))


def row_impact_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Impact and urgency are missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("impact", "urgency"))


def row_impact_blank(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Impact and urgency are empty texts."""
    return _each(_rows(path, ticket, answer), answer, _set("", "impact", "urgency"))


def row_active_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Active is the text 1 or 0."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda v: "1" if v == "true" else "0", "active"))


def row_active_bool(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Active is a JSON truth value."""
    return _each(_rows(path, ticket, answer), answer, _turn(lambda v: v == "true", "active"))


def row_active_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Active is missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("active"))


def row_class_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The class name is missing."""
    return _each(_rows(path, ticket, answer), answer, _drop("sys_class_name"))


def row_class_unknown(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The class is a table nobody knows, with a blank in it."""
    return _each(_rows(path, ticket, answer), answer, _set("x_acme ticket", "sys_class_name"))


def row_updater_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Nobody is named as the updater or maker."""
    return _each(_rows(path, ticket, answer), answer, _drop("sys_updated_by", "sys_created_by"))


def row_updater_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Updater and maker are null."""
    return _each(_rows(path, ticket, answer), answer, _whole(None, "sys_updated_by", "sys_created_by"))


def row_texts_surrogate(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The short description holds half a character, a NUL and a change of direction."""
    change = _set("half \ud83d nul \x00 turn \u202e", "short_description", "description")
    return _each(_rows(path, ticket, answer), answer, change)


def row_texts_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The short description is a list with a table in it."""
    return _each(_rows(path, ticket, answer), answer, _whole([{"value": "x"}], "short_description"))


def row_journals_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The journal columns are null or lists."""
    change = _whole([None], "comments", "work_notes", "comments_and_work_notes")
    return _each(_rows(path, ticket, answer), answer, change)


def row_reassigned_word(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The counts of reassignments and reopenings are words."""
    return _each(_rows(path, ticket, answer), answer, _set("many", "reassignment_count", "reopen_count"))


def row_lists_lists(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Watch lists and tags are JSON lists with null in them."""
    change = _whole([None, "a@example.com"], "watch_list", "work_notes_list", "sys_tags")
    return _each(_rows(path, ticket, answer), answer, change)


def row_hold_unknown(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The reason for holding is an unknown number."""
    return _each(_rows(path, ticket, answer), answer, _set("42", "hold_reason"))


def row_correlation_nested(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The correlation columns are tables in tables."""
    change = _whole({"value": {"value": "x"}, "display_value": {}}, "correlation_id", "correlation_display")
    return _each(_rows(path, ticket, answer), answer, change)


def row_all_plain(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every column is plain text though tables were asked for."""

    def change(row: Row) -> bool:
        """Make every table plain."""
        found = [field for field in row if isinstance(row[field], dict)]
        for field in found:
            row[field] = _text(row[field])
        return bool(found)

    return _each(_rows(path, ticket, answer), answer, change)


def row_exchanged(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In every column but the sys_id, value and label have changed places."""

    def change(row: Row) -> bool:
        """Exchange them."""
        found = [f for f in row if f != "sys_id" and isinstance(row[f], dict) and "value" in row[f]]
        for field in found:
            row[field] = {"value": row[field].get("display_value"), "display_value": row[field]["value"]}
        return bool(found)

    return _each(_rows(path, ticket, answer), answer, change)


def row_hidden(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """An ACL hides every column but the sys_id: they are missing."""

    def change(row: Row) -> bool:
        """Leave the sys_id alone."""
        found = [field for field in row if field != "sys_id"]
        for field in found:
            del row[field]
        return bool(found)

    return _each(_rows(path, ticket, answer), answer, change)


def row_blanked(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """An ACL blanks every column but the sys_id."""

    def change(row: Row) -> bool:
        """Blank all but the sys_id."""
        found = [field for field in row if field != "sys_id"]
        for field in found:
            _put(row, field, "")
        return bool(found)

    return _each(_rows(path, ticket, answer), answer, change)


def row_walk_nested(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Dot-walked columns come as tables in tables and not flat."""

    def change(row: Row) -> bool:
        """Nest them."""
        found = [field for field in row if "." in field]
        for field in found:
            first, rest = field.split(".", 1)
            row[first] = {"value": _text(row.get(first)), rest: row.pop(field)}
        return bool(found)

    return _each(_rows(path, ticket, answer), answer, change)


def row_walk_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Dot-walked columns are missing."""

    def change(row: Row) -> bool:
        """Drop them."""
        return _drop(*[field for field in row if "." in field])(row)

    return _each(_rows(path, ticket, answer), answer, change)


def row_twice_stripped(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists the row comes a second time with only its sys_id."""
    rows = _list(path, answer)
    found = [row for row in rows if _is(row, ticket)]
    rows.extend({"sys_id": deepcopy(row["sys_id"])} for row in found)
    return answer if found else None


def row_twice_older(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists the row comes a second time as it was when it was made."""
    rows = _list(path, answer)
    needed = ("sys_id", "sys_created_on", "sys_updated_on", "sys_mod_count", "state")
    found = [row for row in rows if _is(row, ticket) and all(field in row for field in needed)]
    for row in found:
        old = deepcopy(row)
        old["sys_updated_on"] = deepcopy(old["sys_created_on"])
        _put(old, "sys_mod_count", "0")
        _put(old, "state", "1", "New")
        rows.append(old)
    return answer if found else None


def row_bare_id(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists the row is the bare sys_id and no table."""
    rows, done = _list(path, answer), False
    for place, row in enumerate(rows):
        if _is(row, ticket):
            rows[place], done = ticket, True
    return answer if done else None


def row_error(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists an error with the sys_id stands in the row's place."""
    rows, done = _list(path, answer), False
    for place, row in enumerate(rows):
        if _is(row, ticket):
            rows[place], done = {"sys_id": row["sys_id"], "error": {"message": "failed"}}, True
    return answer if done else None


def row_key_twice(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The key state stands twice in the row, the second time with null."""
    rows = [row for row in _rows(path, ticket, answer) if "state" in row]
    for row in rows:
        row["@@twice@@"] = None
    return _spliced(answer, "@@twice@@", '"state"') if rows else None


def row_endless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sys_mod_count is 1e999, which most readers take for infinity."""
    rows = [row for row in _rows(path, ticket, answer) if "sys_mod_count" in row]
    for row in rows:
        row["sys_mod_count"] = "@@endless@@"
    return _spliced(answer, "@@endless@@", "1e999") if rows else None


def past_time_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """No audit or journal row says when."""
    rows = _past(path, ticket, answer, "sys_audit", "sys_journal_field")
    return _each(rows, answer, _drop("sys_created_on"))


def past_time_blank(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The times of audit and journal rows are empty."""
    rows = _past(path, ticket, answer, "sys_audit", "sys_journal_field")
    return _each(rows, answer, _set("", "sys_created_on"))


def past_time_american(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The times of audit and journal rows come in an American format."""
    rows = _past(path, ticket, answer, "sys_audit", "sys_journal_field")
    return _each(rows, answer, _turn(_american, "sys_created_on"))


def past_time_iso(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The times of audit and journal rows come as ISO; the moments are the same."""
    rows = _past(path, ticket, answer, "sys_audit", "sys_journal_field")
    return _each(rows, answer, _turn(_iso, "sys_created_on"))


def past_audit_user_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """No audit row says who."""
    rows = _past(path, ticket, answer, "sys_audit")
    return _each(rows, answer, _drop("user", "sys_created_by"))


def past_audit_user_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The users of audit rows are null."""
    rows = _past(path, ticket, answer, "sys_audit")
    return _each(rows, answer, _whole(None, "user", "sys_created_by"))


def past_audit_field_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """No audit row says which column changed."""
    rows = _past(path, ticket, answer, "sys_audit")
    return _each(rows, answer, _drop("fieldname"))


def past_audit_field_label(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Audit rows name the column by an unknown label."""
    rows = _past(path, ticket, answer, "sys_audit")
    return _each(rows, answer, _set("Zust\u00e4ndige Gruppe", "fieldname"))


def past_audit_values_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Old and new values of audit rows are null."""
    rows = _past(path, ticket, answer, "sys_audit")
    return _each(rows, answer, _whole(None, "newvalue", "oldvalue"))


def past_audit_values_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Audit rows have no values."""
    rows = _past(path, ticket, answer, "sys_audit")
    return _each(rows, answer, _drop("newvalue", "oldvalue"))


def past_audit_values_tables(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """New values of audit rows are tables in tables."""
    rows = _past(path, ticket, answer, "sys_audit")
    return _each(rows, answer, _whole({"value": {"value": "2"}}, "newvalue"))


def past_audit_count_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The record checkpoint of audit rows is a word."""
    rows = _past(path, ticket, answer, "sys_audit")
    return _each(rows, answer, _set("latest", "record_checkpoint", "internal_checkpoint"))


def past_journal_element_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """No journal row says whether it is a comment or a note."""
    rows = _past(path, ticket, answer, "sys_journal_field")
    return _each(rows, answer, _drop("element"))


def past_journal_element_label(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Journal rows are called by a label in another language."""
    rows = _past(path, ticket, answer, "sys_journal_field")
    return _each(rows, answer, _set("Zus\u00e4tzliche Kommentare", "element"))


def past_journal_value_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The texts of journal rows are null."""
    rows = _past(path, ticket, answer, "sys_journal_field")
    return _each(rows, answer, _whole(None, "value"))


def past_journal_value_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Journal rows have no text."""
    rows = _past(path, ticket, answer, "sys_journal_field")
    return _each(rows, answer, _drop("value"))


def past_journal_author_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The authors of journal rows are null."""
    rows = _past(path, ticket, answer, "sys_journal_field")
    return _each(rows, answer, _whole(None, "sys_created_by"))


def past_journal_author_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Journal rows have no author."""
    rows = _past(path, ticket, answer, "sys_journal_field")
    return _each(rows, answer, _drop("sys_created_by"))


def past_journal_author_name(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The authors of journal rows are full names cut off at forty characters."""
    rows = _past(path, ticket, answer, "sys_journal_field")
    return _each(rows, answer, _set("Lee, Ann Maria Josefa von und zu Hohenst", "sys_created_by"))


def past_sla_breached_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """SLA rows do not say whether they are breached."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _drop("has_breached"))


def past_sla_breached_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """SLA rows say breached by 1 or 0."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _turn(lambda v: "1" if v == "true" else "0", "has_breached", "active"))


def past_sla_breached_bool(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """SLA rows say breached and active by JSON truth values."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _turn(lambda v: v == "true", "has_breached", "active"))


def past_sla_stage_unknown(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The stage of SLA rows is an unknown word."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _set("suspended", "stage"))


def past_sla_stage_blank(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The stage of SLA rows is empty."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _set("", "stage"))


def past_sla_stage_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """SLA rows have no stage and no active."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _drop("stage", "active"))


def past_sla_end_blank(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """SLA rows under way have an empty planned end."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _set("", "planned_end_time"))


def past_sla_end_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """SLA rows have no planned end."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _drop("planned_end_time"))


def past_sla_end_never(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The planned end of SLA rows is in the year 10000."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _set("10000-01-01 00:00:00", "planned_end_time"))


def past_sla_end_american(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The planned end of SLA rows is in an American format."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _turn(_american, "planned_end_time", "start_time"))


def past_sla_percent_comma(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The percentages of SLA rows have commas."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _set("1,234.56", "percentage", "business_percentage"))


def past_sla_percent_word(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The percentages of SLA rows are not-a-number."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _set("NaN", "percentage", "business_percentage"))


def past_sla_sla_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The definition of SLA rows is null."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _whole(None, "sla", "schedule"))


def past_sla_walk_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """SLA rows lack their definition and all that is read through it."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _drop("sla", "sla.type", "sla.target", "sla.name"))


def past_sla_target_unknown(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Type and target of SLA definitions are unknown words."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _set("quantum", "sla.type", "sla.target"))


def past_sla_durations_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The durations of SLA rows are words or days before the epoch."""
    rows = _past(path, ticket, answer, "task_sla")
    return _each(rows, answer, _set("1969-12-31 23:00:00", "duration", "time_left", "business_time_left"))


def past_id_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """History rows have no sys_id."""
    rows = _past(path, ticket, answer, "sys_audit", "sys_journal_field", "task_sla")
    return _each(rows, answer, _drop("sys_id"))


def past_odd_rows(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Between the history rows stand null, a text and an empty table."""
    if not _past_only(path, ticket, answer, "sys_audit", "sys_journal_field", "task_sla"):
        return None
    answer["json"]["result"] = [None, *_result(answer), "hidden", {}]
    return answer


def past_doubled(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The history rows come twice, the second time backwards."""
    if not _past_only(path, ticket, answer, "sys_audit", "sys_journal_field", "task_sla"):
        return None
    rows = _result(answer)
    answer["json"]["result"] = [*rows, *deepcopy(rows[::-1])]
    return answer


def past_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The result of the history is null."""
    if not _past_only(path, ticket, answer, "sys_audit", "sys_journal_field", "task_sla"):
        return None
    answer["json"]["result"] = None
    return answer


def past_single(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The result of the history is its first row and no list."""
    if not _past_only(path, ticket, answer, "sys_audit", "sys_journal_field", "task_sla"):
        return None
    answer["json"]["result"] = _result(answer)[0]
    return answer


def past_hidden(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """All history rows are hidden by an ACL, while the count in the head still tells of them."""
    if not _past_only(path, ticket, answer, "sys_audit", "sys_journal_field", "task_sla"):
        return None
    answer["headers"]["x-total-count"] = str(max(1, len(_result(answer))))
    answer["json"]["result"] = []
    return answer


def past_403(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The history is refused with 403 and a null detail."""
    if not _past_only(path, ticket, answer, "sys_audit", "sys_journal_field", "task_sla"):
        return None
    return _failed(answer, 403, "Insufficient rights to query records", None)


def past_404(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The history is refused with 404 as version one does for no rows."""
    if not _past_only(path, ticket, answer, "sys_audit", "sys_journal_field", "task_sla"):
        return None
    return _failed(answer, 404, "No Record found", HIDDEN)


def past_cut(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The history comes with a good result and an error beside it."""
    if not _past_only(path, ticket, answer, "sys_audit", "sys_journal_field", "task_sla"):
        return None
    answer["json"]["error"], answer["json"]["status"] = dict(CANCELLED), "failure"
    return answer


def path_read_asleep(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives 200 with the page of a sleeping instance."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, HTML, "text/html;charset=UTF-8")


def path_read_login_json(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives 200 with a login page that the head calls JSON."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, LOGIN, "application/json;charset=UTF-8")


def path_read_302(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record leads with 302 to a login on another host."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["location"] = "https://sso.elsewhere.example/login"
    return _raw(answer, "", "text/html", 302)


def path_read_202(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives 202 with an empty body."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, "", None, 202)


def path_read_204(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives 204."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, "", None, 204)


def path_read_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives null for the result."""
    if not _read(method, path, ticket, answer):
        return None
    answer["json"] = {"result": None}
    return answer


def path_read_hollow(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives an empty table for the result."""
    if not _read(method, path, ticket, answer):
        return None
    answer["json"] = {"result": {}}
    return answer


def path_read_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives a list of one."""
    if not _read(method, path, ticket, answer):
        return None
    answer["json"] = {"result": _result(answer)}
    return answer


def path_read_double(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives a result in a result."""
    if not _read(method, path, ticket, answer):
        return None
    answer["json"] = {"result": answer["json"]}
    return answer


def path_read_error_200(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives an error with status 200."""
    if not _read(method, path, ticket, answer):
        return None
    return _failed(answer, 200, CANCELLED["message"], CANCELLED["detail"])


def path_read_both(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives a result and an error beside it."""
    if not _read(method, path, ticket, answer):
        return None
    if not isinstance(answer["json"], dict):
        return None
    answer["json"]["error"] = dict(CANCELLED)
    return answer


def path_read_500(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives 500, cancelled."""
    if not _read(method, path, ticket, answer):
        return None
    return _failed(answer, 500, CANCELLED["message"], CANCELLED["detail"])


def path_read_403_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives 403 with an error that is text."""
    if not _read(method, path, ticket, answer):
        return None
    answer["status"], answer["json"] = 403, {"error": "access_denied"}
    return answer


def path_read_403_html(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives 403 with an HTML page."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, LOGIN, "text/html", 403)


def path_read_400(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives 400, no such resource, with a null detail."""
    if not _read(method, path, ticket, answer):
        return None
    return _failed(answer, 400, "Requested URI does not represent any resource", None)


def path_read_401(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one record gives 401 with a head about a second factor."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["x-mfa_token"] = "invalid"
    return _failed(answer, 401, "User Not Authenticated", None)


def path_read_429(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives 429 without any head and an empty body."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"].pop("retry-after", None)
    return _raw(answer, "", None, 429)


def path_read_429_date(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives 429 with a Retry-After that is a date in odd form."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["retry-after"] = "2015-10-21 07:28:00"
    return _failed(answer, 429, "Rate limit exceeded", None)


def path_read_xml(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the record gives XML."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, "<?xml version='1.0'?><response><result/></response>", "application/xml")


def path_read_half(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The body of the record stops in its middle."""
    if not _read(method, path, ticket, answer):
        return None
    text = json.dumps(answer["json"])
    return _raw(answer, text[: len(text) // 2])


def path_read_trailing(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """After the record follows a second document, an error."""
    if not _read(method, path, ticket, answer):
        return None
    return _raw(answer, json.dumps(answer["json"]) + json.dumps({"error": CANCELLED}))


def path_read_mark(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The body of the record starts with a byte order mark."""
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
    """The head claims a charset that does not exist."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["content-type"] = "application/json;charset=x-klingon"
    return answer


def path_read_called_html(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The body is good JSON, and the head calls it HTML."""
    if not _read(method, path, ticket, answer):
        return None
    answer["headers"]["content-type"] = "text/html"
    return answer


def path_other(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A mixed-up cache answers the reading with a record of another sys_id."""
    if not _read(method, path, ticket, answer):
        return None
    rows = [row for row in _result(answer) if isinstance(row, dict) and "sys_id" in row]
    return _each(rows, answer, _set("f" * 32, "sys_id"))


def path_bad_bytes(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The short description of the record holds bytes that are no UTF-8."""
    rows = _result(answer)
    if not _itself(path, ticket) or len(rows) != 1:
        return None
    rows[0]["short_description"] = "@@bytes@@"
    return _spliced(answer, "@@bytes@@", '"Z\udcfcrich \udcff"')


def path_deep(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A column of the record is a list in a list in a list, very deep."""
    rows = _result(answer)
    if not _itself(path, ticket) or len(rows) != 1:
        return None
    rows[0]["u_extra"] = "@@deep@@"
    return _spliced(answer, "@@deep@@", "[" * 100_000 + "]" * 100_000)


def path_long_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The mod count of the record is a number of five thousand digits."""
    rows = _result(answer)
    if not _itself(path, ticket) or len(rows) != 1:
        return None
    rows[0]["sys_mod_count"] = "@@long@@"
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


def path_write_201(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 201 with a Location."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["status"], answer["headers"]["location"] = 201, path
    return answer


def path_write_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the result is null."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["json"] = {"result": None}
    return answer


def path_write_hollow(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the result is an empty table."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["json"] = {"result": {}}
    return answer


def path_write_empty_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the result is an empty list."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["json"] = {"result": []}
    return answer


def path_write_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the result is a list of one."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["json"] = {"result": _result(answer)}
    return answer


def path_write_id(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the result has only the sys_id: all else is hidden."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["json"] = {"result": {"sys_id": ticket}}
    return answer


def path_write_both(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and an error of an async rule stands beside the result."""
    if not _wrote(method, path, ticket, answer):
        return None
    if not isinstance(answer["json"], dict):
        return None
    answer["json"].update(error={"message": "Async rule failed", "detail": None}, status="failure")
    return answer


def path_write_500(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 500, cancelled."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _failed(answer, 500, CANCELLED["message"], CANCELLED["detail"])


def path_write_504(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 504 with an HTML page."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _raw(answer, "<html><body>Gateway Time-out</body></html>", "text/html", 504)


def path_write_asleep(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 200 with the page of a sleeping instance."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _raw(answer, HTML, "text/html;charset=UTF-8")


def path_write_302(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer leads to a login."""
    if not _wrote(method, path, ticket, answer):
        return None
    answer["headers"]["location"] = "/login_redirect.do?sysparm_stack=no"
    return _raw(answer, "", "text/html", 302)


def path_write_404(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the record left our sight by it: the answer is 404."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _failed(answer, 404, "No Record found", HIDDEN)


def path_write_half(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the body stops in its middle."""
    if not _wrote(method, path, ticket, answer):
        return None
    text = json.dumps(answer["json"])
    return _raw(answer, text[: len(text) // 2])


def path_write_408(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 408 with an empty body."""
    if not _wrote(method, path, ticket, answer):
        return None
    return _raw(answer, "", None, 408)


def path_write_countless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer lacks mod count, stamp and updater."""
    if not _wrote(method, path, ticket, answer):
        return None
    rows = [row for row in _result(answer) if isinstance(row, dict)]
    return _each(rows, answer, _drop("sys_mod_count", "sys_updated_on", "sys_updated_by"))


def path_write_nulls(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and every column but the sys_id is null."""
    if not _wrote(method, path, ticket, answer):
        return None
    rows = [row for row in _result(answer) if isinstance(row, dict)]
    for row in rows:
        row.update({field: None for field in row if field != "sys_id"})
    return answer if rows else None


def envelope_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The result of a page is null."""
    if not _page(method, path, answer):
        return None
    answer["json"]["result"] = None
    return answer


def envelope_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The result of a page is text that holds the JSON."""
    rows = _page(method, path, answer)
    if not rows:
        return None
    answer["json"]["result"] = json.dumps(rows)
    return answer


def envelope_table(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The result of a page is a table from sys_id to row."""
    rows = _page(method, path, answer)
    if not rows:
        return None
    answer["json"]["result"] = {str(place): row for place, row in enumerate(rows)}
    return answer


def envelope_records(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page has its rows under records and not under result."""
    rows = _page(method, path, answer)
    if not rows:
        return None
    answer["json"] = {"records": rows}
    return answer


def envelope_cut(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page has a result and an error beside it, with status 200."""
    if not _page(method, path, answer):
        return None
    answer["json"].update(error=dict(CANCELLED), status="failure")
    return answer


def envelope_cut_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page stops in its middle and an error follows at once, with status 200."""
    if not _page(method, path, answer):
        return None
    text = json.dumps(answer["json"])
    return _raw(answer, text[: len(text) // 2] + json.dumps({"error": CANCELLED}))


def envelope_half(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page stops in its middle, with status 200."""
    if not _page(method, path, answer):
        return None
    text = json.dumps(answer["json"])
    return _raw(answer, text[: len(text) // 2])


def envelope_asleep(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page is the page of a sleeping instance, with status 200."""
    if not _page(method, path, answer):
        return None
    return _raw(answer, HTML, "text/html;charset=UTF-8")


def envelope_login(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page is a login page that the head calls JSON."""
    if not _page(method, path, answer):
        return None
    return _raw(answer, LOGIN, "application/json;charset=UTF-8")


def envelope_202(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page is 202 with an empty body."""
    if not _page(method, path, answer):
        return None
    return _raw(answer, "", None, 202)


def envelope_xml(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page is XML."""
    if not _page(method, path, answer):
        return None
    return _raw(answer, "<?xml version='1.0'?><response><result/></response>", "application/xml")


def envelope_mark(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page starts with a byte order mark."""
    if not _page(method, path, answer):
        return None
    return _raw(answer, "\ufeff" + json.dumps(answer["json"]))


def envelope_bad_bytes(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page has an extra key with bytes that are no UTF-8."""
    if not _page(method, path, answer):
        return None
    answer["json"]["node"] = "@@bytes@@"
    return _spliced(answer, "@@bytes@@", '"app \udcff\udcfe"')


def envelope_strange_rows(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Between the rows of a page stand null, an empty table, a list and a row with an empty sys_id."""
    rows = _page(method, path, answer)
    if not rows:
        return None
    rows[:] = [None, {}, *rows, [], {"sys_id": "", "sys_updated_on": "", "state": None}]
    return answer


def envelope_doubled(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every row of a page comes twice, the second time backwards."""
    rows = _page(method, path, answer)
    if not rows:
        return None
    rows.extend(deepcopy(rows[::-1]))
    return answer


def envelope_count_word(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The count in the head is a word."""
    if not _page(method, path, answer):
        return None
    answer["headers"]["x-total-count"] = "lots"
    return answer


def envelope_count_minus(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The count in the head is below nought though rows are there."""
    if not _page(method, path, answer):
        return None
    answer["headers"]["x-total-count"] = "-1"
    return answer


def envelope_count_comma(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The count in the head has a comma for the thousands."""
    if not _page(method, path, answer):
        return None
    answer["headers"]["x-total-count"] = "1,234"
    return answer


def envelope_count_nought(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The count in the head is nought though rows are there."""
    if not _page(method, path, answer):
        return None
    answer["headers"]["x-total-count"] = "0"
    return answer


def envelope_count_huge(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The count in the head is far more than there will ever be."""
    if not _page(method, path, answer):
        return None
    answer["headers"]["x-total-count"] = "99999999999999999999"
    return answer


def envelope_count_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head has no count."""
    if not _page(method, path, answer):
        return None
    return answer if answer["headers"].pop("x-total-count", None) is not None else None


def envelope_link_broken(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The link head lacks its first bracket and leads to another host."""
    if not _page(method, path, answer):
        return None
    answer["headers"]["link"] = f'https://elsewhere.example{path}>;rel="next",<'
    return answer


def envelope_403(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page is refused with 403 and a null detail."""
    if not _page(method, path, answer):
        return None
    return _failed(answer, 403, "Insufficient rights to query records", None)


def envelope_429(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page is refused with 429, no heads, and an HTML body."""
    if not _page(method, path, answer):
        return None
    return _raw(answer, "<html>Too many requests</html>", "text/html", 429)


def envelope_400_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page is refused with 400 and an error that is null."""
    if not _page(method, path, answer):
        return None
    answer["status"], answer["json"] = 400, {"error": None, "status": "failure"}
    return answer


def envelope_gzip(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head says a page is packed with gzip, and it is not."""
    if not _page(method, path, answer):
        return None
    answer["headers"]["content-encoding"] = "gzip"
    return answer


def envelope_rate_words(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The heads about limits hold words and not-a-number."""
    if not _good(answer) or _alone(path):
        return None
    answer["headers"].update({"x-ratelimit-limit": "unlimited", "x-ratelimit-reset": "NaN"})
    return answer


def envelope_rate_nought(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The heads say a limit of nought and a reset in a million years, with a good body."""
    if not _good(answer) or _alone(path):
        return None
    answer["headers"].update({"x-ratelimit-limit": "0", "x-ratelimit-reset": "31556952000000"})
    return answer


def envelope_rate_past(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The heads say a reset before the epoch and a limit with a fraction."""
    if not _good(answer) or _alone(path):
        return None
    answer["headers"].update({"x-ratelimit-limit": "0.5", "x-ratelimit-reset": "-86400"})
    return answer


def envelope_date_word(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head's date is no date."""
    if not _good(answer) or _alone(path):
        return None
    answer["headers"]["date"] = "Yesterday, 30 Feb 2026 25:61:00 GMT"
    return answer


def envelope_cookie(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The session cookie is empty, for another host, and dead since the epoch."""
    if not _good(answer) or _alone(path):
        return None
    answer["headers"]["set-cookie"] = "JSESSIONID=; Domain=elsewhere.example; Expires=soon; Max-Age=-x"
    return answer


def envelope_token_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The token answer has a fraction as text for its end, no type and no scope."""
    body = answer["json"]
    if "oauth_token" not in path or not isinstance(body, dict) or "access_token" not in body:
        return None
    body["expires_in"] = "1799.0"
    _drop("token_type", "scope")(body)
    return answer


def envelope_token_endless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The token answer says nothing of its end and has no token to refresh with."""
    body = answer["json"]
    if "oauth_token" not in path or not isinstance(body, dict) or "access_token" not in body:
        return None
    _drop("expires_in", "refresh_token")(body)
    return answer


def envelope_token_minus(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The token answer has an end below nought and null for the token to refresh with."""
    body = answer["json"]
    if "oauth_token" not in path or not isinstance(body, dict) or "access_token" not in body:
        return None
    body.update(expires_in=-1, refresh_token=None)
    return answer


def envelope_token_error(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The token answer is 200 and holds an error instead of a token."""
    body = answer["json"]
    if "oauth_token" not in path or not isinstance(body, dict) or "access_token" not in body:
        return None
    answer["json"] = {"error": "invalid_client", "error_description": None}
    return answer


def envelope_token_html(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The token answer is 200 with a login page."""
    body = answer["json"]
    if "oauth_token" not in path or not isinstance(body, dict) or "access_token" not in body:
        return None
    return _raw(answer, LOGIN, "text/html")


def envelope_users_nameless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """People have no user name and no name."""
    change = _drop("user_name", "name")
    return _each(_named(path, answer, "sys_user"), answer, change)


def envelope_users_truths(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """People have empty texts for active, vip and locked out."""
    change = _set("", "active", "vip", "locked_out")
    return _each(_named(path, answer, "sys_user"), answer, change)


def envelope_users_nulls(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """People have null for mail, zone and name."""
    change = _whole(None, "email", "time_zone", "name")
    return _each(_named(path, answer, "sys_user"), answer, change)


def envelope_users_idless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """People have no sys_id."""
    change = _drop("sys_id")
    return _each(_named(path, answer, "sys_user"), answer, change)


def envelope_users_zone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """People live in a time zone that does not exist."""
    change = _set("Atlantis/Deep", "time_zone")
    return _each(_named(path, answer, "sys_user"), answer, change)


def envelope_groups_nameless(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Groups have empty names and null for active and manager."""
    change = _whole(None, "name", "active", "manager")
    return _each(_named(path, answer, "sys_user_group"), answer, change)


def envelope_groups_lists(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The names of groups are lists with null in them."""
    change = _set([None, "Desk"], "name")
    return _each(_named(path, answer, "sys_user_group"), answer, change)


def envelope_members_dangling(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Memberships have an empty user."""
    change = _set("", "user")
    return _each(_named(path, answer, "sys_user_grmember"), answer, change)


def envelope_members_links(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Memberships have links only."""
    change = _whole({"link": "/"}, "user", "group")
    return _each(_named(path, answer, "sys_user_grmember"), answer, change)


def envelope_choices_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Choices have null labels and no sequence."""
    change = _whole(None, "label", "sequence")
    return _each(_named(path, answer, "sys_choice"), answer, change)


def envelope_choices_decimals(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Choices have decimals for values."""
    change = _turn(lambda v: v + ".0", "value")
    return _each(_named(path, answer, "sys_choice"), answer, change)


def envelope_dictionary_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The dictionary has null for the element, type and length of columns."""
    change = _whole(None, "internal_type", "max_length", "mandatory")
    return _each(_named(path, answer, "sys_dictionary"), answer, change)


def envelope_contracts_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """SLA definitions have unknown types and words for durations."""
    change = _set("quantum", "type", "target", "duration")
    return _each(_named(path, answer, "contract_sla"), answer, change)


MUTATIONS: tuple[tuple[str, str, Mutation], ...] = (
    ("state a number", "row", row_state_number),
    ("state a decimal", "row", row_state_decimal),
    ("state an unknown label alone", "row", row_state_label),
    ("state with label and no value", "row", row_state_valueless),
    ("state null", "row", row_state_null),
    ("state JSON null", "row", row_state_bare_null),
    ("state missing", "row", row_state_gone),
    ("state an empty text", "row", row_state_blank),
    ("state unknown", "row", row_state_unknown),
    ("state a list", "row", row_state_list),
    ("updated_on in American format", "row", row_stamp_american),
    ("updated_on as ISO", "row", row_stamp_iso),
    ("updated_on missing", "row", row_stamp_gone),
    ("updated_on empty", "row", row_stamp_blank),
    ("updated_on null", "row", row_stamp_null),
    ("updated_on a number", "row", row_stamp_number),
    ("stamps without time of day", "row", row_stamp_day),
    ("opened_at on day nought", "row", row_stamp_nought),
    ("opened_at impossible", "row", row_stamp_impossible),
    ("opened_at label only", "row", row_stamp_label),
    ("mod count missing", "row", row_count_gone),
    ("mod count empty", "row", row_count_blank),
    ("mod count with a comma", "row", row_count_comma),
    ("mod count a number", "row", row_count_number),
    ("mod count infinite text", "row", row_count_word),
    ("sys_id in upper case", "row", row_id_upper),
    ("sys_id with blanks", "row", row_id_blanks),
    ("sys_id missing", "row", row_id_gone),
    ("sys_id null", "row", row_id_null),
    ("sys_id label only", "row", row_id_label),
    ("number missing", "row", row_number_gone),
    ("number null", "row", row_number_null),
    ("references as links only", "row", row_references_links),
    ("references as labels only", "row", row_references_labels),
    ("references null", "row", row_references_null),
    ("references missing", "row", row_references_gone),
    ("references dangling", "row", row_references_dangling),
    ("priority as a caption", "row", row_priority_caption),
    ("priority null", "row", row_priority_null),
    ("priority unknown", "row", row_priority_unknown),
    ("impact and urgency missing", "row", row_impact_gone),
    ("impact and urgency empty", "row", row_impact_blank),
    ("active as a number text", "row", row_active_number),
    ("active a truth", "row", row_active_bool),
    ("active missing", "row", row_active_gone),
    ("class missing", "row", row_class_gone),
    ("class unknown", "row", row_class_unknown),
    ("updater missing", "row", row_updater_gone),
    ("updater null", "row", row_updater_null),
    ("half characters in the texts", "row", row_texts_surrogate),
    ("short description a list", "row", row_texts_list),
    ("journals null and list", "row", row_journals_odd),
    ("reassignment count a word", "row", row_reassigned_word),
    ("lists as JSON lists", "row", row_lists_lists),
    ("hold reason unknown", "row", row_hold_unknown),
    ("correlation as table in table", "row", row_correlation_nested),
    ("every column plain", "row", row_all_plain),
    ("value and label exchanged", "row", row_exchanged),
    ("all columns hidden but the sys_id", "row", row_hidden),
    ("all columns blank but the sys_id", "row", row_blanked),
    ("dot-walked columns nested", "row", row_walk_nested),
    ("dot-walked columns missing", "row", row_walk_gone),
    ("the row comes again, stripped", "row", row_twice_stripped),
    ("the row comes again, older", "row", row_twice_older),
    ("the row in a list is its sys_id", "row", row_bare_id),
    ("the row in a list is an error", "row", row_error),
    ("the key state twice", "row", row_key_twice),
    ("an endless number", "row", row_endless),
    ("history without times", "history", past_time_gone),
    ("history times empty", "history", past_time_blank),
    ("history times American", "history", past_time_american),
    ("history times ISO", "history", past_time_iso),
    ("audit without user", "history", past_audit_user_gone),
    ("audit user null", "history", past_audit_user_null),
    ("audit field missing", "history", past_audit_field_gone),
    ("audit field a label", "history", past_audit_field_label),
    ("audit values null", "history", past_audit_values_null),
    ("audit values missing", "history", past_audit_values_gone),
    ("audit values tables", "history", past_audit_values_tables),
    ("audit count odd", "history", past_audit_count_odd),
    ("journal element missing", "history", past_journal_element_gone),
    ("journal element a label", "history", past_journal_element_label),
    ("journal value null", "history", past_journal_value_null),
    ("journal value missing", "history", past_journal_value_gone),
    ("journal author null", "history", past_journal_author_null),
    ("journal author missing", "history", past_journal_author_gone),
    ("journal author odd", "history", past_journal_author_name),
    ("SLA breached missing", "history", past_sla_breached_gone),
    ("SLA breached as 1 and 0", "history", past_sla_breached_number),
    ("SLA breached a truth", "history", past_sla_breached_bool),
    ("SLA stage unknown", "history", past_sla_stage_unknown),
    ("SLA stage empty", "history", past_sla_stage_blank),
    ("SLA stage missing", "history", past_sla_stage_gone),
    ("SLA end empty", "history", past_sla_end_blank),
    ("SLA end missing", "history", past_sla_end_gone),
    ("SLA end beyond the calendar", "history", past_sla_end_never),
    ("SLA end American", "history", past_sla_end_american),
    ("SLA percentage with comma", "history", past_sla_percent_comma),
    ("SLA percentage a word", "history", past_sla_percent_word),
    ("SLA definition null", "history", past_sla_sla_null),
    ("SLA definition missing", "history", past_sla_walk_gone),
    ("SLA target unknown", "history", past_sla_target_unknown),
    ("SLA durations odd", "history", past_sla_durations_odd),
    ("history sys_id missing", "history", past_id_gone),
    ("null and text rows between", "history", past_odd_rows),
    ("doubled and backwards", "history", past_doubled),
    ("result null", "history", past_null),
    ("result a single table", "history", past_single),
    ("rows hidden, count stays", "history", past_hidden),
    ("history 403", "history", past_403),
    ("history 404", "history", past_404),
    ("history cut with an error", "history", past_cut),
    ("reading gives the hibernation page", "path", path_read_asleep),
    ("reading gives a login page called JSON", "path", path_read_login_json),
    ("reading leads to a login", "path", path_read_302),
    ("reading gives 202 empty", "path", path_read_202),
    ("reading gives 204", "path", path_read_204),
    ("reading gives result null", "path", path_read_null),
    ("reading gives an empty result", "path", path_read_hollow),
    ("reading gives a list of one", "path", path_read_list),
    ("reading gives a result in a result", "path", path_read_double),
    ("reading gives an error with 200", "path", path_read_error_200),
    ("reading gives result and error", "path", path_read_both),
    ("reading gives 500 cancelled", "path", path_read_500),
    ("reading gives 403 with an error as text", "path", path_read_403_text),
    ("reading gives 403 with HTML", "path", path_read_403_html),
    ("reading gives 400 for a good path", "path", path_read_400),
    ("reading gives 401 with an MFA head", "path", path_read_401),
    ("reading gives 429 with nothing", "path", path_read_429),
    ("reading gives 429 with a date", "path", path_read_429_date),
    ("reading gives XML", "path", path_read_xml),
    ("reading gives half a body", "path", path_read_half),
    ("reading gives two documents", "path", path_read_trailing),
    ("reading starts with a mark", "path", path_read_mark),
    ("gzip claimed, plain sent", "path", path_read_gzip),
    ("a wrong charset claimed", "path", path_read_charset),
    ("good JSON called HTML", "path", path_read_called_html),
    ("another record is told", "path", path_other),
    ("bytes that are no UTF-8", "path", path_bad_bytes),
    ("a very deep list", "path", path_deep),
    ("a number of five thousand digits", "path", path_long_number),
    ("write done, 200 empty", "path", path_write_empty),
    ("write done, 204", "path", path_write_204),
    ("write done, 201", "path", path_write_201),
    ("write done, result null", "path", path_write_null),
    ("write done, empty result", "path", path_write_hollow),
    ("write done, empty list", "path", path_write_empty_list),
    ("write done, list of one", "path", path_write_list),
    ("write done, only a sys_id", "path", path_write_id),
    ("write done, success with an error beside", "path", path_write_both),
    ("write done, 500 cancelled", "path", path_write_500),
    ("write done, 504 HTML", "path", path_write_504),
    ("write done, 200 hibernation page", "path", path_write_asleep),
    ("write done, 302 to a login", "path", path_write_302),
    ("write done, 404", "path", path_write_404),
    ("write done, half a body", "path", path_write_half),
    ("write done, 408", "path", path_write_408),
    ("write done, no mod count", "path", path_write_countless),
    ("write done, columns null", "path", path_write_nulls),
    ("result null", "envelope", envelope_null),
    ("result a text", "envelope", envelope_text),
    ("result a table", "envelope", envelope_table),
    ("result key elsewhere", "envelope", envelope_records),
    ("result and then an error", "envelope", envelope_cut),
    ("half a page then an error", "envelope", envelope_cut_text),
    ("half a page", "envelope", envelope_half),
    ("hibernation page", "envelope", envelope_asleep),
    ("login page called JSON", "envelope", envelope_login),
    ("202 empty", "envelope", envelope_202),
    ("XML", "envelope", envelope_xml),
    ("byte order mark", "envelope", envelope_mark),
    ("bytes that are no UTF-8", "envelope", envelope_bad_bytes),
    ("strange rows between", "envelope", envelope_strange_rows),
    ("every row twice", "envelope", envelope_doubled),
    ("count a word", "envelope", envelope_count_word),
    ("count below nought", "envelope", envelope_count_minus),
    ("count with comma", "envelope", envelope_count_comma),
    ("count nought with rows", "envelope", envelope_count_nought),
    ("count huge", "envelope", envelope_count_huge),
    ("no count", "envelope", envelope_count_gone),
    ("link without bracket", "envelope", envelope_link_broken),
    ("403 no rights to query", "envelope", envelope_403),
    ("429 with nothing", "envelope", envelope_429),
    ("400 with error null", "envelope", envelope_400_null),
    ("gzip claimed", "envelope", envelope_gzip),
    ("rate heads with words", "envelope", envelope_rate_words),
    ("rate heads nought and for ever", "envelope", envelope_rate_nought),
    ("rate reset in the past", "envelope", envelope_rate_past),
    ("date head no date", "envelope", envelope_date_word),
    ("odd cookie", "envelope", envelope_cookie),
    ("token expiry odd", "envelope", envelope_token_text),
    ("token without end", "envelope", envelope_token_endless),
    ("token end below nought", "envelope", envelope_token_minus),
    ("token answer an error with 200", "envelope", envelope_token_error),
    ("token answer HTML", "envelope", envelope_token_html),
    ("people without user name", "envelope", envelope_users_nameless),
    ("people with odd truths", "envelope", envelope_users_truths),
    ("people with null columns", "envelope", envelope_users_nulls),
    ("people without sys_id", "envelope", envelope_users_idless),
    ("people with an unknown zone", "envelope", envelope_users_zone),
    ("groups without name", "envelope", envelope_groups_nameless),
    ("groups with lists for names", "envelope", envelope_groups_lists),
    ("memberships dangling", "envelope", envelope_members_dangling),
    ("memberships of links", "envelope", envelope_members_links),
    ("choices odd", "envelope", envelope_choices_odd),
    ("choices with decimals", "envelope", envelope_choices_decimals),
    ("dictionary odd", "envelope", envelope_dictionary_odd),
    ("SLA definitions odd", "envelope", envelope_contracts_odd),
)
