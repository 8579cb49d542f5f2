"""What the panel knows of judges: stated priors at first, fitted numbers from an artifact later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats
from emafusion.judge.asked import FORMS, Form
from emafusion.judge.curve import Curve, curve_of
from emafusion.judge.heads import Heads, heads_from, is_heads

KINDS = ("rules", "logprob", "agreement", "llm")
PREFIX = "panel/"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """Weights for one form of answer; all but `bias` are >= 0.

    `bias`, `quality`: intercept and weight of the predicted quality's log-odds. `agree`, `peer`:
    log-odds that a peer with the same answer adds, and how much more for each unit of its own.
    `oppose`: weight of rival answers. `kinds`: weight of each kind of judge, as in `KINDS`.
    `unread`: 0..1, what is left of the probability where no short answer can be read. `further`:
    0..1, share of its vote that each further equal answer has, of the one before: models share
    errors.
    """

    bias: float
    quality: float
    agree: float
    peer: float
    oppose: float
    kinds: tuple[float, ...]
    unread: float = 1.0
    further: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelState:
    """All numbers of the panel.

    `forms`: by form of answer. `curves`: by `KIND@MODEL` for one model's answers, else by judge
    name, else by kind: value -> log-odds. `caps`: by hard check, what is left of the probability
    when it fails. `correlation`: 0..1, of the errors of two model judges. `same`, `collide`: chance
    that two right and that two wrong answers are found equal, for who plans further answers.
    `heads`: model judges that were measured together. `relative`: whether no label was seen, so
    that confidences rank answers and tell no level. `shift`, `slope` >= 0: of every log-odds, at
    last: who stops where the answer looks right has picked what flatters it.
    """

    forms: Mapping[Form, FormState]
    curves: Mapping[str, Curve]
    caps: Mapping[str, float]
    correlation: float
    same: float = 0.95
    collide: float = 0.3
    heads: Heads | None = None
    relative: bool = False
    shift: float = 0.0
    slope: float = 1.0

    @staticmethod
    def default() -> PanelState:
        """Priors, from no data: cautious numbers until an artifact replaces them."""
        return PanelState(
            forms=MappingProxyType(dict.fromkeys(FORMS, _prior())),
            curves=MappingProxyType(_CURVES),
            caps=MappingProxyType(_CAPS),
            correlation=0.5,
        )

    def to_arrays(self) -> dict[str, Floats]:
        """Arrays for an artifact, keys `panel/...`."""
        rows = [self.forms[form] for form in FORMS]
        table = [(r.bias, r.quality, r.agree, r.peer, r.oppose, *r.kinds) for r in rows]
        arrays = {"panel/forms": np.array(table), "panel/correlation": np.array([self.correlation])}
        arrays |= {"panel/unread": np.array([row.unread for row in rows])}
        arrays |= {"panel/further": np.array([row.further for row in rows])}
        arrays |= {"panel/equal": np.array([self.same, self.collide])}
        arrays |= {f"panel/curve/{name}": curve.as_array() for name, curve in self.curves.items()}
        if self.heads is not None:
            arrays |= {PREFIX + key: array for key, array in self.heads.to_arrays().items()}
        if (self.shift, self.slope) != (0.0, 1.0):
            arrays |= {"panel/level": np.array([self.shift, self.slope])}
        if self.relative:
            arrays |= {"panel/relative": np.ones(1)}
        return arrays | {f"panel/cap/{name}": np.array([cap]) for name, cap in self.caps.items()}

    @staticmethod
    def from_arrays(arrays: Mapping[str, npt.NDArray[np.generic]]) -> PanelState:
        """Read an artifact's arrays; keys that do not start with `panel/` are not looked at.

        What an artifact leaves out (a curve, a cap) keeps its prior. Raises `BadInput` on a wrong
        shape, a negative weight or an unknown key.
        """
        state = PanelState.default()
        parts = {
            key[len(PREFIX) :]: np.asarray(array, dtype=np.float64)
            for key, array in arrays.items()
            if key.startswith(PREFIX)
        }
        curves = {k[6:]: curve_of(a) for k, a in parts.items() if k.startswith("curve/")}
        caps = {k[4:]: _share(a, k) for k, a in parts.items() if k.startswith("cap/")}
        _refuse_unknown(parts)
        same, collide = _equal(parts["equal"]) if "equal" in parts else (state.same, state.collide)
        level = _level(parts["level"]) if "level" in parts else (state.shift, state.slope)
        return PanelState(
            forms=_with_shares(_forms(parts["forms"]) if "forms" in parts else state.forms, parts),
            curves=MappingProxyType(dict(state.curves) | curves),
            caps=MappingProxyType(dict(state.caps) | caps),
            correlation=_share(parts["correlation"], "correlation")
            if "correlation" in parts
            else state.correlation,
            same=same,
            collide=collide,
            heads=heads_from(parts),
            relative="relative" in parts,
            shift=level[0],
            slope=level[1],
        )


def kind_of(judge: str) -> str:
    """Kind of a judge by its name.

    >>> kind_of("llm:gpt-5-mini"), kind_of("rules")
    ('llm', 'rules')
    """
    return judge.partition(":")[0]


def _forms(table: Floats) -> Mapping[Form, FormState]:
    width = 5 + len(KINDS)
    if (
        table.shape != (len(FORMS), width)
        or not np.isfinite(table).all()
        or (table[:, 1:] < 0).any()
    ):
        msg = (
            f"must be finite float64[{len(FORMS)}, {width}], weights >= 0; got shape {table.shape}"
        )
        raise BadInput(msg, where="panel/forms")
    return MappingProxyType(
        {form: _row(row) for form, row in zip(FORMS, table.tolist(), strict=True)}
    )


def _with_shares(
    forms: Mapping[Form, FormState], parts: Mapping[str, Floats]
) -> Mapping[Form, FormState]:
    """The forms with what later versions added; an older artifact lacks it."""
    rows = [forms[form] for form in FORMS]
    unread = _shares(parts, "unread", [row.unread for row in rows])
    further = _shares(parts, "further", [row.further for row in rows])
    each = zip(FORMS, rows, unread, further, strict=True)
    return MappingProxyType({form: replace(row, unread=u, further=f) for form, row, u, f in each})


def _shares(parts: Mapping[str, Floats], name: str, missing: list[float]) -> list[float]:
    array = parts.get(name)
    if array is None:
        return missing
    if array.shape != (len(FORMS),) or not ((array >= 0.0) & (array <= 1.0)).all():
        msg = f"must be float64[{len(FORMS)}] in 0..1, got {array.tolist()}"
        raise BadInput(msg, where=PREFIX + name)
    values: list[float] = array.tolist()
    return values


def _row(row: list[float]) -> FormState:
    bias, quality, agree, peer, oppose, *kinds = row
    return FormState(
        bias=bias, quality=quality, agree=agree, peer=peer, oppose=oppose, kinds=tuple(kinds)
    )


def _share(array: Floats, key: str) -> float:
    if array.shape != (1,) or not 0.0 <= array[0] <= 1.0:
        msg = f"must be one number in 0..1, got {array.tolist()}"
        raise BadInput(msg, where=PREFIX + key)
    return float(array[0])


def _equal(array: Floats) -> tuple[float, float]:
    if array.shape != (2,) or not ((array >= 0.0) & (array <= 1.0)).all():
        msg = f"must be two numbers in 0..1, got {array.tolist()}"
        raise BadInput(msg, where="panel/equal")
    return float(array[0]), float(array[1])


def _level(array: Floats) -> tuple[float, float]:
    if array.shape != (2,) or not np.isfinite(array).all() or array[1] < 0.0:
        msg = f"must be a shift and a slope >= 0, got {array.tolist()}"
        raise BadInput(msg, where="panel/level")
    return float(array[0]), float(array[1])


def _refuse_unknown(parts: Mapping[str, Floats]) -> None:
    known = ("forms", "unread", "further", "equal", "correlation", "relative", "level")
    unknown = [
        k
        for k in parts
        if k not in known and not k.startswith(("curve/", "cap/")) and not is_heads(k)
    ]
    if unknown:
        msg = "unknown key: made by a newer version?"
        raise BadInput(msg, where=PREFIX + unknown[0])


def _prior() -> FormState:
    """The same for every form; held-out answers of four public tables bear it out."""
    return FormState(
        bias=0.0,
        quality=1.0,
        agree=1.0,
        peer=0.3,
        oppose=0.8,
        kinds=(1.0, 1.0, 1.0, 1.0),
        further=0.6,
    )


_CURVES = {
    "rules": Curve(x=(0.0, 1.0), y=(0.0, 0.2)),
    "logprob": Curve(x=(0.0, 0.5, 0.8, 0.9, 0.97, 1.0), y=(-1.5, -1.0, -0.3, 0.0, 0.5, 1.0)),
    "agreement": Curve(x=(0.3, 0.5, 0.7), y=(-0.3, 0.0, 0.4)),
    "user": Curve(x=(0.0, 0.5, 1.0), y=(-1.5, 0.0, 1.0)),
    "llm": Curve(x=(0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0), y=(-2.0, -1.2, -0.5, 0.1, 0.5, 1.0, 1.4)),
    "llm:pair": Curve(x=(0.0, 0.5, 1.0), y=(-1.2, 0.0, 0.8)),
    "llm:yes": Curve(x=(0.0, 0.05, 0.5, 0.95, 1.0), y=(-2.0, -1.4, -0.3, 0.7, 1.2)),
}
_CAPS = {
    "empty": 0.01,
    "refusal": 0.05,
    "truncated": 0.2,
    "tools": 0.03,
    "tool_choice": 0.03,
    "repeated_call": 0.1,
    "json": 0.05,
    "code": 0.1,
    "choice": 0.3,
    "number": 0.2,
    "unit": 0.3,
    "form": 0.3,
    "length": 0.7,
    "loop": 0.3,
    "language": 0.2,
}
