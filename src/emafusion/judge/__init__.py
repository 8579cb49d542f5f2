"""Reading answers: judges of one attempt, groups of equal answers, the panel that combines them.

Nothing here does input or output: a judge that needs a model yields a `Call`. Names of judges tell
their kind: `rules`, `logprob`, `agreement`, and `llm:CANDIDATE`; `state.kind_of` reads it back.
"""
