"""The Space: builds the page, launches it."""

import html
import os
import sys

import gradio as gr

from isneaker import catalogue
from isneaker.ui import api, combine, discover, edit, opening, restyle, sketch
from isneaker.ui.theme import CSS, HEAD, THEME

MASTHEAD = "<h1>i<span>Sneaker</span></h1><p>Draw a few lines. See a sneaker while you draw.</p>"
FINE_PRINT = (
    "A research demo, not affiliated with any brand. Brand names describe visual style; marks and silhouettes belong "
    "to their owners. Uploads are readable by whoever has their address and are deleted within two minutes."
)


def weights_line() -> str:
    """Which weights the page serves, and why it does not serve others."""
    models, problems = catalogue.served()
    for problem in problems:
        print(f"iSneaker: {problem}", file=sys.stderr)
    return html.escape(f"Served: {'; '.join([models, *problems])}.", quote=False)


with gr.Blocks(title="iSneaker", analytics_enabled=False, delete_cache=(30, 90)) as demo:
    gr.HTML(MASTHEAD, elem_id="masthead")
    with gr.Tabs(elem_id="tabs") as tabs:
        with gr.Tab("Sketch", id="sketch"):
            homes = [sketch.build()]
        with gr.Tab("Restyle", id="restyle") as tab:
            restyled = restyle.build(tab)
        with gr.Tab("Combine", id="combine"):
            *combined, take = combine.build()
        if catalogue.offers("generate"):
            with gr.Tab("Discover", id="discover") as tab:
                page = discover.build(tab)
            with gr.Tab("Edit", id="edit") as tab:
                homes.append(edit.build(tab))
    opened = opening.build(demo, tabs, homes)
    opened.take_from(*restyled)
    opened.take_from(*combined)
    for home in homes:
        take(home.send, home.token, tabs)
    if catalogue.offers("generate"):
        opened.take(page)
    api.build()
    gr.HTML(f"{FINE_PRINT} {weights_line()}", elem_id="fine-print")

demo.queue(max_size=64)

if __name__ == "__main__":
    demo.launch(
        theme=THEME, css=CSS, head=HEAD, max_file_size="10mb", enable_monitoring=False, run_history=False, ssr_mode=False,
        footer_links=["api"], server_name=os.environ.get("GRADIO_SERVER_NAME"),
    )  # fmt: skip
