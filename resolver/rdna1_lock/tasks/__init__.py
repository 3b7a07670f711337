"""What the product does, one function a command: values in, values out.

Nothing here parses arguments, prints or exits; that is the command line's. What a task needs of
its surroundings (environment variables, the cache folder, somebody who listens) is an argument.
"""
