"""How a box comes to the community: a code that is good once, a certificate, an end to both."""
