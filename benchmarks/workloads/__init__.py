"""The work that is measured.

Each module is a script for a fresh process: it is told what to do as JSON in its argument, and prints what it measured
as JSON. It uses the public API alone, so that any version of it, and the reference, can be measured.
"""
