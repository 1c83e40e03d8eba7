"""`scenario doctor`: looks at everything that a run needs, and says what to do about what is missing.

`installation` looks at packages, `models` at keys and services, `network` at the way to them, `machine` at the rest.
"""
