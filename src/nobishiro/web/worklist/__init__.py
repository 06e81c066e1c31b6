"""今日の提案: what a rep does today, and what came of it."""
