"""The Space: builds the page, launches it."""

import html
import os

import gradio as gr

from isneaker import catalogue, cores
from isneaker.studio import engine
from isneaker.studio.setup import offered
from isneaker.ui import api, combine, discover, edit, opening, restyle, sketch, studio, translate
from isneaker.ui.theme import CSS, HEAD, THEME

MASTHEAD = "<h1>i<span>Sneaker</span></h1><p>Draw a few lines. See a sneaker while you draw.</p>"
FINE_PRINT = (
    "A research demo, not affiliated with any brand. Brand names describe visual style; marks and silhouettes belong "
    "to their owners. Uploads are readable by whoever has their address and are deleted within two minutes."
)


def weights_line() -> str:
    """Which weights the page serves, and why it does not serve others."""
    models, problems = catalogue.served()
    return html.escape(f"Served: {'; '.join([models, *problems])}.", quote=False)


cores.share_out(engine.thread)
with gr.Blocks(title="iSneaker", analytics_enabled=False, delete_cache=(30, 90)) as demo:
    gr.HTML(MASTHEAD, elem_id="masthead")
    with gr.Tabs(elem_id="tabs") as tabs:
        with gr.Tab("Sketch", id="sketch"):
            homes = [sketch.build()]
        with gr.Tab("Restyle", id="restyle") as tab:
            change_restyled, restyled = restyle.build(tab)
        with gr.Tab("Combine", id="combine"):
            change_child, child, take = combine.build()
        if catalogue.offers("generate"):
            with gr.Tab("Discover", id="discover") as tab:
                page = discover.build(tab)
            with gr.Tab("Edit", id="edit") as tab:
                homes.append(edit.build(tab))
        sources = [*(home.keep for home in homes), restyled, child]
        if offered():
            with gr.Tab("Studio", id="studio") as tab:
                finished, change_finished, finish = studio.build(demo, tab)
            homes.append(finished)
        others = []  # of no sneakers
        if catalogue.offers("translate"):
            with gr.Tab("Translate", id="translate") as tab:
                others.append(translate.build(tab))
    opened = opening.build(demo, tabs, homes + others)
    opened.take_from(change_restyled, restyled.token)
    opened.take_from(change_child, child.token)
    for home in homes:
        take(home.send, home.keep.token, tabs)
    if offered():
        opened.take_from(change_finished, finished.keep.token)
        for source in sources:
            finish(source.studio, source.token, tabs)
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
