"""What every caller of the store must be ready for. Apart, so that the command line can name it cheaply."""


class StoreTrouble(Exception):
    """The database cannot be opened or used as it is; the text says what to do."""


class NoDatabase(StoreTrouble):
    """There is none at this address yet, or none of Uptier's."""


class OtherVersion(StoreTrouble):
    """Its tables are those of an older or a newer Uptier."""


class Unreachable(StoreTrouble):
    """The server does not answer. It may come back by itself."""
