"""The engine for days of road rounds out of bases: no transfer, no bus, no drone, no cold goods."""
