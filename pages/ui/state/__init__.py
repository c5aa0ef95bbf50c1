"""What a visitor looks at, and what visitors share in memory."""
