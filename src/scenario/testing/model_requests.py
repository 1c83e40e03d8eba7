"""The switch that forbids requests to real models."""

from scenario.llm.permission import PermissionChange, allow_model_requests


def forbid_model_requests() -> PermissionChange:
    """Forbid requests to models that are not on this machine, in the whole process, from now on.

    They raise a `ModelRequestsForbiddenError` that names the model. Offline models, functions and servers on this
    machine stay allowed.

    Returns:
        A context manager that brings back the former state when its block ends; it need not be used.
    """
    return allow_model_requests(False)
