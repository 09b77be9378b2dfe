"""8 processes of 64 threads each call a model until the budget is spent: it stops there to the nano-dollar.

python examples/budget.py            # makes budget.db
reelwise budget status --ledger budget.db
reelwise ledger verify --ledger budget.db
"""

import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import reelwise
from reelwise.errors import BudgetError
from reelwise.ledger import Budget, Ledger

WHERE = sys.argv[1] if len(sys.argv) > 1 else "budget.db"
CALLS = int(sys.argv[2]) if len(sys.argv) > 2 else 10  # each thread tries as many


def model(ledger: Ledger, user: str) -> bool:
    """Stand for a model whose calls cost 0.001 dollars, and are said to cost that at most."""
    try:
        with reelwise.meter("describe", user=user, hold_usd="0.001", ledger=ledger, wait=False) as call:
            call.cost(usd="0.001")
    except BudgetError:  # the call was not made
        return False
    return True


def process(number: int) -> int:
    """Call from 64 threads; say how many calls were let through."""
    with Ledger(WHERE) as ledger, ThreadPoolExecutor(64) as threads:
        return sum(threads.map(lambda n: model(ledger, f"u{number}-{n % 64}"), range(64 * CALLS)))


if __name__ == "__main__":
    with Ledger(WHERE) as ledger:
        ledger.set_budget(Budget(name="all", period="total", hard=2_000_000_000))  # 2 dollars, in nano-dollars
    with ProcessPoolExecutor(8) as processes:
        made = sum(processes.map(process, range(8)))
    print(f"{made:,} of {8 * 64 * CALLS:,} calls were made, {made * 0.001:.3f} dollars")
