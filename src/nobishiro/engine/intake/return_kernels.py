"""Takes returns off earlier sales, group by group. Arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_SAME_PRICE = 1e-3
"""Unit prices closer than this share of the larger are the same: amounts are rounded to whole yen."""
_NOTHING = 1e-9
"""Floats left after subtracting what was there."""


@njit(cache=True, nogil=True)
def allocate_returns(
    return_start: Int64,
    return_place: Int64,
    sale_start: Int64,
    sale_place: Int64,
    return_moment: Int64,
    return_left: Float64,
    return_yen: Float64,
    return_price: Float64,
    sale_moment: Int64,
    sale_left: Float64,
    sale_yen: Float64,
    sale_price: Float64,
    in_time: bool,
    exact: bool,
) -> None:
    """Reduce `left` and `yen` of returns and sales alike, in place.

    Group g has the returns `return_place[return_start[g]:return_start[g + 1]]` and its sales in the same way, both
    sorted by moment. A return takes from the latest sale first, in four passes: same unit price with enough left, same
    unit price, enough left, any. `in_time` leaves out sales later than the return. `exact` keeps amounts whole.
    """
    for group in range(return_start.size - 1):
        first = sale_start[group]
        for index in range(return_start[group], return_start[group + 1]):
            back = return_place[index]
            last = sale_start[group + 1]
            if in_time:
                while last > first and sale_moment[sale_place[last - 1]] > return_moment[back]:
                    last -= 1
            for step in range(4):
                same_price = step < 2
                enough = step % 2 == 0
                for position in range(last - 1, first - 1, -1):
                    if return_left[back] <= 0.0:
                        break
                    sold = sale_place[position]
                    if sale_left[sold] <= 0.0:
                        continue
                    if enough and sale_left[sold] < return_left[back] * (1.0 - _NOTHING):
                        continue
                    if same_price:
                        larger = max(sale_price[sold], return_price[back])
                        if abs(sale_price[sold] - return_price[back]) > _SAME_PRICE * larger:
                            continue
                    units = min(sale_left[sold], return_left[back])
                    if units >= return_left[back] * (1.0 - _NOTHING):
                        yen = return_yen[back]
                    else:
                        yen = return_yen[back] * units / return_left[back]
                        if exact:
                            yen = np.floor(yen + 0.5)
                    sale_left[sold] -= units
                    sale_yen[sold] -= yen
                    return_left[back] -= units
                    return_yen[back] -= yen
                    if sale_left[sold] <= _NOTHING * units:
                        sale_left[sold] = 0.0
                    if return_left[back] <= _NOTHING * units:
                        return_left[back] = 0.0
                if return_left[back] <= 0.0:
                    break
