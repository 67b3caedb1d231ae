"""`uptier notify test`, and what `check` says of channels."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connector.cli.main import app
from tests.connector.beside import CONFIG, LADDER
from tests.connector.listening import PATH, Channel, listening

SECRET = "UPTIER_SECRET_LEADS_SLACK"
CHANNEL = '[channels.leads]\nurl = "secret:leads-slack"\n'
NOTIFIES = LADDER + 'notify = ["leads"]\n'


@pytest.fixture
def leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    """A channel, and `uptier.toml` that names it."""
    monkeypatch.chdir(tmp_path)
    written(CHANNEL)
    with listening() as channel:
        monkeypatch.setenv(SECRET, channel.address)
        yield channel


def written(channel: str) -> None:
    text = CONFIG.format(url="http://127.0.0.1:9", service="") + channel + NOTIFIES
    Path("uptier.toml").write_text(text, encoding="utf-8")


def uptier(*words: str) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert PATH not in result.output
    return result


def test_a_test_message_that_is_taken(leads: Channel) -> None:
    result = uptier("notify", "test", "leads")
    assert (result.exit_code, result.stdout) == (0, "channel leads took the message\n")
    assert leads.titles == ["Uptier: a test"]


@pytest.mark.parametrize(
    ("answer", "why"), [(500, "it answered 500"), (404, "it answered 404"), (0, "no answer came")]
)
def test_one_that_is_not_taken_needs_a_human(leads: Channel, answer: int, why: str) -> None:
    leads.then = answer
    result = uptier("notify", "test", "leads")
    assert (result.exit_code, result.stderr) == (1, f"channel leads did not take the message: {why}\n")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"nosuch://{PATH}", "its address is none that apprise understands"),
        (f"json://127.0.0.1:9/{PATH} json://127.0.0.1:9/{PATH}", "its address names several services"),
    ],
)
def test_an_address_of_no_use(
    leads: Channel, monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    monkeypatch.setenv(SECRET, address)
    result = uptier("notify", "test", "leads")
    assert result.exit_code == 2
    assert why in result.stderr


def test_a_channel_without_a_secret_or_of_an_unknown_name(
    leads: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = uptier("notify", "test", "leeds")
    assert (result.exit_code, result.stderr) == (
        2,
        'uptier: there is no channel "leeds". Did you mean "leads"?\n',
    )
    monkeypatch.delenv(SECRET)
    result = uptier("notify", "test", "leads")
    assert result.exit_code == 2
    assert "UPTIER_SECRET_LEADS_SLACK_FILE" in result.stderr


@pytest.mark.parametrize(
    ("channel", "code"),
    [
        (f'[channels.leads]\nurl = "json://127.0.0.1/{PATH}"\n', "plain-secret"),
        ('[channels.leads]\nurl = "secret:"\n', "bad-secret"),
        ("[channels.leads]\nurl = 3\n", "wrong-type"),
        ("[channels.leads]\n", "missing"),
        (CHANNEL + "webhook = 3\n", "unknown-key"),
        ('[channels.pager]\nurl = "secret:pager"\n', "unknown-channel"),
        ("channels = 3\n", "wrong-type"),
    ],
)
def test_check_names_what_is_wrong_with_a_channel(leads: Channel, channel: str, code: str) -> None:
    if channel.startswith("channels"):
        text = Path("uptier.toml").read_text(encoding="utf-8").replace(CHANNEL, "")
        Path("uptier.toml").write_text(channel + text, encoding="utf-8")
    else:
        written(channel)
    result = uptier("check")
    assert result.exit_code == 2
    assert f"error {code}: " in result.stdout
    assert "channel" in result.stdout
