"""Other people's voice servers with instant stubs, each run by the Python of its own throwaway environment.

All greet with 1 s of 500 Hz and answer the k-th time with 8 s of the k-th tone, and take POST /offer {sdp} -> {sdp}.
They import nothing of Nestcall. `usage: python server.py PORT MODE`.
"""
