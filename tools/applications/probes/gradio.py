import urllib.request

from _probe import step


@step("Blocks, launched and asked for its page")
def _():
    import gradio

    with gradio.Blocks() as blocks:
        gradio.Image()
        gradio.Slider(0, 1)
        gradio.Button("x")
    _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    assert urllib.request.urlopen(url, timeout=20).status == 200
    blocks.close()
