"""Why there is no solution: reasons in words, each with its rule, evidence and a way out."""
