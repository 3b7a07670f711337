"""Requirements in, one wheel a project out, or the reasons why not."""
