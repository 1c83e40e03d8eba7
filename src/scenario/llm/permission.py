"""Whether real models may be called. Test suites switch it off."""

import ipaddress
import os
from functools import lru_cache
from types import TracebackType

from scenario.errors import ModelRequestsForbiddenError

_VARIABLE = "SCENARIO_ALLOW_MODEL_REQUESTS"
_NO = frozenset({"0", "false", "no", "off"})


class _Permission:
    allowed: bool | None = None  # None: as the environment says


class PermissionChange:
    """A change of the permission that has been made; as a context manager it is undone at the end."""

    def __init__(self, allowed: bool) -> None:
        self._before = _Permission.allowed
        _Permission.allowed = allowed

    def __enter__(self) -> "PermissionChange":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _Permission.allowed = self._before


def allow_model_requests(allowed: bool) -> PermissionChange:
    """Allow or forbid requests to models that are not on this machine, in the whole process, from now on.

    Offline models, functions and servers on this machine stay allowed. The environment variable
    `SCENARIO_ALLOW_MODEL_REQUESTS=0` forbids them until this function says otherwise.

    Args:
        allowed: Whether such requests may be sent.

    Returns:
        A context manager that brings back the former state when its block ends; it need not be used.
    """
    return PermissionChange(allowed)


def model_requests_allowed() -> bool:
    """Tell whether requests to models that are not on this machine may be sent."""
    if _Permission.allowed is not None:
        return _Permission.allowed
    return os.environ.get(_VARIABLE, "").strip().lower() not in _NO


def check_permission(model: str, host: str) -> None:
    """Refuse a request to another machine while such requests are forbidden.

    Args:
        model: Name of the model, for the message.
        host: Name or address that the request would go to.

    Raises:
        ModelRequestsForbiddenError: If the host is not this machine and requests are forbidden.
    """
    if model_requests_allowed() or is_loopback(host):
        return
    raise ModelRequestsForbiddenError(
        f"{model} would have been called at {host}, but real model requests are forbidden here",
        "use an `offline/` model, a function or a LocalModelServer in this test, "
        f"or allow them with `scenario.testing.allow_model_requests(True)` or {_VARIABLE}=1",
    )


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
