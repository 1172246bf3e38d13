"""A made-up community: who is in it, what its devices say through a day, and how that is sent.

The model is pure: the same community, seed and start say the same. Only `sender` and `fleet`
know the broker.
"""
