"""Flows: generators that yield commands and receive what came of them. No input, no output here."""
