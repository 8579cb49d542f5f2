"""The sections of a page: which pictures and tables belong together, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Section(Struct, frozen=True, kw_only=True):
    """A heading, its pictures, what they mean, and the tables behind them.

    Of several `pictures` with `choices`, one is shown at a time.
    """

    heading: str
    pictures: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    caption: str = ""
    tables: tuple[str, ...] = ()


SECTIONS = (
    Section(
        heading="Cost and quality",
        pictures=("curve", "curve-linear"),
        choices=("Logarithmic cost", "Linear cost"),
        caption=(
            "Along the blue line the dial turns from cheapest to best; the band is the 95 % "
            "interval. Rings are single models, diamonds what it is compared with. On the dotted "
            "line nobody routes: each query goes to one of two models by lot. Between settings, "
            "too, lines are draws by lot."
        ),
        tables=("dial", "budgets", "baselines", "curves"),
    ),
    Section(
        heading="Who answers as the dial turns",
        pictures=("shares",),
        caption=(
            "Whose answers were given at each setting, the cheapest model at the bottom. A router "
            "that drifts to the dearest model as the dial rises is none."
        ),
        tables=("answers", "routes"),
    ),
    Section(
        heading="Does confidence mean what it says?",
        pictures=("reliability",),
        caption=(
            "On the dashed line, answers given with that confidence were right that often; below "
            "it the system is too sure of itself. Bars are 95 % intervals."
        ),
        tables=("reliability",),
    ),
    Section(
        heading="Where it wins and loses",
        pictures=("datasets", "tasks"),
        caption=(
            "Points over the best single model at that model's price (without costs, at the last "
            "setting), with 95 % intervals, by data set and by the class that the queries were "
            "taken for; the number of queries is in "
            "brackets. Groups of fewer than 20 queries are in the table alone."
        ),
        tables=("groups",),
    ),
    Section(
        heading="Who is good at what",
        pictures=("heat",),
        caption=(
            "Accuracy in per cent; brighter is better. An orange frame: the model's answers were "
            "given there, the thicker the more often."
        ),
        tables=("cells", "models"),
    ),
)

WORDS: Mapping[str, str] = {
    "accuracy": "Mean score of the answers given; with scores of 0 and 1, the share right.",
    "B": "What always asking the best single model costs.",
    "best single": "The model with the highest mean score: (fit) in what was fitted on, which is "
    "the fair one, otherwise in this very table.",
    "model per task": "The best model of each data set: (fit) in what was fitted on, otherwise in "
    "other folds of this table.",
    "random mix": "The best draw by lot between two models at the same mean cost: what no router "
    "need be bought for.",
    "oracle": "The cheapest of the best answers to each query, by its score. Nobody can know it.",
    "95 %": "Percentile bootstrap over queries, 1,000 draws, the same for everything compared; "
    "Wilson's interval for bins and cells.",
    "Brier, ECE": "Mean squared error of the confidence; mean gap between confidence and accuracy "
    "over ten bins. Less is better.",
    "gap recovered": "0 as the cheapest model, 1 as the best single one; above 1 is better than "
    "any model alone.",
    "AIQ": "Mean height of the curve over the range of cost of the single models.",
}
"""What the words of a report mean."""
