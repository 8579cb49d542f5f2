"""One thread that owns the pipeline and answers many requests at once by continuous batching.

    submit (any thread) -> queue -> admit -> step, step, ... -> events to the request's listener

The pipeline holds Python's global lock during a step (15-900 ms for the embedded model), so other
threads of this process run between steps: enough for an HTTP face, and the reason why the engine
lives in a process of its own.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable

from .genai import ENGINE_ERRORS
from .generation import Event, Failed, Job
from .pipeline import Pipeline
from .run import Order, Run, admit

_MAX_WAITING = 256
_MAX_RUNNING = 16
_YIELD_S = 0.0003  # lets the event loop's thread in between two steps; about 1 % of a step


class Ticket:
    """A submitted job; `cancel` stops it within one step."""

    def __init__(self, order: Order) -> None:
        self._order = order

    def cancel(self) -> None:
        """Stop the generation, from any thread; no event is sent after the current step."""
        self._order.cancelled = True


class Engine:
    """Continuous batching over one pipeline.

    `load` makes the pipeline, and makes it anew when it breaks: the requests of that batch fail,
    later ones do not. `on_crash` is called with the error if the thread itself ends by a bug:
    nobody would be answered any more.
    """

    def __init__(
        self,
        load: Callable[[], Pipeline],
        *,
        on_crash: Callable[[BaseException | None], None] = lambda _error: None,
    ) -> None:
        self._load = load
        self._on_crash = on_crash
        self._pipeline = load()
        self._waiting: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._next: Order | None = None  # taken from the queue, not yet admitted
        self._running: list[Run] = []
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="local-engine", daemon=True)
        self._thread.start()

    def submit(self, job: Job, listener: Callable[[Event], None]) -> Ticket:
        """Queue a job; `listener` is called on the engine's thread, `Done` or `Failed` last."""
        order = Order(job=job, listener=listener)
        if self._waiting.qsize() >= _MAX_WAITING:
            listener(_OVERLOADED)
        else:
            self._waiting.put(order)
        return Ticket(order)

    def close(self) -> None:
        """Stop the thread; whatever still runs is abandoned."""
        self._closing = True
        self._waiting.put(None)
        self._thread.join(timeout=10)

    def _work(self) -> None:
        try:
            while not self._closing:
                self._admit()
                if self._running:
                    self._step()
                    time.sleep(_YIELD_S)
        finally:
            if not self._closing:
                self._on_crash(sys.exception())

    def _admit(self) -> None:
        """Start waiting orders in turn, as many as may run together; blocks while idle."""
        while not self._closing and len(self._running) < _MAX_RUNNING:
            self._next = self._next or self._take(wait=not self._running)
            if self._next is None or not self._may_start(self._next):
                return
            order, self._next = self._next, None
            if not order.cancelled:
                self._start(order)

    def _take(self, *, wait: bool) -> Order | None:
        try:
            return self._waiting.get(block=wait)
        except queue.Empty:
            return None

    def _may_start(self, order: Order) -> bool:
        beside = [run.order.job.sampling for run in self._running]
        return not beside or not any(s.runs_alone for s in (order.job.sampling, *beside))

    def _start(self, order: Order) -> None:
        started = time.process_time()
        run = admit(order, self._pipeline)
        if run is not None:
            run.charge(time.process_time() - started)
            self._running.append(run)

    def _step(self) -> None:
        started = time.process_time()
        for run in self._running:
            run.stop_if_cancelled()
        weights = [run.weight for run in self._running]
        if not self._pipeline_step():
            return
        for run in self._running:
            run.collect()
        spent = time.process_time() - started
        for run, weight in zip(self._running, weights, strict=True):
            run.charge(spent * weight / sum(weights))
        self._running = [run for run in self._running if not run.finish_if_over()]
        if not self._running and self._pipeline.busy:
            self._pipeline_step()  # lets go of what was cancelled

    def _pipeline_step(self) -> bool:
        """One step; False if it broke, for then the pipeline refuses every further one."""
        try:
            self._pipeline.step()
        except ENGINE_ERRORS as error:
            for run in self._running:
                run.fail(error)
            self._running = []
            self._pipeline = self._load()
            return False
        return True


_OVERLOADED = Failed(
    status=503, code="overloaded", message=f"{_MAX_WAITING} requests are waiting; try later"
)
