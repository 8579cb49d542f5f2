"""Local models: a language model in a child process with an OpenAI-compatible face on loopback.

Nothing here is imported by the gateway's hot path: the parent starts a child (`child.LocalServer`)
and talks to it by ordinary HTTP, so a crash of the engine never takes the gateway down and its 300
MB are paid only where it is used.

    child.py    the parent's side: start, watch, restart, stop
    __main__.py the child's side: `python -m emafusion.upstream.local --model PATH`
    face.py     HTTP; request.py and reply.py read and write its bodies
    pool.py     what a model name of the child means: zero-shot, few-shot, vote, calculator
    engine.py   one thread that owns the pipeline and batches what is asked of it
    pipeline.py what the engine needs of a model; genai_pipeline.py has it from openvino_genai
    weights.py  fetches, checks and requantises the embedded weights
"""
