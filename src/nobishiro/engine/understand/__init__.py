"""顧客理解: what each customer is worth, does and lacks; the map."""
