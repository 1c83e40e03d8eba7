"""`scenario demo`: a small shop assistant, and the scenarios that test it.

`shop` is its data, `shop_tools` what it may do with them, `shop_assistant` the agent, `shop_rules` what stands in for
its model offline, `scenarios` the tests.
"""
