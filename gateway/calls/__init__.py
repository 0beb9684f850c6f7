"""Calls: a standby becomes a call at the tap, the assistant speaks, an advisor takes it over.

`calls` who may start, resume, take over and end one · `desk` and `verbs` wire messages → calls · `tickets` for WHIP ·
`peers` peer connections before the tap · `load` admission · `rooms` puts a room together · `room` one running call ·
`voice` `sound` the pipeline's engines and ends
`context` `answers` `doubt` `consequences` `flags` the dialogue in a call ·
`minutes` `record` what is written down · `lines` how well they hear each other · `about` `words` values ·
`client` a real caller, for `nestcall call` and benchmarks
"""
