"""What the README and the docs say runs: commands exist, config blocks parse, links lead on."""

import ast
import json
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator
from math import ceil
from pathlib import Path
from typing import Any

import pytest
import tomlkit
import typer
from pydantic import BaseModel

from adapters.base import Limit
from adapters.simulation.server import serve
from adapters.zendesk.simulator import create
from connector import logs
from connector.app import compose, leases, listener, service
from connector.cli.main import app
from connector.config.settings import AccountSettings, Caps, Retention, Service, SingleSignOn
from connector.config.values import DAY, vendors
from connector.console.api import CALLS
from connector.engine import fleet
from connector.fields_page import whole
from connector.intake import slow_client
from connector.report.calls import census_of
from connector.store.users import ROLES
from connector.work import messages
from policies.language import vocabulary
from policies.language.clocks import CLOCKS
from policies.language.document import Document, read
from policies.language.operators import OPERATORS
from policies.language.parse import parse
from policies.language.schema import properties
from tests.connector.beside import SECRETS
from tests.connector.test_cli import uptier
from tests.policies.slips import SLIPS

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
TOLD = {name: text for name, text in TEXTS.items() if name not in {"CHANGELOG.md", "CONTRIBUTING.md"}}
"""The pages for those who use it."""
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
            if match[1] == kind:
                yield page.name, match[2]


def uptier_lines() -> list[str]:
    lines = (line for _, text in blocks("console") for line in text.splitlines())
    return sorted({line.strip() for line in lines if line.startswith("uptier ")})


@pytest.mark.parametrize(
    "line", sorted({line for _, text in blocks("console") for line in text.splitlines()})
)
def test_a_make_target_in_the_documents_exists(line: str) -> None:
    if line.startswith("make "):
        assert f"\n{line.split()[1]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "text"), [pytest.param(*each, id=each[0]) for each in blocks("toml")])
def test_a_config_block_in_the_documents_is_toml(page: str, text: str) -> None:
    assert isinstance(read(page, text), Document)


def anchors(page: Path) -> set[str]:
    """What a link can name of a page: its headings, as a forge and the site make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.strip().lower()).replace(" ", "-") for each in headings}


OTHERWISE = (
    *(
        "e-mail",
        "help desk",
        "weekend",
        "log-in",
        "backfill",
        "handover",
        "web hook",
        "organisation",
        "behavior",
        "color",
    ),
    *("license", "reassignee", "requestor", "acknowledgment", "canceled", "time-zone", "sub-domain", "setup"),
)
"""Other spellings of words that the pages write in one way."""


@pytest.mark.parametrize("page", TOLD)
def test_a_word_is_spelt_in_one_way(page: str) -> None:
    said = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", TOLD[page], flags=re.DOTALL).replace("LICENSE", "")
    assert [word for word in OTHERWISE if re.search(rf"\b{word}s?\b", said, re.IGNORECASE)] == []


STANDS = {
    "templates": {"en": "x"},
    "channels": {"url": "secret:x"},
    "calendars": {"timezone": "UTC", "hours": {"mon-fri": "09:00-17:00"}},
}
"""What a policy on a page may name without writing it out."""


def named_by(policy: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The templates, channels and calendars that a policy names, each with its table."""
    levels = [
        each
        for level in policy["level"]
        for each in (level, level.get("otherwise", {}), level.get("approval", {}))
    ]
    for each in (policy, *levels):
        yield from (("templates", each[key]) for key in ("note", "reply") if key in each)
        yield from (("channels", name) for name in each.get("notify", ()))
        yield from (("calendars", each[key]) for key in ("calendar", "within") if key in each)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        pytest.param(*each, id=each[0])
        for each in blocks("toml")
        if "[[policy]]" in each[1] and each[0] != "recipes.md"
    ],
)
def test_a_policy_in_the_documents_is_one_that_check_takes(page: str, text: str) -> None:
    """Beside a config that has what it names; those of recipes.md have a test of their own."""
    data = tomllib.loads(text)
    rest: dict[str, Any] = {
        "service": {"default_owner": "x"},
        "accounts": {"acme": {"fields": {"refund": "1"}}},
    }
    for table, name in (each for policy in data["policy"] for each in named_by(policy)):
        if name not in data.get(table, {}):
            rest.setdefault(table, {})[name] = STANDS[table]
    texts = [tomlkit.dumps({**rest, **data})] if "service" in data else [tomlkit.dumps(rest), text]
    documents = [read(name, each) for name, each in zip(("uptier.toml", page), texts, strict=False)]
    assert all(isinstance(each, Document) for each in documents)
    assert parse([each for each in documents if isinstance(each, Document)]).problems == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file_and_a_heading_in_it(page: Path) -> None:
    found = [
        (page.parent / target if target else page, anchor)
        for target, anchor in LINK.findall(page.read_text(encoding="utf-8"))
    ]
    assert [str(target) for target, _ in found if not target.exists()] == []
    assert [anchor for target, anchor in found if anchor and anchor not in anchors(target)] == []


def test_every_command_has_a_row_in_the_readme() -> None:
    group: Any = typer.main.get_command(app)
    rows = re.findall(r"^\|([^|]*(?:\\\|[^|]*)*)\|", TEXTS["README.md"], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`uptier ([\w-]+)", row)}
    assert sorted(set(group.commands) - named) == []


def codes_written() -> Iterator[str]:
    """Every code that the source hands to a problem: by name, or as the second or third word of a report."""
    for folder in ("policies", "connector"):
        for file in (ROOT / folder).rglob("*.py"):
            for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(call, ast.Call):
                    continue
                said = [each.value for each in call.keywords if each.arg == "code"]
                called = (
                    call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                )
                said += {"report": call.args[1:2], "fault": call.args[:1], "warning": call.args[2:3]}.get(
                    called, []
                )
                for word in said:
                    if isinstance(word, ast.Constant) and re.fullmatch(r"[a-z]+(-[a-z]+)*", str(word.value)):
                        yield str(word.value)


def test_every_code_of_check_is_on_its_page() -> None:
    page = TEXTS["checks.md"]
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    explained = {code for cell in cells for code in re.findall(r"`([a-z-]+)`", cell)}
    written = set(codes_written())
    assert len(written) > 40
    assert sorted(written - explained) == []
    assert {slip.code for slip in SLIPS} <= explained
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "policies").rglob("*.py"))
    unmade = {code for code in explained - written if not code.startswith("unknown-")}
    assert [code for code in unmade if f'"{code}"' not in source] == []


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its whole name, such as `uptier user add`."""

    def below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        if not hasattr(command, "commands"):
            yield name, command
            return
        for word, inner in command.commands.items():
            yield from below(f"{name} {word}", inner)

    return below("uptier", typer.main.get_command(app))


def leaf(words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words call, and what they hand it. KeyError if there is none."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        command, words = command.commands[words[0]], words[1:]
    return command, words


@pytest.mark.parametrize("line", uptier_lines())
def test_a_command_line_in_the_documents_is_understood(line: str) -> None:
    command, words = leaf(shlex.split(line, comments=True)[1:])
    if words != ["--version"]:
        command.make_context(line, list(words))  # a usage error where words are wrong or lacking


@pytest.mark.parametrize(
    "said", sorted({said for text in TEXTS.values() for said in re.findall(r"`uptier ([^`]+)`", text)})
)
def test_a_command_within_a_sentence_exists_with_its_options(said: str) -> None:
    command, words = leaf(said.split())
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert [word for word in words if word.startswith("--") and word not in known] == []


SECTIONS = [section for text in TOLD.values() for section in re.split(r"^(?=#+ )", text, flags=re.MULTILINE)]
COMMON = TEXTS["README.md"].split("## Every command\n")[1].split("\n## ")[0] + TEXTS["command-line.md"]
"""Where options that many commands take are told."""


@pytest.mark.parametrize(("name", "command"), [pytest.param(*each, id=each[0]) for each in commands()])
def test_a_command_and_its_options_are_on_a_page(name: str, command: Any) -> None:
    told = [text for text in SECTIONS if re.search(rf"{name}\b", text)]
    assert told
    told.append(COMMON)
    options = [each for parameter in command.params for each in parameter.opts if each.startswith("--")]
    assert [each for each in options if not any(re.search(rf"{each}\b", text) for text in told)] == []


HARMLESS = re.compile(
    r"uptier (check$|schema|fields|gaps|matrix|cards|report|ledger|purge|release$|user list)"
)


def test_harmless_command_lines_of_the_documents_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    (tmp_path / "uptier.toml").write_text(example, encoding="utf-8")
    assert uptier("migrate").exit_code == 0
    lines = [line.split(" #")[0] for line in uptier_lines() if HARMLESS.match(line)]
    assert len(lines) > 10
    for line in lines:
        done = uptier(*shlex.split(line)[1:])
        assert (line, done.exit_code) == (line, 0), done.output


CODES = [
    (0, "check"),
    (0, "user list"),
    (1, "doctor"),
    (1, "explain acme/1 --at now"),
    (1, "test --record acme/1"),
    (1, "plan"),
    (1, "notify test leads"),
    (1, "forget dana@acme.example"),
    (2, "check --strict"),
    (2, "check --config there-is-none.toml"),
    (2, "history acme"),
    (2, "explain acme/1"),
    (2, "history acme/1"),
    (2, "ack acme/1"),
    (2, "release acme/1"),
    (2, "plan --policy none-such"),
    (2, "plan --at -2h"),
    (2, "apply there-is-none.json"),
    (2, "reload"),
    (2, "check --no-such-option"),
    (2, "notify test nobody"),
]


def test_exit_codes_are_as_their_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a helpdesk and a channel that nobody answers for. Each command that may end with 1 is named for it."""
    monkeypatch.chdir(tmp_path)
    example = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    nobody = "http://127.0.0.1:1"
    (tmp_path / "uptier.toml").write_text(example.replace("https://acme.example", nobody), encoding="utf-8")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UPTIER_SECRET_LEADS_SLACK", nobody.replace("http:", "json:"))
    assert uptier("explain", "acme/1").exit_code == 2  # no database yet
    assert uptier("migrate").exit_code == 0
    assert [(uptier(*line.split()).exit_code, line) for _, line in CODES] == CODES
    rows = dict(re.findall(r"^\| ([012]) \| (.*) \|$", TEXTS["command-line.md"], re.MULTILINE))
    assert rows.keys() == {"0", "1", "2"}
    told = [said.split() for said in re.findall(r"`([a-z -]+)`:", rows["1"])]
    tried = [line.split() for code, line in CODES if code == 1] + ELSEWHERE
    assert [words for words in tried if not any(set(said) <= set(words) for said in told)] == []
    assert [said for said in told if not any(set(said) <= set(words) for words in tried)] == []


ELSEWHERE = [
    ["init"],
    ["enforce"],
    ["observe"],
    ["undo"],
    ["connect"],
    ["disconnect"],
    ["import"],
    ["run", "--once"],
    ["apply"],
    ["reload"],
    ["demo"],
    ["test"],
]
"""What is tried in the tests of that command, or needs a service that hangs."""


def schema_keys(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each key of the JSON Schema, and where it stands."""
    if isinstance(node, dict):
        for key in node.get("properties", {}):
            yield f"{path}.{key}", key
        for key, inner in node.items():
            if key == "properties":
                for word, deeper in inner.items():
                    yield from schema_keys(deeper, f"{path}.{word}")
            else:
                yield from schema_keys(inner, path)
    elif isinstance(node, list):
        for inner in node:
            yield from schema_keys(inner, path)


def test_every_key_of_the_schema_is_in_the_documents() -> None:
    settings = TEXTS["config.md"] + TEXTS["policies.md"] + TEXTS["console.md"]
    schema = whole()
    conditions = {key for _, key in schema_keys(schema["$defs"].pop("conditions"))}
    assert [
        path for path, key in schema_keys(schema) if not re.search(rf"(?<![\w-]){key}(?![\w-])", settings)
    ] == []
    fields = TEXTS["mapping.md"] + settings
    assert sorted(key for key in conditions if not re.search(rf"\b{key}\b", fields)) == []


def test_every_key_of_the_service_an_account_and_a_channel_has_a_row() -> None:
    rows = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]*)\|", TEXTS["config.md"], re.MULTILINE))))
    tables = {"caps", "retention", "single_sign_on"}  # told in words below the rows
    assert {*Service.model_fields, *AccountSettings.model_fields, *vocabulary.CHANNEL_KEYS} - tables <= rows
    assert [each for each in tables if f"[service.{each}]" not in TEXTS["config.md"]] == []
    known = set(re.findall(r"^\| `(\w+)`", TEXTS["console.md"], re.MULTILINE)) | {"roles"}
    assert SingleSignOn.model_fields.keys() <= known


def test_every_role_is_on_its_page() -> None:
    said = set(re.findall(r"^\| `(\w+)` \|", TEXTS["operations.md"], re.MULTILINE))
    assert said >= compose.ALL
    assert set(ROLES) <= set(re.findall(r"^\| (\w+) \|", TEXTS["console.md"], re.MULTILINE))


def test_every_environment_variable_is_in_the_documents_and_no_other() -> None:
    code = "".join(
        file.read_text(encoding="utf-8")
        for file in (ROOT / "connector").rglob("*.py")
        if "demo" not in file.name
    )
    read = set(re.findall(r'(?:_environ\.get\(|environ\[|getenv\(|envvar=)"(\w+)"', code))
    assert read == {"UPTIER_CONFIG", "CREDENTIALS_DIRECTORY"}  # and one for each secret
    told = "".join(TOLD.values())
    assert [name for name in read if name not in told] == []
    named = set(re.findall(r"\bUPTIER_[A-Z_]+\b", told))
    packaged = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "packaging").glob("uptier*"))
    scripts = set(re.findall(r"\$\{(UPTIER_[A-Z_]+)\b", packaged))
    assert {name for name in named if not name.startswith("UPTIER_SECRET_")} == {"UPTIER_CONFIG"} | scripts
    assert any(name.endswith("_FILE") for name in named)


def test_the_example_passes_the_strict_check_once_a_directory_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is edited is what the example marks: lines that name the helpdesk, a group or a person, and no other."""
    monkeypatch.chdir(tmp_path)
    example = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    own = re.compile(r'https://acme\.example|@acme\.example|"(Tier \d|Duty managers|Escalations)"(?!\))')
    lines = [line for line in example.splitlines() if not line.startswith("#")]
    assert [
        line for line in lines if own.search(line) and "name     =" not in line and "(*)" not in line
    ] == []
    assert [line for line in lines if "(*)" in line and not own.search(line)] == []
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    simulator = create(time.time)
    simulator.state.zendesk.seed(
        groups=[{"name": name} for name in ("Tier 1", "Tier 2", "Duty managers", "Escalations")],
        agents=[
            {
                "name": name,
                "email": f"{name.lower()}@acme.example",
                "groups": ["Tier 1", "Tier 2", "Duty managers"],
            }
            for name in ("Dana", "Lee")
        ],
        users=[],
        tickets=[],
    )
    simulator.state.zendesk.hooks.subscribe("https://uptier.example/hooks/acme", secret="x")
    with serve(simulator) as url:
        text = example.replace("https://acme.example", url).replace('"127.0.0.1:8080"', '"127.0.0.1:0"')
        (tmp_path / "uptier.toml").write_text(text, encoding="utf-8")
        assert uptier("check", "--strict").exit_code == 2
        for line in ("doctor", "run --once", "check --strict"):
            done = uptier(*line.split())
            assert (line, done.exit_code) == (line, 0), done.output


def test_every_promise_of_the_readme_names_its_tests() -> None:
    section = TEXTS["README.md"].split("## What it promises\n")[1].split("\n## ")[0]
    promises = [" ".join(each.split()) for each in section.split("\n- ")[1:]]
    rows = re.findall(r"^\| (.+?) \| (`tests/.+`) \|$", TEXTS["CONTRIBUTING.md"], re.MULTILINE)
    rest = promises
    for said, tests in rows:
        assert [each for each in promises if said in each], said
        rest = [each.replace(said, "") for each in rest]
        for path, name in re.findall(r"`(tests/[\w/.]+)::(\w+)`", tests):
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), name
    assert [each for each in rest if re.search(r"\w", each)] == []


def lacks(page: str, words: Iterable[object]) -> list[str]:
    """Those words that do not stand as code on the page."""
    code = "\n".join(re.findall(r"```.*?```|`[^`]+`", TEXTS[page], re.DOTALL))
    return [str(word) for word in words if not re.search(rf"(?<![\w-]){re.escape(str(word))}(?![\w-])", code)]


def test_every_word_of_the_policy_language_is_on_its_page() -> None:
    assert lacks("policies.md", [*vocabulary.POLICY_KEYS, *vocabulary.LEVEL_KEYS, *vocabulary.KINDS]) == []
    assert lacks("policies.md", [*CLOCKS, *vocabulary.STOPS, *vocabulary.REPLIES]) == []
    assert lacks("policies.md", [*OPERATORS, *vocabulary.STRATEGIES]) == []
    tables = properties()
    for name in ("people", "groups"):
        assert lacks("policies.md", tables[name]["additionalProperties"]["properties"]) == []


def test_every_value_and_filter_of_a_template_is_on_its_page() -> None:
    assert lacks("config.md", [*messages.SEEN, *messages.FILTERS]) == []
    nested = [f"{one}.{two}" for one, inner in messages.SEEN.items() if inner for two in inner]
    assert lacks("config.md", [word for word in nested if word != "ticket.requester"]) == []


def test_every_key_that_a_helpdesk_takes_is_on_a_page() -> None:
    for name, vendor in vendors().items():
        keys = {
            key for kind in (*vendor.auth.values(), *vendor.webhook) for key in (*kind.needed, *kind.also)
        }
        assert lacks("config.md", [name, *vendor.auth, *keys, *vendor.settings]) == []
        assert not vendor.settings or lacks(f"{name}.md", vendor.settings) == []


def test_every_call_of_the_api_is_on_its_page_and_no_other() -> None:
    told = re.findall(r"^\| `(GET|POST) (/api/v1[^`?]*)[^`]*` \|", TEXTS["console.md"], re.MULTILINE)
    made = [(call.method, call.path) for call in CALLS]
    assert sorted(told) == sorted(made)


def test_what_the_log_and_the_ledger_are_said_to_say_stands_in_the_source() -> None:
    words = re.findall(
        r"`([a-z]+(?:_[a-z]+)+|(?:write|part|not|no longer|set|changes|open tickets) [a-z]+)`",
        TEXTS["operations.md"],
    )
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "connector").rglob("*.py"))
    parts = {part for word in words for part in ([word] if f'"{word}"' in source else word.rsplit(" ", 1))}
    assert len(words) > 8
    others = {"pg_dump", "max_connections"}
    assert (
        sorted({part for part in parts if not part.startswith("uptier_") and part not in source} - others)
        == []
    )


@pytest.mark.parametrize(
    ("title", "model"), [("`[service]`", Service), ("`[accounts.NAME]`", AccountSettings)]
)
def test_a_default_on_the_page_is_that_of_the_settings(title: str, model: type[BaseModel]) -> None:
    section = TEXTS["config.md"].split(f"## {title}\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| `?(.+?)`? \| ", section, re.MULTILINE))
    assert len(rows) > 10
    for name, told in rows.items():
        field = model.model_fields[name]
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, tuple | frozenset) and default:
            assert json.loads(told) == list(default)
        elif told in {"needed", "none", "as the service"}:
            assert (told == "needed") == field.is_required()
            assert told == "needed" or not default
        else:
            assert told == {"poll": f"{default}s"}.get(name, str(default).replace("True", "true"))


KEPT_DAYS = tuple(each // DAY for each in (Retention().texts, Retention().tickets, Retention().ledger))
HELD = [
    (
        "operations.md",
        "a lease of {} seconds and renews it every {}",
        (leases.TERM, leases.RENEW_EVERY),
    ),
    ("operations.md", "after {} seconds without a heartbeat", (fleet.STALLED_AFTER,)),
    ("operations.md", "end, for {} seconds at most", (service.STOP_WITHIN,)),
    ("operations.md", "its body have {:.0f} seconds each", (slow_client.BODY_WITHIN,)),
    ("operations.md", "a body {} KiB", (slow_client.OTHER_CAP // 1024,)),
    ("operations.md", "one address at most {} connections", (slow_client.PER_PEER,)),
    ("operations.md", "all together {:,} or", (listener.ROOM,)),
    ("operations.md", "allows, less {}", (listener.KEPT_DESCRIPTORS,)),
    ("operations.md", "with fewer than {:,} descriptors", (listener.ROOM + listener.KEPT_DESCRIPTORS,)),
    ("config.md", "of fewer than {} characters where it stands as a word", (logs.PART_OF_WORDS,)),
    ("config.md", "`escalations_per_hour` ({}, for each account)", (Caps().escalations_per_hour,)),
    ("config.md", "`writes_per_day` ({}, for each ticket)", (Caps().writes_per_day,)),
    ("config.md", "`due_at_start` ({})", (Caps().due_at_start,)),
    ("config.md", "`texts` (`{}d`)", (KEPT_DAYS[0],)),
    ("config.md", "`tickets` (`{}d`)", (KEPT_DAYS[1],)),
    ("config.md", "`ledger` (`{}d`)", (KEPT_DAYS[2],)),
    ("privacy.md", "{} days, {} days, {} days", KEPT_DAYS),
    (
        "config.md",
        "may be {:,} characters long; a text is cut at {:,}",
        (messages.LONGEST_TEMPLATE, messages.LONGEST),
    ),
]


@pytest.mark.parametrize(("page", "said", "numbers"), HELD)
def test_a_number_in_the_documents_is_that_of_the_program(
    page: str, said: str, numbers: tuple[int, ...]
) -> None:
    assert said.format(*numbers) in " ".join(TEXTS[page].split())


def census_rows(page: str) -> list[tuple[str, list[int], int]]:
    """Of each row: its first cell, the numbers of requests, and how many minutes a census takes."""
    rows = re.findall(r"^\| (.+?) \| (.*?)(\d+) minutes? \|", TEXTS[page], re.MULTILINE)
    numbers = (re.findall(r"\d+", middle.replace(",", "")) for _, middle, _ in rows)
    return [
        (row[0], [int(each) for each in found], int(row[2])) for row, found in zip(rows, numbers, strict=True)
    ]


@pytest.mark.parametrize("name", ["freshdesk", "servicenow", "zendesk"])
def test_what_a_census_costs_on_each_plan_is_on_its_page(name: str) -> None:
    """As `uptier doctor` computes it, for 10,000 tickets and half of the requests."""
    vendor, rows = vendors()[name], census_rows(f"{name}.md")
    assert len(rows) > 2
    named = {"freshdesk": ("account", "tickets-list"), "zendesk": ("account",), "servicenow": ("rule",)}[name]
    for plan, numbers, minutes in rows:
        totals = numbers or [int(plan.replace(",", ""))]
        window = 3600 if name == "servicenow" else 60
        limits = [
            Limit(bucket=bucket, total=total, remaining=total, window=window)
            for bucket, total in zip(named, totals, strict=False)
        ]
        if name == "zendesk":
            limits.append(Limit(bucket=vendor.census.bucket, total=100, remaining=100, window=60))
        _, seconds = census_of(10_000, limits, 0.5, vendor.census, 0)
        assert seconds is not None
        assert (plan, minutes) == (plan, ceil(seconds / 60))
    if vendor.plans:
        assert {numbers[0]: plan for plan, numbers, _ in rows} == vendor.plans


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as `make site` makes it."""
    made = tmp_path_factory.mktemp("site")
    words = ("-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(ROOT / "docs"), str(made))
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


@pytest.mark.xdist_group("site")
def test_every_page_is_in_the_site(site: Path) -> None:
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} <= {page.stem for page in site.glob("*.html")}
    contents = (site / "index.html").read_text(encoding="utf-8")
    assert [
        page.stem for page in (ROOT / "docs").glob("*.md") if f'href="{page.stem}.html' not in contents
    ] == ["index"]


@pytest.mark.xdist_group("site")
def test_the_site_needs_nothing_from_elsewhere(site: Path) -> None:
    loaded = re.compile(
        r"""<(?:script|img|iframe|source)[^>]+src="(?:https?:)?//|<link[^>]+href="(?:https?:)?//"""
        r"""|@import\s+["'(]|url\(["']?(?:https?:)?//"""
    )
    made = [page for page in site.rglob("*") if page.suffix in {".html", ".css"}]
    assert len(made) > 20
    assert [page.name for page in made if loaded.search(page.read_text(encoding="utf-8"))] == []
