"""How targets are named."""
