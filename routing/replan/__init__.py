"""Planning the rest of a day anew: what has happened and what is loaded stays, the remaining orders are free."""
