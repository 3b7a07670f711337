from _probe import step


@step("import, and fx transformations")
def _():
    import optimum.version  # noqa: F401
    from optimum.fx.optimization import MergeLinears  # noqa: F401
