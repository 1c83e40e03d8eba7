"""Imports the package, and touches some of its names."""

import json
import os
import sys
import time


def resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    names = json.loads(sys.argv[1])["touch"]
    before = len(sys.modules)
    began = time.perf_counter()
    import scenario

    for name in names:
        getattr(scenario, name)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "modules": len(sys.modules) - before, "rss_mb": resident_mb()}))


main()
