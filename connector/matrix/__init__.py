"""The escalation matrix as people get it: on a terminal, as a page, a table or a drawing."""
