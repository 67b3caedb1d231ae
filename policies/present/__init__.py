"""Plain words for people: why a look decided as it did, what a policy says, who answers for what."""
