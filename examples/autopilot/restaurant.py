"""The agent under test: it takes bookings for a restaurant."""

import re

_OFFERS = {"vegan": "Our vegan menu is a lentil stew with flat bread.", "park": "You can park behind the house."}


class Restaurant:
    """Answers guests; it knows the menu, the car park and the table plan."""

    def __init__(self, free_tables: int = 1) -> None:
        self.free_tables = free_tables

    async def answer(self, question: str) -> str:
        for word, offer in _OFFERS.items():
            if word in question.lower():
                return offer
        guests = re.search(r"table for (\w+)", question)
        if guests is None:
            return "Welcome! Would you like to book a table?"
        if not self.free_tables:
            return "I'm sorry, we are fully booked tonight."
        self.free_tables -= 1
        return f"Your table for {guests[1]} is booked. See you tonight!"
