"""A report for people: page, plot, terminal, Markdown, comparison."""
