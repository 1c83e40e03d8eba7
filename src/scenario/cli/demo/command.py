"""The command `scenario demo`."""

import click


@click.command()
@click.option(
    "--model", metavar="NAME", help="Model to use, provider/model; by default the configured one, else rules."
)
@click.option("-q", "--quiet", is_flag=True, help="Leave the conversations out.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON, and nothing else.")
def demo(model: str | None, quiet: bool, as_json: bool) -> int:
    """Test a small shop assistant in five scenarios, and see what comes out.

    One of them fails on purpose. The exit code is 0 if each came out as expected.
    """
    # Loaded here, so that help and completion don't wait for it.
    from scenario.cli.demo.showing import show_demo

    return show_demo(model, quiet=quiet, as_json=as_json)
