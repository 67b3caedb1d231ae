"""The command about channels: `notify test`."""

import os
from typing import Annotated

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    PEOPLE,
    AsText,
    Config,
    before_command,
    echo,
    give_up,
    put_text,
    settings_of,
)

app = typer.Typer()
notify = typer.Typer(no_args_is_help=True, help="Channels outside the helpdesk.", callback=before_command)
app.add_typer(notify, name="notify", rich_help_panel=PEOPLE)

TITLE = "Uptier: a test"
BODY = "This is a test of the channel {channel}. Nothing has happened, and nothing needs to be done."


@notify.command("test")
def try_out(
    channel: Annotated[str, typer.Argument(help="As in [channels.NAME].")],
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Send a test message to a channel, and say whether it was taken."""
    from connector.app.compose import addresses
    from connector.config.secrets import Secrets
    from connector.logs import Masker
    from connector.notify.sender import NoAddress, NotSent, Speaker
    from policies.language.document import did_you_mean

    settings = settings_of(config)
    if channel not in settings.channels:
        hint = did_you_mean(channel, settings.channels) or " Add [channels.NAME] to the config."
        give_up(f'there is no channel "{channel}".{hint}')
    speaker = Speaker(addresses(settings), Secrets(Masker(), os.environ).get)
    try:
        speaker(channel, TITLE, BODY.format(channel=channel))
    except NoAddress as error:
        give_up(f"channel {channel}: {error}")
    except NotSent as error:
        echo(f"channel {channel} did not take the message: {error}", err=True)
        raise typer.Exit(NEEDS_HUMAN) from None
    put_text(how, f"channel {channel} took the message", channel=channel)
