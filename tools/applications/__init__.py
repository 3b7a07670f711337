"""Runs packages beside the real torch, and writes what came of it into constraints/applications."""
