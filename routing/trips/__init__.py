"""Search for single trips of vehicles: arrays, times along a trip, ruin and recreate, and what drives them."""
