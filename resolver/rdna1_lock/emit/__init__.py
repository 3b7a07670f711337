"""A lock as files, one format a module; emitters take a complete lock and fetch nothing."""
