"""Gateway keys and what they have spent: nouns, ports, and both in SQLite and in memory."""
