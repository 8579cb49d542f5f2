"""Nouns and ports: what the other rooms talk about. No input, no output, no imports of ours."""
