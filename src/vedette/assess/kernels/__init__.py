"""The numerics of the assessment: compiled loops in a fixed order over arrays, no BLAS, no fast mathematics.

Each is held to plain numpy by the tests."""
