"""The child process: `python -m emafusion.upstream.local --model PATH`.

Prints one line `{"port": N}` on stdout when it answers, writes only warnings to stderr, and ends
when its stdin closes, so that it never outlives its parent. Exit code 2 with one line on stderr
when it cannot start.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .errors import LocalModelError
from .serve import ServeOptions, serve


def main() -> int:
    """Read arguments and environment, then serve until stdin closes."""
    parser = argparse.ArgumentParser(
        prog="python -m emafusion.upstream.local", description="Local models over HTTP."
    )
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument(
        "--name", help="model name to serve it as; left out: the embedded pool's actions"
    )
    parser.add_argument(
        "--cache-dir", type=Path, help="where a requantised copy is kept (default: beside the file)"
    )
    parser.add_argument("--threads", type=int, default=1, help="processor threads (default: 1)")
    parser.add_argument(
        "--default-max-tokens",
        type=int,
        default=512,
        help="bound of answers for which none is asked",
    )
    parser.add_argument(
        "--fd", type=int, help="listening socket inherited from the parent (default: a free port)"
    )
    given = parser.parse_args()
    options = ServeOptions(
        model=given.model,
        name=given.name,
        cache_dir=given.cache_dir or given.model.parent,
        threads=given.threads,
        default_max_tokens=given.default_max_tokens,
        fd=given.fd,
    )
    try:
        serve(options, api_key=os.environ.get("EMAFUSION_LOCAL_KEY", ""))
    except LocalModelError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
