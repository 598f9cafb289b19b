"""From a Problem to a Plan."""
