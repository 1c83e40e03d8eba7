"""What the judge's model is told."""

from courtroom import (
    demanded,
    judge_input,
    judge_of,
    prompt,
    section,
)

from scenario.testing import continue_test, verdict

POLITE, NUMBER = "The agent is polite", "The agent asks for the number"


async def test_the_verdict_prompt_says_what_is_judged_and_by_what():
    judge, model = judge_of(POLITE, NUMBER, answers=[verdict.all_passed()])

    await judge.call(demanded())

    (system_role, system), (user_role, user) = prompt(model.requests[0])
    assert (system_role, user_role) == ("system", "user")
    assert section(system, "role")
    assert "finish_test" in section(system, "goal")
    assert section(system, "scenario") == "A customer wants a refund."
    assert section(system, "criteria") == f"1. {POLITE}\n2. {NUMBER}"
    assert "inconclusive" in section(system, "rules")
    assert section(user, "transcript") == (
        'user: "I want my money back"\nassistant: "Of course. What is your order number?"'
    )
    assert "<additional_context>" not in user


async def test_the_decision_prompt_names_scenario_and_criteria_and_no_verdict():
    judge, model = judge_of(POLITE, answers=[continue_test()])

    await judge.call(judge_input())

    (_, system), (_, user) = prompt(model.requests[0])
    assert section(system, "scenario") == "A customer wants a refund."
    assert section(system, "criteria") == f"1. {POLITE}"
    assert "continue_test" in section(system, "rules")
    assert "finish_test" not in system
    assert section(user, "transcript").count("\n") == 1


async def test_additional_context_is_shown_in_the_verdict_phase():
    judge, model = judge_of(POLITE, answers=[verdict.all_passed()])

    await judge.call(demanded(additional_context=" The ledger says 42 EUR. "))

    assert section(prompt(model.requests[0])[1][1], "additional_context") == "The ledger says 42 EUR."


async def test_a_prompt_of_ones_own_keeps_scenario_criteria_and_rules_in_both_phases():
    judge, model = judge_of(POLITE, answers=[verdict.all_passed()], system_prompt="You are a stern auditor.")

    await judge.call(judge_input())

    decision, final = (prompt(request)[0][1] for request in model.requests)
    for system in (decision, final):
        assert system.startswith("You are a stern auditor.\n\n")
        assert section(system, "scenario") == "A customer wants a refund."
        assert section(system, "criteria") == f"1. {POLITE}"
        assert "<role>" not in system
    assert "continue_test" in section(decision, "rules")
    assert "finish_test" in section(final, "rules")


async def test_a_criterion_of_several_lines_stays_one_entry_of_the_list():
    judge, model = judge_of("First line\n2. second line", answers=[verdict.all_passed()])

    await judge.call(demanded())

    assert section(prompt(model.requests[0])[0][1], "criteria") == "1. First line\n   2. second line"


async def test_the_judge_sees_the_conversation_and_nothing_else_of_a_message():
    messages = [{"role": "user", "content": "hi", "trace_id": "0" * 32, "secret": "sk-1", "name": "Eve"}]
    judge, model = judge_of(POLITE, answers=[continue_test()])

    await judge.call(judge_input(messages))

    assert section(prompt(model.requests[0])[1][1], "transcript") == 'user: "hi"'


async def test_media_reach_the_judge_as_a_few_words():
    content = [{"type": "input_audio", "input_audio": {"data": "A" * 9_000, "format": "wav"}}]
    judge, model = judge_of(POLITE, answers=[continue_test()])

    await judge.call(judge_input([{"role": "user", "content": content}]))

    shown = section(prompt(model.requests[0])[1][1], "transcript")
    assert "[AUDIO: wav, ~9000 bytes]" in shown
    assert "AAAA" not in shown


async def test_finish_test_asks_for_requirement_reasoning_evidence_and_status_of_each_criterion():
    judge, model = judge_of(POLITE, answers=[verdict.all_passed()])

    await judge.call(demanded())

    (tool,) = model.requests[0].tools
    criteria = tool.parameters["properties"]["criteria"]
    entry = criteria["properties"]["the_agent_is_polite"]
    assert tool.strict
    assert tool.parameters["required"] == ["criteria", "reasoning"]
    assert list(entry["properties"]) == entry["required"] == ["requirement", "reasoning", "evidence", "status"]
    assert entry["properties"]["status"]["enum"] == ["passed", "failed", "inconclusive"]
    assert entry["properties"]["evidence"]["items"] == {"type": "string"}
    assert entry["description"] == f"Criterion 1: {POLITE}"
    assert not any(schema["additionalProperties"] for schema in (tool.parameters, criteria, entry))
