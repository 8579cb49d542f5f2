"""Nouns and ports: what the other rooms talk about. No input, no output, nothing of ours imported."""
