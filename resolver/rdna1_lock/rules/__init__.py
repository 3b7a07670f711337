"""What must hold for PyTorch on an RDNA1 card: rules, stacks, tables, and the wheel catalogue."""

from rdna1_lock.rules.load import (
    DEFAULT_STACK,
    load_rules,
    load_stack,
    lockable_variables,
    rules_digest,
    stack_ids,
)
from rdna1_lock.rules.model import (
    ALLOWED,
    Build,
    CataloguedWheel,
    Command,
    Known,
    Rejected,
    Rule,
    RuleSet,
    Stack,
    Verdict,
)
from rdna1_lock.rules.tables import Gpus, load_catalogue, load_gpus, load_known

__all__ = [
    "ALLOWED",
    "DEFAULT_STACK",
    "Build",
    "CataloguedWheel",
    "Command",
    "Gpus",
    "Known",
    "Rejected",
    "Rule",
    "RuleSet",
    "Stack",
    "Verdict",
    "load_catalogue",
    "load_gpus",
    "load_known",
    "load_rules",
    "load_stack",
    "lockable_variables",
    "rules_digest",
    "stack_ids",
]
