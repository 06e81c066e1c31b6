"""提案もれ and what sells together: what could be proposed to whom."""
