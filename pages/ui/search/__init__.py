"""What is looked for on the Explore page: examples, words, scores, conditions, and what they find as rows."""
