"""``python -m benchmarks.hot_path``: what one judged message costs in the worker's own code, without its system calls.

One worker with feigned sockets (``rig.worker``). ``python -m benchmarks.hot_path.frames``: frames in place of requests.

A shared machine runs Python at one speed now and at half of it a second later. So every slice of work is followed by a
slice of plain Python (``ruler``), and what is told is the least of each and their ratio: 1.0 is what a thousand turns
of a loop with one look-up in a dict cost. ``--profile`` shows functions instead, ``--turns`` says how long.
"""
