"""顧客マップ: where everyone stands, and whose hours go where."""
