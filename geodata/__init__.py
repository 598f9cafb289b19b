"""The land, the roads, the air and the timetable; no order, no carrier."""
