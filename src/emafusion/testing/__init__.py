"""The shipped test kit: scripts of conversations, a fake upstream, and what every part must hold.

Fakes are for upstreams only. A new policy, estimator, judge, upstream or store is checked by one
call: `check_policy`, `check_estimator`, `check_judge`, `check_upstream`, `check_store`,
`check_key_store`, `check_meter`, `check_shelf`, `check_answers`.
`check_key_store`, `check_meter`, `check_drawn_mean`.
"""

from emafusion.testing.answer_checks import check_answers
from emafusion.testing.checks import (
    check_drawn_mean,
    check_estimator,
    check_judge,
    check_policy,
    check_store,
    check_upstream,
)
from emafusion.testing.fake import FakeUpstream
from emafusion.testing.key_checks import check_key_store, check_meter
from emafusion.testing.making import candidate, failed, features, said, situation
from emafusion.testing.script import Script, calls, races, waits
from emafusion.testing.shelf_checks import check_shelf

__all__ = [
    "FakeUpstream",
    "Script",
    "calls",
    "candidate",
    "check_answers",
    "check_drawn_mean",
    "check_estimator",
    "check_judge",
    "check_key_store",
    "check_meter",
    "check_policy",
    "check_shelf",
    "check_store",
    "check_upstream",
    "failed",
    "features",
    "races",
    "said",
    "situation",
    "waits",
]
