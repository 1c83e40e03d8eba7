"""Names of a package that are loaded on first use (PEP 562)."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package.

    Args:
        package: Name of the package, its `__name__`.
        homes: The module that each exported name is in; a name with its own module as home is that module.
    """
    namespace = vars(sys.modules[package])

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(homes[name])
        value = namespace[name] = module if homes[name] == f"{package}.{name}" else getattr(module, name)
        return value

    def names() -> list[str]:
        return sorted({*namespace, *homes})

    return load, names
