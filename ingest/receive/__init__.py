"""The receiving half: the broker's messages, checked, kept in the journal, then answered."""
