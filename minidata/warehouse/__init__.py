"""The warehouse: connections to PostgreSQL and the migrations that make it."""
