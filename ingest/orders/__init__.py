"""Work orders: who does what about an incident, and how well it was done."""
