"""Which of these is which of those: the cheapest one-to-one assignment."""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def assign(cost: F64) -> list[tuple[int, int]]:
    """Pairs (row, column) of least total cost, as many as the smaller side has, sorted by row.

    ``cost`` (n, m), finite. Shortest augmenting paths (R. Jonker, A. Volgenant, "A shortest augmenting path
    algorithm for dense and sparse linear assignment problems", Computing 38, 1987): each row in turn is
    brought in along the path by which the total grows least. Raises ValueError for a cost that is not
    finite.
    """
    if not np.isfinite(cost).all():
        raise ValueError("a cost of the assignment is not a finite number")
    n, m = cost.shape
    if n > m:
        return sorted((row, column) for column, row in assign(cost.T))
    holder = np.full(m, -1)
    row_price, column_price = np.zeros(n), np.zeros(m)
    for row in range(n):
        _bring_in(row, cost, holder, row_price, column_price)
    return sorted((int(row), column) for column, row in enumerate(holder) if row >= 0)


def _bring_in(row: int, cost: F64, holder: NDArray[np.int64], row_price: F64, column_price: F64) -> None:
    """Assign one more row; ``holder`` (m,): the row that holds each column, -1 for none."""
    m = cost.shape[1]
    distance, before = np.full(m, np.inf), np.full(m, -1)
    done = np.zeros(m, np.bool_)
    current, reached, column = row, 0.0, -1
    while True:
        offer = reached + cost[current] - row_price[current] - column_price
        nearer = ~done & (offer < distance)
        distance[nearer], before[nearer] = offer[nearer], column
        column = int(np.argmin(np.where(done, np.inf, distance)))
        reached = float(distance[column])
        done[column] = True
        if holder[column] < 0:
            break
        current = int(holder[column])
    _raise_prices(row, reached, distance, done, column, holder, row_price, column_price)
    while column >= 0:
        earlier = int(before[column])
        holder[column] = row if earlier < 0 else holder[earlier]
        column = earlier


def _raise_prices(
    row: int,
    reached: float,
    distance: F64,
    done: NDArray[np.bool_],
    last: int,
    holder: NDArray[np.int64],
    row_price: F64,
    column_price: F64,
) -> None:
    row_price[row] += reached
    for column in np.flatnonzero(done).tolist():
        if column != last:
            slack = reached - float(distance[column])
            row_price[holder[column]] += slack
            column_price[column] -= slack
