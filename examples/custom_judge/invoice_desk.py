"""The agent under test: it writes invoices. Given a rebate, it gets the total wrong."""

import re

_PRICES = {"pen": 2.50, "notebook": 4.00, "stapler": 11.20}


class InvoiceDesk:
    """Answers orders such as `3 pens and 1 stapler` with an invoice."""

    async def answer(self, order: str) -> str:
        items = [(int(count), thing) for count, thing in re.findall(r"(\d+) (pen|notebook|stapler)s?", order)]
        if not items:
            return "What would you like to order? We have pens, notebooks and staplers."
        lines = [f"{count} x {thing}: {count * _PRICES[thing]:.2f}" for count, thing in items]
        total = sum(count * _PRICES[thing] for count, thing in items)
        if "rebate" in order:
            lines.append("rebate: -1.00")
        return "\n".join([*lines, f"total: {total:.2f}"])
