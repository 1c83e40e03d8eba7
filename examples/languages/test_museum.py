"""The same scenario in five languages: descriptions, criteria and conversations may be in any of them.

A simulated user speaks the language of its description. Criteria may be in any language too, unless the offline judge
reads them, who follows rules.
"""

from dataclasses import dataclass

import pytest
from museum import Museum

import scenario


class MuseumAgent(scenario.AgentAdapter):
    """Connects the agent to scenarios."""

    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return await Museum().answer(input.last_new_user_message_str())


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A visitor who asks two things in one language, and what the answers have to contain."""

    language: str
    description: str
    answers: tuple[str, str]


VISITS = [
    Visit(
        language="English",
        description='A visitor asks two things: "When are you open?" and "What is a ticket?"',
        answers=("10 to 18", "12 euros"),
    ),
    Visit(
        language="Deutsch",
        description="Ein Besucher fragt zweierlei: „Wann haben Sie geöffnet?“ und „Was kostet eine Karte?“",
        answers=("10 bis 18 Uhr", "12 Euro"),
    ),
    Visit(
        language="Français",
        description="Un visiteur demande deux choses : « Quand êtes-vous ouverts ? » et « Combien coûte le billet ? »",
        answers=("10 h à 18 h", "12 euros"),
    ),
    Visit(
        language="日本語",
        description="来館者が二つ質問します。「いつ開いていますか」、それから「チケットはいくらですか」。",
        answers=("10時から18時まで", "ユーロです"),
    ),
    Visit(
        language="العربية",
        description='يسأل زائر سؤالين: "متى تفتحون؟" ثم "كم سعر التذكرة؟"',
        answers=("الساعة 10", "12 يورو"),
    ),
]


@pytest.mark.agent_test
@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: visit.language)
async def test_a_visitor_is_answered_in_their_language(visit: Visit) -> None:
    hours, price = visit.answers

    result = await scenario.run(
        name=f"museum ({visit.language})",
        description=visit.description,
        agents=[
            scenario.UserSimulatorAgent(model="offline/user"),
            MuseumAgent(),
            scenario.JudgeAgent(
                criteria=[f'The agent says "{hours}"', f'The agent says "{price}"'], model="offline/judge"
            ),
        ],
        max_turns=4,
    )

    assert result.success, result.reasoning
    assert len(result.messages) == 4  # two questions, two answers, and not a word too many
