"""What every caller of the store must be ready for. Apart, so that the command line can name it cheaply."""


class StoreTrouble(Exception):
    """The database cannot be opened or used as it is; the text says what to do."""
