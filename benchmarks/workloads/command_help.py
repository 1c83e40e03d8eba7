"""Shows the help of the command line."""

import contextlib
import io
import json
import time


def main() -> None:
    began = time.perf_counter()
    from scenario.cli import main as command_line

    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        command_line(["--help"])
    print(json.dumps({"seconds": time.perf_counter() - began}))


main()
