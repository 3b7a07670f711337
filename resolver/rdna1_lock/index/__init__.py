"""Where wheels come from: simple indexes, folders, and the page texts they send."""
