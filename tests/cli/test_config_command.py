"""`scenario config`: each setting, and where it comes from."""

import json

import pytest

from scenario.cli import main
from scenario.config import ModelConfig, ScenarioConfig


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_MAX_TURNS", "3")
    ScenarioConfig.configure(
        verbose=False, default_model=ModelConfig(model="openai/gpt-4.1-mini", api_key="sk-nobody-sees-this")
    )


@pytest.mark.usefixtures("settings")
def test_each_setting_has_a_row_with_value_layer_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0

    head, *rows = capsys.readouterr().out.splitlines()
    cells = {row.split()[0]: row.split()[1:] for row in rows}
    assert head.split() == ["setting", "value", "from", "where"]
    assert set(cells) == set(ScenarioConfig.model_fields)
    assert cells["max_turns"] == ["3", "environment", "SCENARIO_MAX_TURNS"]
    assert cells["verbose"] == ["false", "configure()"]
    assert cells["agent_timeout"] == ["600.0", "default"]
    assert cells["seed"] == ["default"]


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_secrets_are_not_shown(capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    main(["config", *options])

    shown = capsys.readouterr().out
    assert "openai/gpt-4.1-mini" in shown
    assert "***" in shown
    assert "sk-nobody" not in shown


@pytest.mark.usefixtures("settings")
def test_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--json"]) == 0

    told = {each["setting"]: each for each in json.loads(capsys.readouterr().out)}
    assert told["max_turns"] == {
        "setting": "max_turns",
        "value": 3,
        "layer": "environment",
        "where": "SCENARIO_MAX_TURNS",
    }
    assert told["default_model"]["value"]["model"] == "openai/gpt-4.1-mini"
    assert told["seed"]["value"] is None


def test_a_model_of_ones_own_is_shown_by_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    async def shout(messages: object, tools: object) -> str:
        return "HELLO"

    ScenarioConfig.configure(default_model=shout)

    assert main(["config", "--json"]) == 0
    assert "shout" in capsys.readouterr().out


def test_a_wrong_setting_is_told_with_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENARIO_MAX_TURNS", "none")

    assert main(["config"]) == 2

    said = capsys.readouterr()
    assert not said.out
    assert "SCENARIO_MAX_TURNS" in said.err
