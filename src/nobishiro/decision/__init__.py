"""The pure kernels of a decision: plain values and arrays, no I/O."""
