"""The pool of short calculations."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from api.processes import Calculator


def test_a_closed_pool_can_be_asked_again() -> None:
    """Tests that an application that is started again after its end calculates again, with a pool of its own."""
    calculator = Calculator(lambda: ThreadPoolExecutor(1))
    assert asyncio.run(calculator.run(abs, -1)) == 1
    calculator.close()
    calculator.close()
    assert asyncio.run(calculator.run(abs, -2)) == 2
    calculator.close()
