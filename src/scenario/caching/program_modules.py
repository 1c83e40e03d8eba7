"""Which modules are the program's own, and neither Python's nor those of an installed package."""

import sys
from pathlib import PurePath
from types import ModuleType
from weakref import WeakKeyDictionary

_INSTALLED = frozenset({"site-packages", "dist-packages"})
_OURS = "scenario"

_known: "WeakKeyDictionary[ModuleType, bool]" = WeakKeyDictionary()


def is_of_the_program(module: ModuleType) -> bool:
    """Tell whether somebody edits a module as part of the program, rather than to install it."""
    known = _known.get(module)
    if known is None:
        known = _known[module] = _look_at(module)
    return known


def _look_at(module: ModuleType) -> bool:
    package = module.__name__.partition(".")[0]
    if package == _OURS or package in sys.stdlib_module_names:
        return False
    file = getattr(module, "__file__", None)
    return not (isinstance(file, str) and _INSTALLED.intersection(PurePath(file).parts))
