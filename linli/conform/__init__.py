"""The contract as a judge: what somebody else's device or consumer did, held against each clause.

A *trial* plays the other side and says what to do next, a *trace* is everything that crossed the
wire meanwhile, a *clause* judges the trace. All of these are pure; `relay` and `drive` alone know
sockets and clocks.
"""
