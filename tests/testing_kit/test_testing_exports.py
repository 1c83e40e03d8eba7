"""What `scenario.testing` offers, and what it costs to import it."""

import subprocess
import sys

import pytest

import scenario.testing
from scenario.errors import ModelRequestsForbiddenError
from scenario.llm.permission import check_permission
from scenario.testing import allow_model_requests, forbid_model_requests


@pytest.mark.parametrize("name", scenario.testing.__all__)
def test_each_name_can_be_had(name: str) -> None:
    assert getattr(scenario.testing, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = scenario.testing.nothing  # type: ignore[attr-defined]


def test_names_do_not_hide_modules() -> None:
    code = (
        "import pkgutil, importlib, scenario.testing as kit\n"
        "for module in pkgutil.iter_modules(kit.__path__): importlib.import_module(f'scenario.testing.{module.name}')\n"
        "assert callable(kit.LocalModelServer) and callable(kit.on_simulated_time) and kit.faults.reset()\n"
        "assert not any(type(getattr(kit, name)).__name__ == 'module' for name in kit.__all__ if name != 'faults')\n"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_brings_in_no_other_package() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "from scenario.testing import LocalModelServer, ScriptedModel, run_simulated, verdict, faults\n"
        "import scenario.testing.local_model_server\n"
        "loaded = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(loaded - sys.stdlib_module_names - {'scenario'}))\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "[]"


def test_requests_to_other_machines_can_be_forbidden() -> None:
    with forbid_model_requests():
        with pytest.raises(ModelRequestsForbiddenError, match="openai/gpt-4o would have been called"):
            check_permission("openai/gpt-4o", "api.openai.com")
        check_permission("openai/gpt-4o", "127.0.0.1")
        with allow_model_requests(True):
            check_permission("openai/gpt-4o", "api.openai.com")
        with pytest.raises(ModelRequestsForbiddenError):
            check_permission("openai/gpt-4o", "api.openai.com")
