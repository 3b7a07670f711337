"""Requirements files in pip's form, read once for everyone: what they ask for, line by line."""

from rdna1_lock.requirements.lines import BadLine, Line, OptionLine, RequirementLine
from rdna1_lock.requirements.parse import read_requirement
from rdna1_lock.requirements.read import read_lines, read_requirements, read_text

__all__ = [
    "BadLine",
    "Line",
    "OptionLine",
    "RequirementLine",
    "read_lines",
    "read_requirement",
    "read_requirements",
    "read_text",
]
