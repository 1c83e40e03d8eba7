"""Plays a script over a list of agents: who speaks next, who has heard what, when to stop.

The engine knows roles, not classes, and reaches everything outside it through the protocols of this package:
`medium`, `tracer`, `event_sink` and `guard`.
"""
