"""One more request on a placement that is kept in memory: what a long-lived caller asks again and again.

Decides like `place`, which would keep everybody else where they are. Must not be used to place many: it neither
orders requests nor repairs.
"""

from __future__ import annotations

from stead.blueprint.placement.model import Placement, Problem, Request
from stead.blueprint.placement.queries.evaluation import Evaluation
from stead.blueprint.placement.queries.failure_analysis import Trial
from stead.blueprint.placement.search.greedy import members_of
from stead.blueprint.placement.search.runs import Run, cut

HOSTS_TRIED = 24  # best hosts tried before giving up on keeping N+1


class Survivor:
    """Which failures count on which host, so that one more member re-tries a few failures and not all."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.trial = Trial(evaluation)
        self.counting: dict[int, set[int]] = {}
        # Failing host -> hosts that take its units in -> what is left there.
        self.targets: dict[int, dict[int, list[int]]] = {}
        self.lost = {h for h in sorted(self.trial.units) if not self._try(h)}  # their failure hurts even now

    def _try(self, failing: int) -> bool:
        if self.trial.lost((failing,))[0]:
            return False
        for h in self.targets.get(failing, ()):
            self.counting[h].discard(failing)
        self.targets[failing] = self.trial.leans_on
        for h in self.trial.leans_on:
            self.counting.setdefault(h, set()).add(failing)
        return True

    def still_survives(self, h: int, run: Run) -> bool:
        units = self.trial.units.setdefault(h, [])
        units.append(run)
        if h not in self.lost and self._try(h):
            others = sorted(self.counting.get(h, set()) - {h})
            if all(self._has_room(failing, h, run) or self._try(failing) for failing in others):
                return True
        units.pop()
        return False

    def _has_room(self, failing: int, h: int, run: Run) -> bool:
        """Whether all may go where they went before, and the new one is where it is: nothing need be tried then."""
        left = self.targets[failing][h]
        if run.groups or any(left[k] < amount for k, amount in run.shape.demand):
            return False
        for k, amount in run.shape.demand:
            left[k] -= amount
        return True


class Incremental:
    """The state behind a placement; `add` changes it, so one object answers a series of questions."""

    def __init__(self, problem: Problem, placement: Placement) -> None:
        self.evaluation = Evaluation(problem, placement)
        self._trial: Survivor | None = None

    def add(self, request: Request) -> dict[str, str]:
        """Member -> host. Members that do not fit are missing from it, and nothing is repaired for them."""
        placed: dict[str, str] = {}
        for run in self._runs(request):
            for i in range(len(run.units)):
                h = self.evaluation.chooser.choose(run, None)
                if h is None:
                    break
                self._take(run, h, 1)
                placed.update(dict.fromkeys((m for _, m in members_of(run, i)), self.evaluation.space.names[h]))
                self._trial = None  # it knows nothing of this one
        return placed

    def add_surviving(self, request: Request) -> dict[str, str]:
        """As `add`, for a request of one member, on the best host after which any host may still fail that may now.

        Only failures that counted on that host are tried again: on all others there is as much room as before.
        Empty when none of the best hosts keeps it so.
        """
        trial = self._survivor()
        avoid: frozenset[int] = frozenset()
        for run in self._runs(request):
            for _ in range(HOSTS_TRIED):
                h = self.evaluation.chooser.choose(run, None, avoid)
                if h is None:
                    break
                self._take(run, h, 1)
                if trial.still_survives(h, run):
                    return dict.fromkeys((m for _, m in members_of(run, 0)), self.evaluation.space.names[h])
                self._take(run, h, -1)
                avoid |= {h}
        return {}

    def _survivor(self) -> Survivor:
        if self._trial is None:
            self._trial = Survivor(self.evaluation)
        return self._trial

    def _runs(self, request: Request) -> list[Run]:
        space = self.evaluation.space
        if any(amount and name not in space.slot for name, amount in request.demand.items()):
            return []  # no host has ever heard of this resource
        for group in request.groups:
            sizes = self.evaluation.chooser.sizes
            sizes[group.name] = sizes.get(group.name, 0) + len(request.members)
        return cut(space, self.evaluation.state, [(request, list(request.members))])

    def _take(self, run: Run, h: int, times: int) -> None:
        self.evaluation.state.take(h, run.shape.demand, times)
        if run.groups:
            self.evaluation.state.tally.add(run.names, h, self.evaluation.space.zone_of[h], times)
