"""The command `scenario completion`."""

import click

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_SCENARIO_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> int:
    r"""Print what makes a shell complete the commands and options of `scenario`.

    \b
    bash: eval "$(scenario completion bash)"      in ~/.bashrc
    zsh:  eval "$(scenario completion zsh)"       in ~/.zshrc
    fish: scenario completion fish | source       in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"this version of click cannot complete {shell}")
    program = click.get_current_context().find_root()
    click.echo(kind(program.command, {}, program.info_name or "scenario", _VARIABLE).source())
    return 0
