"""Settings out of a project's `pyproject.toml` and `.env`, and how they stand to the other layers."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import scenario
from scenario import ModelConfig, ScenarioConfig
from scenario.errors import ConfigurationError, MissingModelError, UnknownSettingError
from scenario.running.settings import SettingOrigin, resolve_settings, settings_with_origin
from scenario.settings import project_root

NO_ENVIRONMENT: dict[str, str] = {}

Write = Callable[[str, str], Path]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository that is the working directory."""
    before = dict(os.environ)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in os.environ.keys() - before.keys():
        del os.environ[name]


@pytest.fixture
def write(project: Path) -> Write:
    """Writes a file of the project."""

    def write(name: str, text: str) -> Path:
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), "utf-8")
        return file

    return write


def origin(setting: str) -> SettingOrigin:
    return next(each for each in settings_with_origin() if each.name == setting)


class TestPyproject:
    def test_its_table_gives_settings(self, write: Write) -> None:
        write(
            "pyproject.toml",
            """
            [tool.scenario]
            default_model = "openai/gpt-4.1-mini"
            max_turns = 4
            verbose = false
            agent_timeout = 30
            max_cost_usd = 0.5
            """,
        )

        config = resolve_settings({}, NO_ENVIRONMENT)

        assert (config.default_model, config.max_turns, config.verbose) == ("openai/gpt-4.1-mini", 4, False)
        assert (config.agent_timeout, config.max_cost_usd, config.max_seconds) == (30.0, 0.5, None)

    def test_every_other_layer_is_stronger(self, write: Write) -> None:
        write("pyproject.toml", "[tool.scenario]\nmax_turns = 4\n")

        assert resolve_settings({}, {"SCENARIO_MAX_TURNS": "5"}).max_turns == 5
        scenario.configure(max_turns=6)
        assert resolve_settings({}, {"SCENARIO_MAX_TURNS": "5"}).max_turns == 6
        assert resolve_settings({"max_turns": 7}, {"SCENARIO_MAX_TURNS": "5"}).max_turns == 7

    def test_a_model_can_be_a_table(self, write: Write) -> None:
        write(
            "pyproject.toml",
            """
            [tool.scenario]
            max_turns = 4
            [tool.scenario.default_model]
            model = "openai/gpt-4.1"
            temperature = 0.3
            timeout = 20
            """,
        )

        model = resolve_settings({}, NO_ENVIRONMENT).default_model

        assert isinstance(model, ModelConfig)
        assert (model.model, model.temperature, model.extra_params) == ("openai/gpt-4.1", 0.3, {"timeout": 20})

    def test_it_is_looked_for_upwards(self, write: Write, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write("pyproject.toml", "[tool.scenario]\nmax_turns = 4\n")
        write("services/shop/pyproject.toml", '[project]\nname = "shop"\n')
        monkeypatch.chdir(project / "services" / "shop")

        assert resolve_settings({}, NO_ENVIRONMENT).max_turns == 4
        assert project_root() == project / "services" / "shop"

    def test_the_nearest_table_counts(self, write: Write, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write("pyproject.toml", "[tool.scenario]\nmax_turns = 4\nmin_turns = 2\n")
        write("shop/pyproject.toml", "[tool.scenario]\nmax_turns = 5\n")
        monkeypatch.chdir(project / "shop")

        config = resolve_settings({}, NO_ENVIRONMENT)

        assert (config.max_turns, config.min_turns) == (5, None)

    def test_it_is_not_looked_for_outside_of_the_repository(
        self, write: Write, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("pyproject.toml", "[tool.scenario]\nmax_turns = 4\n")
        (project / "inner" / ".git").mkdir(parents=True)
        monkeypatch.chdir(project / "inner")

        assert resolve_settings({}, NO_ENVIRONMENT).max_turns == 10

    def test_a_change_of_the_file_counts_for_the_next_run(self, write: Write) -> None:
        write("pyproject.toml", "[tool.scenario]\nmax_turns = 4\n")
        assert resolve_settings({}, NO_ENVIRONMENT).max_turns == 4

        write("pyproject.toml", "[tool.scenario]\nmax_turns = 12\n")
        assert resolve_settings({}, NO_ENVIRONMENT).max_turns == 12

        Path("pyproject.toml").unlink()
        assert resolve_settings({}, NO_ENVIRONMENT).max_turns == 10

    def test_a_file_without_the_table_says_nothing_even_when_it_is_broken(self, write: Write) -> None:
        write("pyproject.toml", "[project\nname = agent-scenario")

        assert resolve_settings({}, NO_ENVIRONMENT).max_turns == 10

    def test_an_unknown_setting_names_the_nearest_and_its_place(self, write: Write) -> None:
        file = write("pyproject.toml", '[project]\nname = "shop"\n\n[tool.scenario]\nverbose = true\nmax_turn = 4\n')

        with pytest.raises(UnknownSettingError) as raised:
            resolve_settings({}, NO_ENVIRONMENT)

        assert str(raised.value) == (
            f"{file}, line 6: there is no setting 'max_turn'\n  Next: did you mean 'max_turns'?"
        )

    @pytest.mark.parametrize(
        ("text", "line", "what"),
        [
            ("[tool.scenario]\nmax_turns = 0\n", 2, "max_turns=0"),
            ('[tool.scenario]\n\n"max_turns" = "many"\n', 3, "max_turns='many'"),
            ("[tool.scenario]\nmax_turns = 4\nagent_timeout = inf\n", 3, "agent_timeout=inf"),
            ("[tool.scenario.default_model]\ntemperature = 1\n", 1, "default_model.model: field required"),
            (
                '[tool.scenario]\ndefault_model = { model = "a/b", temperature = "hot" }\n',
                2,
                "default_model.temperature",
            ),
            ("[tool.scenario]\nmax_turns 4\n", 2, "this is no TOML"),
            ("[tool.scenario]\nmax_turns = 4\n[tool.scenario]\n", 3, "this is no TOML"),
        ],
    )
    def test_what_cannot_be_is_named_with_its_place(self, write: Write, text: str, line: int, what: str) -> None:
        file = write("pyproject.toml", text)

        with pytest.raises(ConfigurationError) as raised:
            resolve_settings({}, NO_ENVIRONMENT)

        assert raised.value.what.startswith(f"{file}, line {line}: {what}")
        assert raised.value.fix

    def test_a_setting_that_is_no_table_is_refused(self, write: Write) -> None:
        file = write("pyproject.toml", "[tool]\nscenario = 3\n")

        with pytest.raises(ConfigurationError, match="is no table") as raised:
            resolve_settings({}, NO_ENVIRONMENT)

        assert str(file) in raised.value.what

    def test_a_file_that_is_not_utf8_is_named_with_the_line(self, project: Path) -> None:
        (project / "pyproject.toml").write_bytes(b'[tool.scenario]\ncache_key = "\xff"\n')

        with pytest.raises(ConfigurationError, match=r"pyproject\.toml, line 2: this is not UTF-8"):
            resolve_settings({}, NO_ENVIRONMENT)

    async def test_a_broken_file_stops_a_run_before_it_begins(self, write: Write) -> None:
        write("pyproject.toml", "[tool.scenario]\nmax_turns = \n")

        with pytest.raises(ConfigurationError, match="line 2"):
            await scenario.run("n", "d", [])


class TestDotenv:
    def test_it_gives_settings(self, write: Write) -> None:
        write(".env", "SCENARIO_MAX_TURNS=4\n")

        assert resolve_settings({}).max_turns == 4
        assert resolve_settings({}, {"SCENARIO_SEED": "1"}).max_turns == 4

    def test_what_it_holds_comes_into_the_environment_with_the_run(self, write: Write) -> None:
        write(".env", "OPENAI_API_KEY=sk-from-file\nSHOP_DATABASE='sqlite://'\n")

        scenario.run_sync("n", "d", [], script=[scenario.succeed()], verbose=False)

        assert (os.environ["OPENAI_API_KEY"], os.environ["SHOP_DATABASE"]) == ("sk-from-file", "sqlite://")

    def test_it_never_overrides_the_environment(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "")
        monkeypatch.setenv("SCENARIO_MAX_TURNS", "5")
        write(".env", "OPENAI_API_KEY=sk-from-file\nSCENARIO_MAX_TURNS=4\n")

        assert resolve_settings({}).max_turns == 5
        assert os.environ["OPENAI_API_KEY"] == ""
        assert resolve_settings({}, {"SCENARIO_MAX_TURNS": "6"}).max_turns == 6

    def test_it_is_stronger_than_pyproject_and_weaker_than_configure(self, write: Write) -> None:
        write("pyproject.toml", "[tool.scenario]\nmax_turns = 3\n")
        write(".env", "SCENARIO_MAX_TURNS=4\n")

        assert resolve_settings({}).max_turns == 4
        scenario.configure(max_turns=5)
        assert resolve_settings({}).max_turns == 5

    def test_a_change_of_the_file_changes_what_it_has_put_into_the_environment(self, write: Write) -> None:
        write(".env", "SHOP_A=1\nSHOP_B=1\nSHOP_C=1\n")
        resolve_settings({})
        os.environ["SHOP_C"] = "somebody else's"

        write(".env", "SHOP_A=22\nSHOP_C=22\nSHOP_D=${SHOP_A}\n")
        resolve_settings({})

        values = [os.environ.get(f"SHOP_{name}") for name in "ABCD"]
        assert values == ["22", None, "somebody else's", "22"]

    def test_what_is_taken_out_of_the_environment_stays_out(self, write: Write) -> None:
        write(".env", "SHOP_A=1\n")
        resolve_settings({})
        del os.environ["SHOP_A"]

        write("notes.txt", "the folder changes, and the file doesn't")
        resolve_settings({})

        assert "SHOP_A" not in os.environ

    def test_another_projects_variables_go_with_the_project(
        self, write: Write, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(".env", "SHOP_A=1\n")
        resolve_settings({})
        assert os.environ["SHOP_A"] == "1"

        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        resolve_settings({})

        assert "SHOP_A" not in os.environ

    def test_only_the_one_in_the_root_is_read(
        self, write: Write, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(".env", "SCENARIO_MAX_TURNS=4\n")
        write("inner/.env", "SCENARIO_MAX_TURNS=5\n")
        monkeypatch.chdir(project / "inner")

        assert resolve_settings({}).max_turns == 4

    def test_a_folder_of_that_name_is_none(self, project: Path) -> None:
        (project / ".env").mkdir()

        assert resolve_settings({}).max_turns == 10

    def test_a_broken_line_is_named(self, write: Write) -> None:
        file = write(".env", "A=1\nOPENAI_API_KEY sk-secret\n")

        with pytest.raises(ConfigurationError) as raised:
            resolve_settings({})

        assert raised.value.what.startswith(f"{file}, line 2: this is no line of a .env file: there is no =")
        assert "sk-secret" not in str(raised.value)

    def test_a_value_that_a_setting_cannot_have_is_named_with_its_place(self, write: Write) -> None:
        file = write(".env", "\nSCENARIO_MAX_TURNS=ten\n")

        with pytest.raises(ConfigurationError, match=r"SCENARIO_MAX_TURNS='ten' in .*, line 2") as raised:
            resolve_settings({})

        assert str(file) in raised.value.what

    def test_importing_the_package_reads_nothing(self, write: Write, project: Path) -> None:
        write(".env", "SHOP_A=1\nthis is broken\n")
        code = "import os, scenario; scenario.run; scenario.JudgeAgent; print(os.environ.get('SHOP_A'))"

        printed = subprocess.run(
            [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, timeout=30, check=True
        )

        assert printed.stdout == "None\n"


class TestDefaultModel:
    """Agents take it when they are made."""

    def test_pyproject_gives_it(self, write: Write) -> None:
        write("pyproject.toml", '[tool.scenario]\ndefault_model = "openai/gpt-4.1-mini"\n')

        assert scenario.UserSimulatorAgent().model == "openai/gpt-4.1-mini"
        assert scenario.JudgeAgent(criteria=["c"]).model == "openai/gpt-4.1-mini"

    def test_the_environment_gives_it(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SCENARIO_DEFAULT_MODEL", "openai/gpt-4.1")

        assert scenario.UserSimulatorAgent().model == "openai/gpt-4.1"
        assert scenario.JudgeAgent(criteria=["c"]).model == "openai/gpt-4.1"

    def test_dotenv_gives_it(self, write: Write) -> None:
        write(".env", "SCENARIO_DEFAULT_MODEL=openai/gpt-4.1\n")

        assert scenario.UserSimulatorAgent().model == "openai/gpt-4.1"

    def test_what_is_configured_is_stronger(self, write: Write) -> None:
        write("pyproject.toml", '[tool.scenario]\ndefault_model = "openai/gpt-4.1-mini"\n')
        scenario.configure(default_model="offline/user")

        assert scenario.UserSimulatorAgent().model == "offline/user"

    def test_an_agent_inherits_the_parameters_of_a_table(self, write: Write) -> None:
        write("pyproject.toml", '[tool.scenario.default_model]\nmodel = "openai/gpt-4.1"\ntemperature = 0.3\n')

        agent = scenario.UserSimulatorAgent()

        assert (agent.model, agent.temperature) == ("openai/gpt-4.1", 0.3)

    @pytest.mark.usefixtures("project")
    def test_without_any_there_is_none(self) -> None:
        with pytest.raises(MissingModelError):
            scenario.UserSimulatorAgent()


class TestOrigins:
    """Each setting, with the layer it comes from."""

    def test_every_setting_is_there_once(self, project: Path) -> None:
        names = [each.name for each in settings_with_origin()]

        assert sorted(names) == sorted(scenario.ScenarioConfig.model_fields)

    def test_each_tells_its_layer_and_place(self, write: Write, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write("pyproject.toml", "[tool.scenario]\nmax_turns = 4\nmin_turns = 2\nmax_seconds = 9\n")
        write(".env", "# limits\nSCENARIO_MIN_TURNS=3\n")
        monkeypatch.setenv("SCENARIO_VERBOSE", "0")
        scenario.configure(max_seconds=8)

        assert origin("max_turns") == SettingOrigin(
            name="max_turns", value=4, layer="pyproject.toml", where=f"{project / 'pyproject.toml'}, line 2"
        )
        assert origin("min_turns") == SettingOrigin(
            name="min_turns", value=3, layer=".env", where=f"SCENARIO_MIN_TURNS in {project / '.env'}, line 2"
        )
        assert origin("verbose") == SettingOrigin(
            name="verbose", value=False, layer="environment", where="SCENARIO_VERBOSE"
        )
        assert origin("max_seconds") == SettingOrigin(name="max_seconds", value=8, layer="configure()")
        assert origin("agent_timeout") == SettingOrigin(name="agent_timeout", value=600.0, layer="default")

    @pytest.mark.usefixtures("project")
    def test_secrets_are_masked(self) -> None:
        model = ModelConfig(
            model="a/b",
            api_key="sk-secret",
            headers={"Authorization": "Bearer sk-secret", "X-Team": "shop"},  # type: ignore[call-arg]  # further keywords
        )
        scenario.default_config = ScenarioConfig(
            default_model=model, observability={"exporter": {"token": "sk-secret", "url": "u"}}
        )

        shown = repr(settings_with_origin())

        assert "sk-secret" not in shown
        assert "shop" in shown
        assert "'url': 'u'" in shown
        assert model.api_key == "sk-secret"

    @pytest.mark.usefixtures("project")
    def test_secrets_in_urls_are_masked(self) -> None:
        scenario.configure(default_model=ModelConfig(model="a/b", api_base="https://user:pw123@host/v1?key=abc&v=2"))

        shown = repr(settings_with_origin())

        assert "https://***@host/v1?key=***&v=***" in shown

    def test_a_misspelt_variable_of_dotenv_names_the_nearest_and_its_place(self, project: Path) -> None:
        (project / ".env").write_text("SCENARIO_MAX_TURN=4\n")

        with pytest.raises(
            UnknownSettingError, match=r"(?s)SCENARIO_MAX_TURN in .*\.env.*did you mean SCENARIO_MAX_TURNS"
        ):
            resolve_settings({})


@pytest.mark.usefixtures("project")
def test_a_removed_working_directory_is_no_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    assert resolve_settings({}).max_turns == 10
    monkeypatch.chdir(project)


def test_files_that_have_not_changed_cost_next_to_nothing(write: Write) -> None:
    write("pyproject.toml", "[tool.scenario]\nmax_turns = 4\n")
    write(".env", "SHOP_A=1\n")
    resolve_settings({})

    def seconds_of(runs: int) -> float:
        began = time.perf_counter()
        for _ in range(runs):
            resolve_settings({})
        return (time.perf_counter() - began) / runs

    # Ten times what it takes: the machine may be busy with something else.
    assert min(seconds_of(20) for _ in range(10)) < 0.0005
