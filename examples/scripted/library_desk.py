"""The agent under test: it answers questions at the desk of a library."""

import re


class LibraryDesk:
    """Renews loans, each of them twice at most."""

    def __init__(self) -> None:
        self.renewals: dict[str, int] = {}

    async def answer(self, question: str) -> str:
        card = re.search(r"\b[A-Z]{2}\d{3}\b", question)
        if "open" in question.lower():
            return "We are open from 9 to 18 o'clock, on Saturdays until 13 o'clock."
        if "renew" not in question.lower():
            return "Hello! I can tell you our opening hours and renew your loans."
        if card is None:
            return "Gladly. Which number is on your library card?"
        if self.renewals.get(card.group(), 0) >= 2:
            return f"I'm sorry, the loans of card {card.group()} were renewed twice already."
        self.renewals[card.group()] = self.renewals.get(card.group(), 0) + 1
        return f"The loans of card {card.group()} are renewed for three weeks."
