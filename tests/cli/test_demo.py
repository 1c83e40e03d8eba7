"""The demo: what it shows, which model it uses, and when it fails."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from scenario.cli import main
from scenario.cli.demo.models import DemoRules
from scenario.config import ModelConfig, ScenarioConfig
from scenario.testing import LocalModelServer

_NAMES = [
    "where is my order",
    "a kettle goes back",
    "too late to return",
    "a customer looks around",
    "asking for a person",
]


@pytest.fixture
def model_server() -> Iterator[LocalModelServer]:
    with LocalModelServer(DemoRules()) as server:
        yield server


def test_each_scenario_comes_out_as_expected(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0

    shown = capsys.readouterr().out
    assert [name for name in _NAMES if f"{name}: " in shown] == _NAMES
    assert "\n✓ asking for a person      failed   failed " in shown
    assert "5 of 5 came out as expected." in shown
    assert "Where to look next" in shown


def test_the_conversations_are_shown_under_their_headings(capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo"])

    shown = capsys.readouterr().out
    first, _, rest = shown.partition("2/5 a kettle goes back")
    assert "User: Hi, where is my order 1001" in first
    assert "ToolCall(find_order):" in first
    assert "✓ PASSED where is my order" in first
    assert "ToolCall(book_return):" in rest
    assert "✗ FAILED asking for a person" in rest


def test_without_a_model_it_says_that_rules_stand_in(capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo", "--quiet"])

    shown = capsys.readouterr().out
    assert "No model is configured: rules stand in for one" in shown
    assert "http://127.0.0.1:" in shown
    assert "User:" not in shown


def test_a_key_that_lies_in_the_environment_is_not_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model_server: LocalModelServer
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-somebody-pays-for-it")
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.url)

    assert main(["demo", "--quiet"]) == 0

    shown = capsys.readouterr().out
    assert "OPENAI_API_KEY is set, but is not used unless you name a model" in shown
    assert "sk-somebody" not in shown
    assert not model_server.calls


def test_a_model_that_is_named_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model_server: LocalModelServer
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none-needed")
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.url)

    assert main(["demo", "--quiet", "--model", "openai/some-model"]) == 0

    assert "Model: openai/some-model, named with --model." in capsys.readouterr().out
    assert {request["model"] for request in model_server.requests} == {"some-model"}


def test_the_configured_model_is_used(capsys: pytest.CaptureFixture[str], model_server: LocalModelServer) -> None:
    ScenarioConfig.configure(
        default_model=ModelConfig(model="openai/mine", api_base=model_server.url, api_key="none-needed")
    )

    assert main(["demo", "--quiet"]) == 0

    assert "Model: openai/mine, the default model you configured." in capsys.readouterr().out
    assert model_server.calls > 10


def test_the_model_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model_server: LocalModelServer
) -> None:
    monkeypatch.setenv("SCENARIO_DEFAULT_MODEL", "openai/from-the-environment")
    monkeypatch.setenv("OPENAI_API_KEY", "none-needed")
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.url)

    assert main(["demo", "--quiet"]) == 0

    assert "Model: openai/from-the-environment" in capsys.readouterr().out
    assert model_server.calls > 10


def test_json_is_all_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--json"]) == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed["offline"]
    assert printed["as_expected"]
    assert [each["name"] for each in printed["scenarios"]] == _NAMES
    assert [each["outcome"] for each in printed["scenarios"]] == ["passed"] * 4 + ["failed"]
    assert printed["scenarios"][4]["criteria"][0]["status"] == "failed"
    assert all(each["model_calls"] >= 2 for each in printed["scenarios"])


def test_an_agent_that_does_its_job_badly_fails_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    with LocalModelServer("I would rather not say.") as server:
        ScenarioConfig.configure(default_model=ModelConfig(model="openai/dull", api_base=server.url, api_key="x"))

        assert main(["demo", "--quiet"]) == 1

    shown = capsys.readouterr().out
    assert "✗ where is my order        failed   passed" in shown
    assert "Reason: AssertionError: the assistant answered without looking the order up" in shown
    assert "came out as expected" in shown


def test_a_model_that_refuses_the_key_is_told_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with LocalModelServer(DemoRules(), api_key="the right one") as server:
        ScenarioConfig.configure(default_model=ModelConfig(model="openai/locked", api_base=server.url, api_key="wrong"))

        assert main(["demo", "--quiet"]) == 1

    shown = capsys.readouterr().out
    assert "✗ where is my order        error    passed" in shown
    assert "0 of 5 came out as expected." in shown


def test_a_provider_nobody_knows_is_a_wrong_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--model", "opanai/gpt"]) == 2

    assert "openai" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="interrupts are sent differently")
def test_an_interrupt_ends_it_with_its_own_code() -> None:
    with LocalModelServer("never", latency=60) as server:
        demo = subprocess.Popen(
            [sys.executable, "-m", "scenario", "demo", "--quiet", "--model", "openai/slow"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENAI_API_KEY": "none-needed", "OPENAI_BASE_URL": server.url},
        )
        server.wait_for_calls(1, timeout=20)
        demo.send_signal(signal.SIGINT)
        _, said = demo.communicate(timeout=20)

    assert demo.returncode == 130
    assert said.strip() == "interrupted"


@pytest.mark.slow
def test_it_takes_less_than_five_seconds_from_a_fresh_start() -> None:
    began = time.perf_counter()
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-m", "scenario", "demo"],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert not finished.stderr
    assert time.perf_counter() - began < 5
