"""Gives functions that take the parameters of another the signature of that other, in the reference.

`run` and `arun` are written once, as functions of an executor, and take what an executor is ordered with; a reader
wants to see the parameters they are called with.
"""

from typing import Any

import griffe

_DECORATOR = "_taking_an_order"


class BorrowedSignatures(griffe.Extension):
    """Copies the parameters of the function that a `@_taking_an_order(function)` names."""

    def on_function(self, *, func: griffe.Function, **kwargs: Any) -> None:
        """Give `func` the parameters it borrows, if it does."""
        for decorator in func.decorators:
            call = decorator.value
            if isinstance(call, griffe.ExprCall) and str(call.function) == _DECORATOR:
                lender = func.parent.members[str(call.arguments[0])]
                func.parameters = lender.parameters
