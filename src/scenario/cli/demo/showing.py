"""One showing of the demo: its scenarios are run, and what comes out is told."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scenario.cli.demo.models import DemoModels, demo_models
from scenario.cli.demo.outcomes import DemoOutcome, Ending, outcome_table
from scenario.cli.demo.scenarios import Cast, DemoScenario, demo_scenarios
from scenario.cli.printed import print_json
from scenario.events.screen_lines import Line, Piece, line
from scenario.events.terminal import Terminal

_FOLDER = Path(__file__).parent


def show_demo(model: str | None, *, quiet: bool, as_json: bool) -> int:
    """Run the scenarios, show what comes out, and return the exit code.

    Args:
        model: Name of a model; without one the configured default is used, else rules.
        quiet: Whether to leave the conversations out.
        as_json: Whether to print the results as JSON and nothing else.
    """
    terminal = Terminal()
    with demo_models(model) as models, tempfile.TemporaryDirectory(prefix="scenario-demo-") as folder:
        scenarios = demo_scenarios(_cast(models, Path(folder)))
        if as_json:
            outcomes = asyncio.run(_play_quietly(scenarios))
            print_json(_as_json(models, outcomes))
        else:
            terminal.write(_introduction(models, len(scenarios)))
            outcomes = asyncio.run(_play(scenarios, terminal, verbose=not quiet))
            terminal.write([*outcome_table(outcomes), line(), *_further(models)])
    return 0 if all(outcome.is_as_expected for outcome in outcomes) and not terminal.is_lost else 1


async def _play(scenarios: Sequence[DemoScenario], terminal: Terminal, *, verbose: bool) -> list[DemoOutcome]:
    """Run the scenarios one after the other, each under a heading."""
    outcomes: list[DemoOutcome] = []
    for number, each in enumerate(scenarios, 1):
        heading = line(Piece(f"{number}/{len(scenarios)} {each.name}", "scenario"), f": {each.shows}")
        terminal.write([line(), heading] if verbose else [heading])
        outcomes.append(await _outcome(each, verbose=verbose))
    return outcomes


async def _play_quietly(scenarios: Sequence[DemoScenario]) -> list[DemoOutcome]:
    """Run the scenarios all at once."""
    return await asyncio.gather(*(_outcome(each, verbose=False) for each in scenarios))


async def _outcome(each: DemoScenario, *, verbose: bool) -> DemoOutcome:
    ending = Ending()
    try:
        await each.run(verbose=verbose, listener=ending)
    except Exception as error:
        # A check that failed and a model that cannot be reached are results of the demo; the table shows them.
        return DemoOutcome(scenario=each, finished=ending.finished, error=f"{type(error).__name__}: {error}")
    return DemoOutcome(scenario=each, finished=ending.finished)


def _cast(models: DemoModels, folder: Path) -> Cast:
    return Cast(
        folder=folder,
        assistant_model=models.assistant,
        user_model=models.user,
        judge_model=models.judge,
    )


def _introduction(models: DemoModels, count: int) -> list[Line]:
    return [
        line(f"A shop assistant with three tools and a database is tested in {count} scenarios."),
        *(line(Piece(sentence, "quiet")) for sentence in models.explanation),
    ]


def _further(models: DemoModels) -> list[Line]:
    rows = [
        ("The agent", str(_FOLDER / "shop_assistant.py")),
        ("The scenarios", str(_FOLDER / "scenarios.py")),
        ("As JSON", "scenario demo --json"),
    ]
    if models.is_offline:
        rows.append(("With a real model", "scenario demo --model openai/gpt-5.4-mini"))
    return [line("Where to look next"), *(line(f"  {name:<18} {place}") for name, place in rows)]


def _as_json(models: DemoModels, outcomes: Sequence[DemoOutcome]) -> dict[str, object]:
    return {
        "model": models.name,
        "offline": models.is_offline,
        "as_expected": all(outcome.is_as_expected for outcome in outcomes),
        "scenarios": [outcome.as_json() for outcome in outcomes],
    }
