"""The numerics of the tracker: compiled loops in a fixed order over arrays, no BLAS, no fast mathematics.

Each is held to plain numpy by the tests. Those that take long release the interpreter's lock, so that
whoever waits for a socket is not kept waiting."""
