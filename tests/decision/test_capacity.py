"""Choosing contacts within hours."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nobishiro.decision.capacity import CapacityProblem, choose_by_prices


def best_of_all(problem):
    """Every combination tried."""
    n, channels = problem.value.shape
    best = 0.0
    for choice in product(range(-1, channels), repeat=n):
        rep, quadrant = problem.rep_hours.copy(), problem.quadrant_hours.copy()
        for who, how in enumerate(choice):
            if how >= 0:
                rep[problem.rep[who]] -= problem.hours[how]
                quadrant[problem.quadrant[who]] -= problem.hours[how]
        if (rep >= -1e-9).all() and (quadrant >= -1e-9).all():
            best = max(best, sum(problem.value[who, how] for who, how in enumerate(choice) if how >= 0))
    return best


@st.composite
def problems(draw):
    n = draw(st.integers(0, 6))
    yen = st.floats(0, 100)
    return CapacityProblem(
        value=np.array([[draw(yen) for _ in range(2)] for _ in range(n)], np.float64).reshape(n, 2),
        hours=np.array([2.0, 0.5]),
        rep=np.array([draw(st.integers(0, 1)) for _ in range(n)], np.int64),
        quadrant=np.array([draw(st.integers(0, 1)) for _ in range(n)], np.int64),
        rep_hours=np.array([draw(st.floats(0, 6)), draw(st.floats(0, 6))]),
        quadrant_hours=np.array([draw(st.floats(0, 8)), draw(st.floats(0, 8))]),
    )


@settings(max_examples=120, deadline=None)
@given(problems())
def test_the_bound_is_proven_and_no_hour_is_overspent(problem):
    chosen = choose_by_prices(problem)
    best = best_of_all(problem)
    assert chosen.expected <= best + 1e-6
    assert chosen.bound >= best - 1e-6
    spent_by_rep = np.zeros(2)
    spent_by_quadrant = np.zeros(2)
    for who, how in enumerate(chosen.channel):
        if how >= 0:
            spent_by_rep[problem.rep[who]] += problem.hours[how]
            spent_by_quadrant[problem.quadrant[who]] += problem.hours[how]
    assert (spent_by_rep <= problem.rep_hours + 1e-6).all()
    assert (spent_by_quadrant <= problem.quadrant_hours + 1e-6).all()


def test_a_large_problem_ends_close_to_its_bound():
    rng = np.random.default_rng(5)
    n = 4000
    room = rng.lognormal(10, 1.2, n)
    problem = CapacityProblem(
        value=room[:, None] * np.array([0.10, 0.03, 0.008]),
        hours=np.array([2.0, 0.4, 0.15]),
        rep=rng.integers(0, 10, n),
        quadrant=rng.integers(0, 4, n),
        rep_hours=np.full(10, 60.0),
        quadrant_hours=np.array([0.45, 0.40, 0.25, 0.10]) * 600,
    )
    chosen = choose_by_prices(problem)
    assert chosen.expected / chosen.bound > 0.99
