"""Test AI agents by simulating the people who talk to them."""
