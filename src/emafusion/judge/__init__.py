"""Attempt -> Judgement: how probably an answer is acceptable."""
