"""Who may come in: accounts, sessions and API tokens."""
