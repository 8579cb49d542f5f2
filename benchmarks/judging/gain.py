"""The panel and the gain of one more call, on arrays: one row a query.

Answers so far form groups g with supports S_g (log-odds, as in `emafusion.judge.panel`), and
P_g = sigmoid(S_g - w_o log(1 + sum_(h != g) exp S_h)). A candidate k of predicted quality q_k,
a_k = logit q_k, u_k = max(0, w_a + w_p a_k), answers as group g does with probability

    m_g = P_g q_k s + (1 - P_g) (1 - q_k) c        (scaled if they sum to more than 1)

and something new with m_0 = 1 - sum m_g. With b the best group,

    gain_k = sum_(g != b) m_g max(0, P_g' - P_b') + m_0 max(0, P_k' - P_b')

where ' is after k has answered so: S_g + u_k, or a new group of support a_k. That is a difference
within one model of the future, so it is never negative and no error of level enters it. Calling
for information, before two have answered, needs one step more:

    G_ik = p (max_j gain_j(agree) - lam c_j)+ + (1 - p) [(P_k - P_i)+ + (max_j gain_j(disagree) - lam c_j)+]

with p = m_i of candidate k. Start with the i of largest q_i - lam c_i + max_k (G_ik - lam c_k)+.
"""  # noqa: E501  # one formula, one line

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from recorded import Array, Pool

from emafusion.judge.asked import FORMS
from emafusion.judge.state import PanelState

BEST = 6
"""Candidates looked at when planning ahead: those of largest q - lam c."""
COLLISION = {"choice": 0.3, "number": 0.4}
SAME, COLLIDE = 0.95, 0.2


def sigmoid(x: Array) -> Array:
    """Log-odds to probability."""
    return 1.0 / (1.0 + np.exp(-np.clip(x, -30, 30)))


def logit(p: Array) -> Array:
    """Probability to log-odds within about six."""
    return np.log(np.clip(p, 0.0025, 0.9975) / (1 - np.clip(p, 0.0025, 0.9975)))


@dataclass(frozen=True, slots=True)
class Weights:
    """The panel's numbers, float64[N, 1] each, by the form of each query."""

    bias: Array
    quality: Array
    agree: Array
    peer: Array
    oppose: Array
    collide: Array

    def alone(self, q: Array) -> Array:
        """Log-odds of an answer by its predicted quality."""
        return np.clip(self.bias + self.quality * logit(q), -6, 6)

    def vote(self, a: Array) -> Array:
        """What an agreeing answer of these log-odds adds."""
        return np.maximum(0.0, self.agree + self.peer * a)

    def of(self, own: Array, rivals: Array) -> Array:
        """Log-odds of a group by its support and the summed odds of its rivals."""
        return sigmoid(own - self.oppose * np.log1p(rivals))


def weights_of(state: PanelState, pool: Pool) -> Weights:
    """The panel's numbers for each query of the pool."""
    names = [FORMS[f] for f in pool.form]
    rows = [state.forms[n] for n in names]
    table = np.array([(r.bias, r.quality, r.agree, r.peer, r.oppose) for r in rows])
    collide = np.array([[COLLISION.get(n, COLLIDE)] for n in names])
    return Weights(*(table[:, [i]] for i in range(5)), collide)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known after some calls: supports and odds of each look, the best, its probability."""

    support: Array
    probability: Array
    leads: Array
    best: Array


def look(pool: Pool, asked: Array, *, w: Weights, caps: Array) -> Seen:
    """Panel of the answers asked for so far; `asked`: int[N, looks], -1 for none."""
    at = np.maximum(asked, 0)
    take = lambda x: np.take_along_axis(x, at, 1)  # noqa: E731  # short-lived
    alone = w.alone(take(pool.quality))
    cap = take(caps)
    alone = np.where(cap < 1, logit(cap * sigmoid(alone)), alone)
    there = asked >= 0
    keyed = there & take(pool.keyed)
    same = (take(pool.group)[:, :, None] == take(pool.group)[:, None, :]) & keyed[:, :, None]
    same &= keyed[:, None, :]
    others = same & ~np.eye(asked.shape[1], dtype=bool)
    support = alone + (others * w.vote(alone)[:, None, :]).sum(2)
    order = np.argsort(np.argsort(-np.where(keyed, alone, -99), axis=1), axis=1)
    leads = keyed & ~((order[:, None, :] < order[:, :, None]) & same).any(2)
    odds = np.where(leads, np.exp(support), 0.0)
    against = (odds[:, None, :] * ~same).sum(2)
    chance = np.where(keyed, w.of(support, against * keyed), sigmoid(alone))
    chance = np.where(there, chance, -1.0)
    return Seen(support=support, probability=chance, leads=leads, best=chance.argmax(1))


def gain(pool: Pool, seen: Seen, w: Weights) -> Array:
    """float64[N, K]: gain of one more call of each candidate, before its cost."""
    a = w.alone(pool.quality)
    q, u, rows = sigmoid(a), w.vote(a), np.arange(len(a))
    odds = np.where(seen.leads, np.exp(seen.support), 0.0)
    total, best = odds.sum(1, keepdims=True), seen.best[:, None]
    own = np.take_along_axis(seen.support, best, 1)
    held = np.take_along_axis(odds, best, 1)
    keyed = np.take_along_axis(seen.leads, best, 1) | (held > 0)
    result, spent = np.zeros_like(a), np.zeros_like(a)
    for g in range(seen.support.shape[1]):
        lead, p = seen.leads[:, [g]], seen.probability[:, [g]]
        m = np.where(lead, p * q * SAME + (1 - p) * (1 - q) * w.collide, 0.0)
        s, o = seen.support[:, [g]] + u, odds[:, [g]]
        after = w.of(s, total - o)
        left = w.of(own, np.maximum(total - held - o, 0) + np.exp(s))
        is_best = seen.best == g
        better = np.where(lead & ~is_best[:, None], np.maximum(0.0, after - left), 0.0)
        result += m * better
        spent += m
    scale = np.maximum(1.0, spent)
    new = np.maximum(0.0, w.of(a, total) - w.of(own, np.maximum(total - held, 0) + np.exp(a)))
    full = result / scale + np.clip(1 - spent / scale, 0, 1) * new
    # The best cannot be read: nothing votes with it, another answer just replaces it.
    plain = np.maximum(0.0, q - seen.probability[rows, seen.best][:, None])
    return np.where(keyed, full, plain)


def ahead(first: Array, q: Array, *, fee: Array, w: Weights) -> Array:
    """float64[N, M]: G_ik - fee_k of a second call k after answer i of log-odds `first`[N, 1]."""
    a = w.alone(q)
    u, p1, chance = w.vote(a), sigmoid(first), sigmoid(a)
    agree = p1 * chance * SAME + (1 - p1) * (1 - chance) * w.collide
    pi, pk = w.of(first, np.exp(a)), w.of(a, np.exp(first))
    together = np.maximum(first + u, a + w.vote(first))
    more_a = _third(together[:, :, None], None, a=a, fee=fee, w=w)
    best, other = np.maximum(first, a), np.minimum(first, a)
    more_d = _third(best[:, :, None], other[:, :, None], a=a, fee=fee, w=w)
    return agree * more_a + (1 - agree) * (np.maximum(0, pk - pi) + more_d) - fee


def _third(best: Array, other: Array | None, *, a: Array, fee: Array, w: Weights) -> Array:
    """float64[N, M]: best net gain of a third call j after two, in two groups or one."""
    aj, w3 = a[:, None, :], _wide(w)
    q, u, ob = sigmoid(aj), w3.vote(aj), np.exp(best)
    oo = np.zeros_like(ob) if other is None else np.exp(other)
    pb = w3.of(best, oo)
    mb = pb * q * SAME + (1 - pb) * (1 - q) * w3.collide
    net, mo = np.zeros_like(mb), np.zeros_like(mb)
    if other is not None:
        po = w3.of(other, ob)
        mo = po * q * SAME + (1 - po) * (1 - q) * w3.collide
        s = np.maximum(other + u, aj + w3.vote(other))
        net = mo * np.maximum(0, w3.of(s, ob) - w3.of(best, np.exp(s)))
    scale = np.maximum(1.0, mb + mo)
    fresh = np.maximum(0, w3.of(aj, ob + oo) - w3.of(best, oo + np.exp(aj)))
    net = net / scale + np.clip(1 - (mb + mo) / scale, 0, 1) * fresh - fee[:, None, :]
    net = np.where(np.eye(a.shape[1], dtype=bool)[None], 0.0, net)
    return np.maximum(0.0, net.max(2))


def _wide(w: Weights) -> Weights:
    return Weights(*(getattr(w, name)[:, :, None] for name in Weights.__slots__))
