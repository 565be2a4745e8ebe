"""Measurements that are too slow or too dependent on a machine to be tests."""
