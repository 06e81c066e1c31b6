"""What the map draws on its pages."""
