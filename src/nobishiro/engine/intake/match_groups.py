"""Groups of codes that become one customer: joins that never cross a veto, and the code that stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nobishiro.engine.intake.merges import code_order


class CustomerGroups:
    """Disjoint groups of nodes that refuse to grow across two corporate numbers or a person's "not the same"."""

    def __init__(self, corporate: list[str | None], different: Iterable[tuple[int, int]]) -> None:
        self._above = list(range(len(corporate)))
        self._members: dict[int, list[int]] = {}
        self._corporate = {node: number for node, number in enumerate(corporate) if number is not None}
        self._foes: dict[int, set[int]] = {}
        for left, right in different:
            self._foes.setdefault(left, set()).add(right)
            self._foes.setdefault(right, set()).add(left)

    def top(self, node: int) -> int:
        """The node that stands for the group of `node`."""
        above = self._above
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    def join(self, left: int, right: int, *, checked: bool = True) -> bool:
        """Make the groups of two nodes one; False, and nothing done, when a veto stands between them."""
        keep, fold = self.top(left), self.top(right)
        if keep == fold:
            return True
        one, other = self._corporate.get(keep), self._corporate.get(fold)
        if checked and one is not None and other is not None and one != other:
            return False
        if checked and any(self.top(foe) == fold for foe in self._foes.get(keep, ())):
            return False
        self._above[fold] = keep
        self._members.setdefault(keep, [keep]).extend(self._members.pop(fold, [fold]))
        if other is not None:
            self._corporate.setdefault(keep, other)
        if fold in self._foes:
            self._foes.setdefault(keep, set()).update(self._foes.pop(fold))
        return True

    def groups(self) -> list[list[int]]:
        """Every group of two or more nodes."""
        return [members for members in self._members.values() if len(members) > 1]


def staying_code(
    members: list[int],
    codes: list[str],
    folded: set[int],
    corporate: list[str | None],
    orders: Mapping[str, int],
) -> int:
    """The member whose code stays: not one already folded away by a person or a code table, one with a corporate
    number, with the most orders, with the smallest code; in this order.
    """
    free = [node for node in members if node not in folded] or members
    return min(
        free,
        key=lambda node: (
            corporate[node] is None,
            -orders.get(codes[node], 0),
            code_order(codes[node]),
        ),
    )
