"""ひより市場: a fictional shop with a web shop, three stores, a café and weekly delivery."""
