"""The agents under test: a concierge who passes guests on, and two who know more about one thing."""

import re

_BUSINESS = {"kitchen": r"dinner|breakfast|menu|eat|vegan", "housekeeping": r"towel|pillow|clean"}


class Concierge:
    """Greets guests and says who will see to them."""

    async def answer(self, wish: str) -> str:
        for colleague, words in _BUSINESS.items():
            if re.search(words, wish, re.IGNORECASE):
                return f"One moment, please. @{colleague} will see to that."
        return "Good evening! What can I do for you?"


class Kitchen:
    """Knows what there is to eat."""

    async def answer(self, wish: str) -> str:
        if "vegan" in wish.lower():
            return "Tonight's vegan dish is a mushroom risotto."
        return "Dinner is served from 6 to 10, breakfast from 7 to 11."


class Housekeeping:
    """Brings things to rooms, and has to know which."""

    def __init__(self) -> None:
        self.errands: list[str] = []

    async def answer(self, wish: str) -> str:
        room = re.search(r"\broom (\d+)", wish, re.IGNORECASE)
        if room is None:
            return "Gladly. Which room are you in?"
        self.errands.append(room[1])
        return f"Somebody is on the way to room {room[1]}."
