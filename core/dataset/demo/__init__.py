"""A data set of drawn people: what a newcomer sees first, and what the tests train on."""

from core.dataset.demo.layout import write_demo

__all__ = ["write_demo"]
