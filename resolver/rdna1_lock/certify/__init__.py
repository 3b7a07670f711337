"""The proof that convolutions work on a card: a sweep, its evidence, a certificate, its verification."""
