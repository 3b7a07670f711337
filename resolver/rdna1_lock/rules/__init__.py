"""What must hold for PyTorch on an RDNA1 card: rules, stacks, tables, and the wheel catalogue."""

from rdna1_lock.rules.applications import TORCH, Application, Applications, Fact
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
from rdna1_lock.rules.recipes import Recipe, load_recipe, recipe_ids
from rdna1_lock.rules.tables import Gpus, load_catalogue, load_gpus, load_known

__all__ = [
    "ALLOWED",
    "DEFAULT_STACK",
    "TORCH",
    "Application",
    "Applications",
    "Build",
    "CataloguedWheel",
    "Command",
    "Fact",
    "Gpus",
    "Known",
    "Recipe",
    "Rejected",
    "Rule",
    "RuleSet",
    "Stack",
    "Verdict",
    "load_catalogue",
    "load_gpus",
    "load_known",
    "load_recipe",
    "load_rules",
    "load_stack",
    "lockable_variables",
    "recipe_ids",
    "rules_digest",
    "stack_ids",
]
