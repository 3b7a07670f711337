"""From evidence to verdict: report, judgement, statement, signature, and their check."""
