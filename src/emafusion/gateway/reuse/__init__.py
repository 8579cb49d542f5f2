"""Answers given again: to the same request (cache), to a like one, to a repeated try."""
