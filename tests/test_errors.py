"""The one tree of errors."""

import inspect
import pickle

import pytest

from scenario import errors

TREE = [error for _, error in inspect.getmembers(errors, inspect.isclass) if issubclass(error, errors.ScenarioError)]


@pytest.mark.parametrize("error", TREE)
def test_an_error_says_what_happened_and_what_to_do_next(error: type[errors.ScenarioError]) -> None:
    assert str(error("the line went dead", "call again")) == "the line went dead\n  Next: call again"


@pytest.mark.parametrize("error", TREE)
def test_an_error_crosses_process_borders_whole(error: type[errors.ScenarioError]) -> None:
    original = error("what", "fix")

    copy = pickle.loads(pickle.dumps(original))

    assert type(copy) is error
    assert (copy.what, copy.fix, str(copy)) == ("what", "fix", str(original))


def test_a_models_error_keeps_its_facts() -> None:
    copy = pickle.loads(pickle.dumps(errors.RateLimitError("busy", "wait", "openai/gpt-4.1", 429)))

    assert (copy.model, copy.status) == ("openai/gpt-4.1", 429)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.ConfigurationError, ValueError),
        (errors.UnknownSettingError, TypeError),
        (errors.MissingExtraError, ImportError),
        (errors.AgentError, RuntimeError),
        (errors.AgentTimeoutError, TimeoutError),
        (errors.ModelTimeoutError, TimeoutError),
        (errors.ModelConnectionError, ConnectionError),
    ],
)
def test_an_error_is_also_the_builtin_that_callers_expect(
    error: type[errors.ScenarioError], expected: type[Exception]
) -> None:
    assert issubclass(error, expected)


@pytest.mark.parametrize("error", TREE)
def test_the_tree_drawn_at_the_top_of_the_module_is_true(error: type[errors.ScenarioError]) -> None:
    assert errors.__doc__ is not None
    assert error.__name__ in errors.__doc__
