"""The command line: each file reads arguments, calls one part, prints, and answers with an exit code."""

from connector.cli.main import app

__all__ = ["app"]
