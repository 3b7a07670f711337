from _probe import step


@step("a cell that prints a tensor")
def _():
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        said = []
        client.execute_interactive(
            "import torch; print(torch.ones(2).sum())",
            timeout=60,
            output_hook=lambda message: said.append(message["content"].get("text", "")),
        )
        assert "tensor(2.)" in "".join(said)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
