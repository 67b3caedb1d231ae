"""The configuration: which files it is made of, what they may say, what is wrong with them, and where secrets are."""
