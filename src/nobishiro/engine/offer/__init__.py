"""提案: what could be proposed to a customer, and why it helps them."""
