"""みらい学びグループ: four schools for children of every age, a learning cloud for companies, and a design studio."""
