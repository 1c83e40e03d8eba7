"""The package's own promises: names, what an import loads, one door."""

import importlib
import subprocess
import sys

import pytest

import scenario.llm


@pytest.mark.parametrize("name", scenario.llm.__all__)
def test_each_promised_name_is_there(name: str) -> None:
    assert getattr(scenario.llm, name) is not None


def test_dir_names_them_all() -> None:
    assert set(scenario.llm.__all__) <= set(dir(scenario.llm))


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = scenario.llm.no_such_name  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType] - which is the point


@pytest.mark.parametrize(
    "imports",
    [
        "import scenario.llm.chat_model",
        "from scenario.llm.chat_model import Tool",
        "from scenario.llm import chat_model",
        "import scenario.llm.routing",
    ],
)
def test_the_function_is_never_hidden_by_the_module_of_its_name(imports: str) -> None:
    code = f"{imports}\nimport scenario.llm\nassert scenario.llm.chat_model('offline/user').name == 'offline/user'"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


def test_importing_the_package_loads_neither_pydantic_nor_an_http_client() -> None:
    code = "import sys, scenario.llm; print([n for n in ('aiohttp', 'pydantic', 'asyncio', 'ssl') if n in sys.modules])"

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True).stdout

    assert shown == "[]\n"


def test_importing_every_module_hides_nothing() -> None:
    for module in ("asking", "exchange", "http_client", "litellm_model", "model_choice", "traffic"):
        importlib.import_module(f"scenario.llm.{module}")

    for name in scenario.llm.__all__:
        assert not isinstance(getattr(scenario.llm, name), type(sys))
