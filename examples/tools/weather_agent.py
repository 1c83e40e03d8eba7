"""The agent under test: it answers questions about the weather with the help of a tool.

A real one would leave it to a chat model when to call the tool; rules stand in for the model here.
"""

import json
import re
from typing import Any

FORECASTS = {"oslo": {"degrees": -3, "sky": "snow"}, "lisbon": {"degrees": 19, "sky": "sun"}}


def get_weather(city: str) -> dict[str, Any]:
    """The tool."""
    return FORECASTS.get(city.lower(), {"error": f"no forecast for {city}"})


class WeatherAgent:
    """Answers with everything it did: the tool call, the tool's result, and its words."""

    def __init__(self) -> None:
        self.calls = 0

    async def answer(self, question: str) -> list[dict[str, Any]]:
        city = re.search(r"\bin ([A-Z]\w+)", question)
        if city is None:
            return [{"role": "assistant", "content": "Which city do you mean?"}]
        self.calls += 1
        result = get_weather(city[1])
        function = {"name": "get_weather", "arguments": json.dumps({"city": city[1]})}
        call = {"id": f"call_{self.calls}", "type": "function", "function": function}
        return [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)},
            {"role": "assistant", "content": _in_words(city[1], result)},
        ]


def _in_words(city: str, forecast: dict[str, Any]) -> str:
    if "error" in forecast:
        return f"I'm sorry, I have no forecast for {city}."
    return f"In {city} there will be {forecast['sky']} at {forecast['degrees']} degrees."
