"""PATCH, POST and DELETE over the Table API. Vendor sheet 1.5; POST and DELETE as far as tags need them."""

from adapters.servicenow.simulator.reads import Call, row_of, shown_row
from adapters.servicenow.simulator.records import COLUMNS, TASKS
from adapters.servicenow.simulator.rules import Update, no_write, save
from adapters.simulation.answers import Reply


def patch(call: Call) -> Reply:
    """PATCH /table/{name}/{sys_id}: one update; only the named columns, as far as they are let through."""
    row = row_of(call)
    if call.table not in TASKS:
        raise no_write("Update")
    fields = {name: "" if value is None else str(value) for name, value in dict(call.body or {}).items()}
    save(call.desk, call.table, row, Update(user=call.user, fields=fields, rest=True))
    return Reply(body={"result": shown_row(call, row)})


def post(call: Call) -> Reply:
    """POST /table/{name}: labels and what ties them to records."""
    if call.table not in ("label", "label_entry"):
        raise no_write("Insert")
    said = {name: str(value) for name, value in dict(call.body or {}).items() if name in COLUMNS[call.table]}
    if call.table == "label_entry":
        if call.desk.switches.labels == "forbidden":
            raise no_write("Insert")
        if call.desk.switches.labels == "blank":
            said = {name: value for name, value in said.items() if name not in ("table", "table_key")}
    key = call.desk.put(call.table, said)
    return Reply(status=201, body={"result": shown_row(call, call.desk.tables[call.table][key])})


def delete(call: Call) -> Reply:
    """DELETE /table/{name}/{sys_id}."""
    row = row_of(call)
    if call.table != "label_entry":
        raise no_write("Delete")
    del call.desk.tables[call.table][row["sys_id"]]
    return Reply(status=204)
