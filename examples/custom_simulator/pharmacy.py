"""The agent under test: it takes orders of medicines, and asks back until it knows enough."""

import re

_ON_PRESCRIPTION = {"amoxicillin"}
_FREE = {"ibuprofen", "paracetamol"}


class Pharmacy:
    """Wants to know the medicine, how many packs, and, where it takes one, the number of the prescription."""

    def __init__(self) -> None:
        self.medicine = ""
        self.packs = 0
        self.prescription = ""

    async def answer(self, text: str) -> str:
        words = text.lower()
        named = next((each for each in sorted(_ON_PRESCRIPTION | _FREE) if each in words), "")
        self.medicine = named or self.medicine
        if prescription := re.search(r"\brx-\d+\b", words):
            self.prescription = prescription.group().upper()
        elif packs := re.search(r"\b\d+\b", words):
            self.packs = int(packs.group())
        if not self.medicine:
            return "Which medicine do you need?"
        if not self.packs:
            return "How many packs?"
        if self.medicine in _ON_PRESCRIPTION and not self.prescription:
            return "That takes a prescription. What is its number?"
        return f"Ordered: {self.packs} x {self.medicine}. It will be there tomorrow."
