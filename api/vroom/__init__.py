"""VROOM's interface: its requests read, solved by `routing.visits`, and answered in its shape."""
