"""Relays: goods by truck from the hub to bus stops, one scheduled bus trip, and by courier from there to the door."""
