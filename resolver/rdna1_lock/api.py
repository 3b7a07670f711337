"""What programs may import from rdna1-lock. **Provisional**: names and shapes may still change."""

from __future__ import annotations
