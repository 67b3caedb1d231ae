"""docs/servicenow.md says what the adapter does: settings, headers, tables, the recipe."""

import re
from pathlib import Path

import pytest

from adapters.servicenow import answers, history, people, profile, webhooks
from adapters.servicenow.profile import KNOWN
from adapters.servicenow.webhooks import sign

PAGE = (Path(__file__).parents[3] / "docs" / "servicenow.md").read_text(encoding="utf-8")
SCRIPT = re.search(r"```javascript\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("setting", sorted(KNOWN))
def test_every_setting_is_explained(setting: str) -> None:
    assert re.search(rf"^(# )?{setting} *=", PAGE, re.MULTILINE)


@pytest.mark.parametrize(
    "table", [answers.TABLE, history.AUDIT, "task_sla", profile.LOOKUP, people.MEMBERS, "sys_user"]
)
def test_every_table_that_is_read_is_named(table: str) -> None:
    assert f"`{table}`" in PAGE


def test_the_script_sends_what_is_checked() -> None:
    assert SCRIPT is not None
    names = [name.lower() for name in re.findall(r"setRequestHeader\('([^']+)'", SCRIPT[1])]
    assert names == ["content-type", webhooks.STAMP, webhooks.SIGNATURE]
    assert "stamp + '.' + body" in SCRIPT[1]
    assert "setRequestBody(body)" in SCRIPT[1]
    assert SCRIPT[1].isascii()


def test_the_recipe_is_the_one_that_is_checked() -> None:
    assert 'hmac_sha256(secret, "1795600800" + "." + body)' in PAGE
    assert sign("s", "1795600800", b"body") == b"WYqmEZUY0j+i6VwDAZfsqL8w9e1hsTvGE5ZRDQgWSMg="
