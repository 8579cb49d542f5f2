"""Ask in this process: python examples/library.py QUESTION [CONFIG]."""

import sys

from emafusion import EmaFusion

QUESTION = sys.argv[1] if len(sys.argv) > 1 else "What is the capital of Norway?"
CONFIG = sys.argv[2] if len(sys.argv) > 2 else None  # without one a pool is found


def main() -> None:
    """Show the plan, ask, then ask for a stream."""
    with EmaFusion.from_config(CONFIG) as ema:
        plan = ema.explain(QUESTION)
        print(f"plan: {' -> '.join([plan.first, *plan.then])}, because {plan.reason}")

        answer = ema.chat(QUESTION, quality_weight=0.8)
        cost = "unknown" if answer.cost_usd is None else f"${answer.cost_usd:.6f}"
        print(f"{answer.model} for {cost}: {answer.text}")

        for piece in ema.stream(QUESTION, model="emafusion/eco"):
            print(piece, end="", flush=True)
        print()


if __name__ == "__main__":
    main()
