"""判断: who gets what, when and by which channel, within people's hours."""
