"""The agent under test: it books a journey in three stages."""


class TravelDesk:
    """Asks for the destination, then for the class, and then sums up."""

    def __init__(self) -> None:
        self.destination = ""
        self.travel_class = ""

    async def answer(self, text: str) -> str:
        if text.startswith("To "):
            self.destination = text.removeprefix("To ").rstrip(".!")
            return f"{self.destination}, how nice. First or second class?"
        if "class" in text.lower():
            self.travel_class = "first" if "first" in text.lower() else "second"
            return f"Noted: {self.destination}, {self.travel_class} class. Shall I book it?"
        if text.lower().startswith("yes"):
            return f"Booked: {self.destination}, {self.travel_class} class. Have a good journey!"
        return "Hello! Where would you like to go?"
