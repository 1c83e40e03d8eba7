"""The agent is a service with an OpenAI-compatible API, tested over HTTP the way its clients call it."""

from typing import Any

import aiohttp
import pytest
from tea_service import TeaService, serving

import scenario
from scenario.errors import AgentError

KEY = "key-of-the-test"


class HttpAgent(scenario.AgentAdapter):
    """Calls a chat-completions API. For a service of yours, change the URL, the key and the model."""

    def __init__(self, base_url: str, key: str = KEY) -> None:
        self.base_url = base_url
        self.key = key

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        body = {
            "model": "tea-assistant",
            "user": input.thread_id,  # the same throughout a conversation, and never in another
            "messages": [{"role": message["role"], "content": message.get("content")} for message in input.messages],
        }
        # The second set of headers lets the service's traces be found from those of the scenario.
        headers = {"Authorization": f"Bearer {self.key}", **input.propagation_headers}
        async with (
            aiohttp.ClientSession(base_url=f"{self.base_url}/", raise_for_status=True) as session,
            session.post("chat/completions", json=body, headers=headers) as response,
        ):
            answer: dict[str, Any] = await response.json()
        usage = answer["usage"]
        input.report_usage(input_tokens=usage["prompt_tokens"], output_tokens=usage["completion_tokens"])
        return answer["choices"][0]["message"]


@pytest.mark.agent_test
async def test_a_customer_fills_a_basket() -> None:
    async with serving(TeaService(KEY)) as base_url:
        result = await scenario.run(
            name="two teas",
            description='A customer buys tea: "Hello!" "Assam, please." "And Rooibos." "What is in my basket?"',
            agents=[
                scenario.UserSimulatorAgent(model="offline/user"),
                HttpAgent(base_url),
                scenario.JudgeAgent(criteria=['The agent says "holds Assam and Rooibos"'], model="offline/judge"),
            ],
            max_turns=6,
        )

    assert result.success, result.reasoning
    assert result.usage.by_role["agent"].input_tokens == 4 * 40


@pytest.mark.agent_test
async def test_customers_at_the_same_time_have_baskets_of_their_own() -> None:
    service = TeaService(KEY)
    async with serving(service) as base_url:
        results = await scenario.run_many(
            [
                scenario.run(
                    name=f"a customer who wants {tea}",
                    description="A customer buys one tea.",
                    agents=[HttpAgent(base_url)],
                    script=[scenario.user(f"{tea}, please."), scenario.agent(), scenario.succeed()],
                )
                for tea in ("Assam", "Rooibos") * 5
            ]
        )

    assert all(result.success for result in results)
    assert sorted(service.baskets.values()) == [["Assam"]] * 5 + [["Rooibos"]] * 5


@pytest.mark.agent_test
async def test_a_service_that_refuses_the_key_ends_the_run_with_an_error() -> None:
    async with serving(TeaService("another key")) as base_url:
        with pytest.raises(AgentError, match="401"):
            await scenario.run(
                name="wrong key",
                description="The service does not know the key.",
                agents=[HttpAgent(base_url)],
                script=[scenario.user("Hello!"), scenario.agent()],
            )
