"""A checked plan as files people and programs can use."""
